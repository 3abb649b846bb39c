"""People, households and doors."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import StringConstraints

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.residents import households, identity, past
from backend.residents import service as residents
from shared.residents import (
    HouseholdIn,
    HouseholdOut,
    IdCheckIn,
    IdCheckOut,
    IdLookOut,
    IdPutIn,
    IdRevealIn,
    IdRevealOut,
    Reason,
    ResidentIn,
    ResidentOut,
    ResidentPatch,
)
from shared.types import AreaCode, Day

router = APIRouter(prefix="/api/v1", tags=["居民"], route_class=TxRoute)

Area = Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")]
SearchText = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] | None,
    Query(description="姓名、全拼、首字母、电话里的几位，或门牌"),
]


def _tagged(reply: Response, row: HouseholdOut | ResidentOut) -> None:
    reply.headers["ETag"] = etag(row.rev)


@router.put("/households/{household_id}")
async def put_household(
    household_id: UUID,
    body: HouseholdIn,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    reply: Response,
    if_match: IfMatch,
) -> HouseholdOut:
    """登记一户和它的门牌。带 If-Match 就是改门牌。"""
    if if_match is None:
        household = await households.add(tx, keys, worker, household_id, body)
    else:
        household = await households.change_door(tx, worker, household_id, body, if_match)
    _tagged(reply, household)
    return household


@router.get("/households")
async def list_households(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    q: SearchText = None,
    as_at: Annotated[Day | None, Query(description="看过去某一天有人住的各户；不能和 q 一起用")] = None,
) -> Page[HouseholdOut]:
    """列出各户，可按门牌、姓名、拼音、电话查。问过去某一天的，户主、人口、关爱标签和门牌都照那一天。"""
    if as_at:
        return await past.homes(tx, reader, area_code, q, as_at, page)
    return await households.listed(tx, reader, area_code, q, page)


@router.get("/households/{household_id}")
async def get_household(household_id: UUID, _reader: CurrentReader, tx: Tx, reply: Response) -> HouseholdOut:
    """看一户。"""
    household = await households.get(tx, household_id)
    _tagged(reply, household)
    return household


@router.put("/residents/{resident_id}")
async def put_resident(
    resident_id: UUID, body: ResidentIn, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response
) -> ResidentOut:
    """登记一个人。编号由手机生成，原样再送一次不会重复。"""
    resident = await residents.register(tx, keys, worker, resident_id, body)
    _tagged(reply, resident)
    return resident


@router.get("/residents")
async def list_residents(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    household_id: Annotated[UUID | None, Query(description="只看这一户")] = None,
    q: SearchText = None,
    as_at: Annotated[Day | None, Query(description="看过去某一天在册的人；不能和 q 一起用")] = None,
) -> Page[ResidentOut]:
    """列出居民，可按姓名、全拼、首字母、电话查。工作人员以外的人看到的电话不完整。"""
    if as_at:
        return await past.listed(tx, reader, area_code, household_id, q, as_at, page)
    return await residents.listed(tx, reader, area_code, household_id, q, page)


@router.get("/residents/{resident_id}")
async def get_resident(resident_id: UUID, reader: CurrentReader, tx: Tx, reply: Response) -> ResidentOut:
    """看一个人。"""
    resident = await residents.read(tx, reader, resident_id)
    _tagged(reply, resident)
    return resident


@router.patch("/residents/{resident_id}")
async def edit_resident(
    resident_id: UUID, patch: ResidentPatch, worker: CurrentWorker, tx: Tx, reply: Response, if_match: IfMatch
) -> ResidentOut:
    """改一个人的几项，要带 If-Match。"""
    resident = await residents.edit(tx, worker, resident_id, patch, if_match)
    _tagged(reply, resident)
    return resident


# The same for clients that have no PATCH.
router.post("/residents/{resident_id}", name="edit_resident_by_post")(edit_resident)


@router.put("/residents/{resident_id}/identity")
async def put_identity(
    resident_id: UUID, body: IdPutIn, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response, if_match: IfMatch
) -> ResidentOut:
    """补登或更正身份号码。要写理由，要带 If-Match。"""
    await identity.put(tx, keys, worker, resident_id, body, if_match)
    return await get_resident(resident_id, worker, tx, reply)


@router.delete("/residents/{resident_id}/identity")
async def delete_identity(
    resident_id: UUID,
    reason: Annotated[Reason, Query(description="理由，会留下记录")],
    worker: CurrentWorker,
    tx: Tx,
    reply: Response,
    if_match: IfMatch,
) -> ResidentOut:
    """去掉登记错了的身份号码。要写理由，要带 If-Match。"""
    await identity.remove(tx, worker, resident_id, reason, if_match)
    return await get_resident(resident_id, worker, tx, reply)


@router.post("/residents/{resident_id}/identity/reveal")
async def reveal_identity(
    resident_id: UUID, body: IdRevealIn, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response
) -> IdRevealOut:
    """查看身份号码。要写理由，会留下记录，居民可以知道谁看过。"""
    reply.headers["Cache-Control"] = "no-store"
    return await identity.reveal(tx, keys, worker, resident_id, body.reason)


@router.post("/residents/{resident_id}/identity/check")
async def check_identity(
    resident_id: UUID, body: IdCheckIn, worker: CurrentWorker, tx: Tx, keys: AppKeys
) -> IdCheckOut:
    """拿证件上的号码与登记的核对，不显示登记的号码。"""
    return await identity.check(tx, keys, worker, resident_id, body.id_number)


@router.get("/residents/{resident_id}/identity/looks")
async def list_looks(resident_id: UUID, page: Paging, _worker: CurrentWorker, tx: Tx) -> Page[IdLookOut]:
    """谁、什么时候、为什么看过这个人的身份号码。"""
    return await identity.looks(tx, resident_id, page)
