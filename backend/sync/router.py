"""Push and pull for phones, and the same feed for other systems."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from backend.auth.deps import Anyone, AppKeys, CurrentReader
from backend.core.db import Db
from backend.core.paging import json_of
from backend.core.transaction import Transaction
from backend.sync import pull as pulling
from backend.sync import push as pushing
from backend.sync import rescue as rescuing
from backend.sync.zipped import SyncRoute
from shared.sync import PULL_LIMIT, ChangesOut, PullIn, PullOut, PushIn, PushOut

router = APIRouter(prefix="/api/v1", tags=["同步"], route_class=SyncRoute)


@router.post("/sync/push")
async def push(request: Request, body: PushIn, caller: Anyone, database: Db, keys: AppKeys) -> PushOut:
    """手机送来做过的事，逐条答复。答复“已接收”之后才算存好。"""
    return await pushing.push(database, request.app.state.directory, keys, caller, body)


@router.post("/sync/pull", response_model=PullOut)
async def pull(body: PullIn, caller: Anyone, database: Db, keys: AppKeys) -> Response:
    """手机取变化。没有游标就从头取。"""
    return json_of(await pulling.pull(database, keys, caller, body))


@router.post("/sync/rescue")
async def rescue(body: PushIn, caller: Anyone, database: Db, keys: AppKeys) -> PushOut:
    """停用的手机、授权已结束的人，把没送出的记录交出来，等人核对；不直接进台账。"""
    return await rescuing.rescue(database, keys, caller, body)


@router.get("/changes", response_model=ChangesOut)
async def changes(
    reader: CurrentReader,
    database: Db,
    keys: AppKeys,
    cursor: Annotated[str | None, Query(max_length=8000, description="上次的游标")] = None,
    limit: Annotated[int, Query(ge=1, le=PULL_LIMIT, description="最多几条")] = 200,
) -> Response:
    """按游标读取可见区域里的全部变化，不漏不重。"""

    async def read(tx: Transaction) -> dict[str, Any]:
        return await pulling.changes(tx, keys, cursor, limit)

    return json_of(await database.run(reader, read, snapshot=True))
