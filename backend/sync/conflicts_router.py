"""What waits for a person: read and decided."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.sync import conflicts
from shared.conflicts import ConflictOut, ConflictSettleIn, ConflictState
from shared.types import AreaCode

router = APIRouter(prefix="/api/v1/conflicts", tags=["待核对"], route_class=TxRoute)


@router.get("")
async def list_conflicts(
    page: Paging,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    area_code: Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")] = None,
    state: Annotated[ConflictState | None, Query(description="只看这个状态")] = None,
) -> Page[ConflictOut]:
    """列出等人来定的改动：两边的值、谁写的、什么时候、在哪里。后收到的在前。"""
    return await conflicts.listed(tx, keys, worker, area_code, state, page)


@router.get("/{conflict_id}")
async def read_conflict(
    conflict_id: UUID, response: Response, _worker: CurrentWorker, tx: Tx, keys: AppKeys
) -> ConflictOut:
    """看一条等人来定的改动。"""
    found = await conflicts.read(tx, keys, conflict_id)
    response.headers["ETag"] = etag(found.rev)
    return found


@router.post("/{conflict_id}/settle")
async def settle_conflict(
    conflict_id: UUID,
    body: ConflictSettleIn,
    response: Response,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    if_match: IfMatch,
) -> ConflictOut:
    """定一条：用晚到的、留现在的、两边都留，或我定不了（交给社区）。要带 If-Match；原样再送不会办两次。"""
    settled = await conflicts.settle(tx, keys, worker, conflict_id, body, if_match)
    response.headers["ETag"] = etag(settled.rev)
    return settled
