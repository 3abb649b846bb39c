"""The register's history: events, moves, counts as at a day, corrections."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from backend.auth.deps import AppKeys, CurrentAdmin, CurrentCoordinator, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.residents import documents, events, moves, past
from backend.residents import move_queries as queries
from backend.residents.router import Area
from shared.register import (
    CountsOut,
    EventIn,
    EventOut,
    HandoverIn,
    HandoverKeyOut,
    HandoverOut,
    HistoryOut,
    MoveForwardIn,
    MoveOut,
    MoveSettleIn,
    MoveState,
    PeriodCorrectIn,
    TrustedCountyIn,
    TrustedCountyOut,
    WithdrawIn,
)
from shared.types import CountyCode, Day

router = APIRouter(prefix="/api/v1", tags=["人员变动"], route_class=TxRoute)


@router.put("/register-events/{event_id}")
async def put_event(event_id: UUID, body: EventIn, worker: CurrentWorker, tx: Tx, keys: AppKeys) -> EventOut:
    """登记一件人员变动：出生、死亡、转常住、转流动、迁入、迁出。编号由手机生成，原样再送一次不会重复。"""
    return await events.record(tx, keys, worker, event_id, body)


@router.get("/register-events")
async def list_events(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    resident_id: Annotated[UUID | None, Query(description="只看这个人的")] = None,
) -> Page[EventOut]:
    """列出人员变动，可按人或按区域。"""
    return await events.listed(tx, reader, area_code, resident_id, page)


@router.get("/register-events/{event_id}")
async def get_event(event_id: UUID, _reader: CurrentReader, tx: Tx) -> EventOut:
    """看一件人员变动。"""
    return await events.get(tx, event_id)


@router.post("/register-events/{event_id}/withdraw")
async def withdraw_event(event_id: UUID, body: WithdrawIn, worker: CurrentWorker, tx: Tx) -> EventOut:
    """撤回登记错了的变动。之后又有变动、或迁出已被对方核实的，不能撤回。已经取消的求助不会恢复。"""
    return await events.withdraw(tx, worker, event_id, body.reason)


@router.get("/residents/{resident_id}/history")
async def get_history(resident_id: UUID, _reader: CurrentReader, tx: Tx) -> HistoryOut:
    """一个人先后的状态、户、与户主关系、关爱标签，和变动。只看得到在您区域里的部分。"""
    return await past.told(tx, resident_id)


@router.put("/residents/{resident_id}/periods")
async def put_periods(resident_id: UUID, body: PeriodCorrectIn, coordinator: CurrentCoordinator, tx: Tx) -> HistoryOut:
    """更正一个人一段时间里的一项，要写理由。"""
    return await past.correct(tx, coordinator, resident_id, body)


@router.get("/register/counts")
async def get_counts(
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    as_at: Annotated[Day | None, Query(description="哪一天，默认今天")] = None,
) -> CountsOut:
    """某一天某个区域的人数、户数，按人员状态和关爱标签分。"""
    return await past.counts(tx, reader, area_code, as_at)


@router.get("/moves")
async def list_moves(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    state: Annotated[MoveState | None, Query(description="只看这种进展")] = None,
    overdue: Annotated[bool | None, Query(description="只看超过期限的，或只看没超过的")] = None,
) -> Page[MoveOut]:
    """列出迁入和迁出，双方都看得到。"""
    return await moves.listed(tx, reader, area_code, state, overdue, page)


@router.get("/moves/{move_id}")
async def get_move(move_id: UUID, reader: CurrentReader, tx: Tx, reply: Response) -> MoveOut:
    """看一次迁移。"""
    move = moves.seen_by(reader, await moves.get(tx, move_id))
    reply.headers["ETag"] = etag(move.rev)
    return move


@router.post("/moves/{move_id}/settle")
async def settle_move(
    move_id: UUID,
    body: MoveSettleIn,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    reply: Response,
    if_match: IfMatch,
) -> MoveOut:
    """上门核实到了没有，要带 If-Match。到了，人和没办完的求助转到新网格；没来，留在原网格，记为外出。"""
    move = await moves.settle(tx, keys, worker, move_id, body, if_match)
    reply.headers["ETag"] = etag(move.rev)
    return move


@router.post("/moves/{move_id}/forward")
async def forward_move(
    move_id: UUID, body: MoveForwardIn, worker: CurrentWorker, tx: Tx, reply: Response, if_match: IfMatch
) -> MoveOut:
    """改由另一个网格核实，要带 If-Match：当时不知道去哪个网格、网格撤销了，或者人住在别的网格。"""
    move = await moves.forward(tx, worker, move_id, body.cell_code, if_match)
    reply.headers["ETag"] = etag(move.rev)
    return move


@router.get("/moves/{move_id}/document")
async def get_document(move_id: UUID, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response) -> HandoverOut:
    """给外县的移交单，带本县签名。"""
    reply.headers["Cache-Control"] = "no-store"
    return await documents.write(tx, keys, worker, move_id)


@router.post("/moves/documents")
async def post_document(body: HandoverIn, coordinator: CurrentCoordinator, tx: Tx) -> MoveOut:
    """收下外县的移交单，核对签名，等网格员上门核实。同一份再送一次不会重复。"""
    return await documents.take_in(tx, coordinator, body)


@router.get("/register/handover-key")
async def get_handover_key(reader: CurrentReader, keys: AppKeys) -> HandoverKeyOut:
    """本县移交单的公钥，交给外县录入。"""
    return documents.public_key(keys, reader.county_code)


@router.get("/register/trusted-counties")
async def list_trusted(_coordinator: CurrentCoordinator, tx: Tx) -> list[TrustedCountyOut]:
    """已录入公钥的外县。"""
    return await queries.trusted(tx.conn, tx.county)


@router.put("/register/trusted-counties/{county_code}")
async def put_trusted(
    county_code: Annotated[CountyCode, Path(description="外县编码")], body: TrustedCountyIn, admin: CurrentAdmin, tx: Tx
) -> TrustedCountyOut:
    """录入或更换外县的公钥。"""
    return await documents.trust(tx, admin, county_code, body.public_key)
