"""Code lists, sealed facts and findings."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfNoneMatch
from backend.core.route import TxRoute
from backend.residents import code_pages, findings, sealed
from shared.codes import CodeList, CodeListHead, ListName
from shared.residents import Reason
from shared.sealed import FindingOut, FindingState, SealedIn, SealedKind, SealedOnFile, SealedOut, SealedSpan, SettleIn
from shared.types import AreaCode, Day

router = APIRouter(prefix="/api/v1", tags=["居民"], route_class=TxRoute)

Area = Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")]
Why = Annotated[Reason, Query(description="理由，会留下记录")]


@router.get("/code-lists", response_model=list[CodeListHead])
async def list_code_lists(_reader: CurrentReader, known: IfNoneMatch) -> Response:
    """列出代码表：标准号、版本、可用的日期。"""
    return code_pages.of_heads(known)


@router.get("/code-lists/{name}", response_model=CodeList)
async def get_code_list(name: ListName, _reader: CurrentReader, known: IfNoneMatch) -> Response:
    """看一张代码表的全部条目。"""
    return code_pages.of_list(name, known)


@router.get("/residents/{resident_id}/sealed")
async def list_sealed(resident_id: UUID, worker: CurrentWorker, tx: Tx) -> list[SealedOnFile]:
    """已登记了哪几项加密信息、从哪天起、谁登记的，不显示内容。只有社区工作者和县级管理员可以。"""
    return await sealed.on_file(tx, worker, resident_id)


@router.put("/residents/{resident_id}/sealed/{kind}")
async def put_sealed(
    resident_id: UUID, kind: SealedKind, body: SealedIn, worker: CurrentWorker, tx: Tx, keys: AppKeys
) -> SealedSpan:
    """登记健康、残疾或困难类别，加密存放。只有社区工作者和县级管理员可以。"""
    return await sealed.put(tx, keys, worker, resident_id, kind, body)


@router.get("/residents/{resident_id}/sealed/{kind}")
async def read_sealed(
    resident_id: UUID, kind: SealedKind, reason: Why, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response
) -> SealedOut:
    """查看一项加密信息。要写理由，会留下记录，居民可以知道谁看过。"""
    reply.headers["Cache-Control"] = "no-store"
    return await sealed.read(tx, keys, worker, resident_id, kind, reason)


@router.delete("/residents/{resident_id}/sealed/{kind}", status_code=204)
async def delete_sealed(
    resident_id: UUID,
    kind: SealedKind,
    from_day: Annotated[Day, Query(description="要去掉的那一段从哪天起")],
    reason: Why,
    worker: CurrentWorker,
    tx: Tx,
) -> Response:
    """去掉登记错了的一段。要写理由。"""
    await sealed.remove(tx, worker, resident_id, kind, from_day, reason)
    return Response(status_code=204)


@router.get("/findings")
async def list_findings(
    page: Paging,
    worker: CurrentWorker,
    tx: Tx,
    area_code: Area = None,
    state: Annotated[FindingState | None, Query(description="只看未处理或已处理的")] = None,
) -> Page[FindingOut]:
    """登记里对不上的地方，等人核对。"""
    return await findings.listed(tx, worker, area_code, state, page)


@router.post("/findings/{finding_id}/settle")
async def settle_finding(finding_id: UUID, body: SettleIn, worker: CurrentWorker, tx: Tx) -> FindingOut:
    """核对过了，写上怎么处理的。"""
    return await findings.settle(tx, worker, finding_id, body.reason)
