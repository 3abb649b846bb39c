"""Import over HTTP: a sheet comes in, its report goes out, and a coordinator decides."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Query, Request
from fastapi.responses import Response, StreamingResponse

from backend.auth.deps import CurrentCoordinator, Tx, caller_of
from backend.core.db import Db
from backend.core.errors import Refusal
from backend.core.paging import Page, Paging
from backend.core.route import TxRoute
from backend.imports import files, service
from backend.imports.rules import COORDINATORS
from shared.errors import Code
from shared.imports import Grade, ImportOut, IssueOut, MappingIn, StoreIn, UndoIn
from shared.texts import _
from shared.types import AreaCode, Crs, Name, ShortText, uuid7


class UploadRoute(TxRoute):
    """A route whose body is on disk before its transaction begins: an upload may take minutes."""

    async def _transact(self, request: Request) -> Response:
        caller = await caller_of(request)
        if not caller.holds(*COORDINATORS):
            raise Refusal(Code.role_not_allowed)
        batch, data = uuid7(), _data(request)
        await files.receive(aiter(request.stream()), data, batch)
        request.state.batch = batch
        try:
            return await super()._transact(request)
        except BaseException:
            files.discard(files.folder_of(data, batch))
            raise


def _data(request: Request) -> Path:
    """Return the folder of sheets."""
    data: Path | None = request.app.state.imports
    if data is None:
        raise Refusal(Code.step_not_allowed, _("这台服务器没有设放表格的文件夹。"))
    return data


_KEEP = StoreIn()

uploads = APIRouter(prefix="/api/v1/imports", tags=["导入"], route_class=UploadRoute)
router = APIRouter(prefix="/api/v1/imports", tags=["导入"], route_class=TxRoute)

_FILE = {
    "schema": {"type": "string", "format": "binary"},
    "examples": {"csv": {"value": "姓名,性别\n何长顺,男\n"}},
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(("application/octet-stream", "text/csv"), _FILE),
    }
}


@uploads.post("", status_code=201, openapi_extra=_BODY)
async def post_import(
    area_code: Annotated[AreaCode, Query(description="归哪个社区或网格：没写网格的人放在这里")],
    name: Annotated[Name, Query(description="文件名")],
    caller: CurrentCoordinator,
    tx: Tx,
    request: Request,
    crs: Annotated[Crs, Query(description="表里经纬度的坐标系")] = Crs.wgs84,
    sheet: Annotated[ShortText, Query(description="哪一张工作表；一个文件里有几张名单时要写")] = "",
) -> ImportOut:
    """送来一张表（CSV 或 XLSX，请求体就是文件）。马上开始核对，不入库；进展看 events。"""
    return await service.receive(tx, caller, request.state.batch, area_code, name, crs, sheet)


@router.get("")
async def list_imports(caller: CurrentCoordinator, page: Paging, tx: Tx) -> Page[ImportOut]:
    """列出导入过的表，新的在前。"""
    return await service.listed(tx, page)


@router.get("/{import_id}")
async def get_import(import_id: UUID, caller: CurrentCoordinator, tx: Tx) -> ImportOut:
    """看一张表的进展、各列当作哪一项、各有多少行。"""
    return await service.get(tx, import_id)


@router.get("/{import_id}/events", response_class=StreamingResponse)
async def get_events(import_id: UUID, caller: CurrentCoordinator, tx: Tx, database: Db) -> StreamingResponse:
    """跟着看进展（server-sent events）：每有变化送一条，做完为止。"""
    present = await service.get(tx, import_id)
    return StreamingResponse(
        service.events(database, caller, present), media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )  # fmt: skip


@router.get("/{import_id}/issues")
async def list_issues(
    import_id: UUID,
    caller: CurrentCoordinator,
    tx: Tx,
    grade: Annotated[Grade | None, Query(description="只看这一种")] = None,
    cursor: Annotated[UUID | None, Query(description="上一页给的 next_cursor")] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="每页条数")] = 50,
) -> Page[IssueOut]:
    """逐行的核对结果：第几行、哪一列、怎么了、读到什么。"""
    return await service.issues(tx, import_id, grade, cursor, limit)


@router.get("/{import_id}/rejects", response_class=StreamingResponse)
async def get_rejects(import_id: UUID, caller: CurrentCoordinator, tx: Tx, request: Request) -> StreamingResponse:
    """下载不能入库的行（CSV，最后一列是原因）；改好后可以直接再导入。"""
    lines = await service.reject_file(tx, _data(request), caller, import_id)
    headers = {"Content-Disposition": f'attachment; filename="rejects-{import_id}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@router.put("/{import_id}/columns")
async def put_columns(import_id: UUID, body: MappingIn, caller: CurrentCoordinator, tx: Tx) -> ImportOut:
    """改各列当作哪一项，并重新核对。表头相同的表下次自动照此读。"""
    return await service.map_columns(tx, caller, import_id, body)


@router.post("/{import_id}/store")
async def post_store(
    import_id: UUID, caller: CurrentCoordinator, tx: Tx, body: Annotated[StoreIn, Body()] = _KEEP
) -> ImportOut:
    """入库。不能入库的行留在外面，库里已有的不重复；和表里不一样的，照 known 只列出或按表更新。"""
    return await service.store(tx, caller, import_id, body.known)


@router.post("/{import_id}/undo")
async def post_undo(import_id: UUID, body: UndoIn, caller: CurrentCoordinator, tx: Tx) -> ImportOut:
    """把这一批整个撤回。有人改过的会列出来；确认后可以只撤回其余的。"""
    return await service.take_back(tx, caller, import_id, body)


@router.post("/{import_id}/cancel")
async def post_cancel(import_id: UUID, caller: CurrentCoordinator, tx: Tx) -> ImportOut:
    """不做了。已经入库的部分还在，可以撤回。"""
    return await service.cancel(tx, caller, import_id)
