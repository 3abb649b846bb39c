"""Doors, heads, links, and rows that may be one person."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from backend.auth.deps import AppKeys, CurrentReader, CurrentWorker, Tx
from backend.core.paging import Page, Paging
from backend.core.preconditions import IfMatch, etag
from backend.core.route import TxRoute
from backend.residents import doors, duplicates, heads, links
from shared.links import (
    BuildingOut,
    CompoundOut,
    ContactIn,
    DoorMoveIn,
    DuplicateOut,
    DuplicateState,
    DwellingIn,
    DwellingOut,
    HeadIn,
    HolderIn,
    HolderOut,
    LinkIn,
    LinkKind,
    LinkOut,
    OccupancyOut,
    ProposeIn,
    SettleIn,
    UndoIn,
    Usage,
)
from shared.residents import HouseholdOut
from shared.types import AreaCode, Day, ShortText

router = APIRouter(prefix="/api/v1", tags=["住房与关系"], route_class=TxRoute)

Place = Annotated[AreaCode, Query(description="镇（街道）、社区或网格编码")]
Area = Annotated[AreaCode | None, Query(description="区域编码，默认全部可见区域")]
EndDay = Annotated[Day | None, Query(description="到哪天止（不含），默认今天")]


def _tagged(reply: Response, row: DwellingOut | HouseholdOut | LinkOut) -> None:
    reply.headers["ETag"] = etag(row.rev)


@router.get("/compounds")
async def list_compounds(reader: CurrentReader, tx: Tx, area_code: Place) -> list[CompoundOut]:
    """列出各小区（院），有多少门、多少户、多少人。"""
    return await doors.compounds(tx, reader, area_code)


@router.get("/buildings")
async def list_buildings(
    reader: CurrentReader, tx: Tx, area_code: Place, compound: Annotated[ShortText, Query(description="小区或院名")]
) -> list[BuildingOut]:
    """列出一个小区的各栋楼。"""
    return await doors.buildings(tx, reader, area_code, compound)


@router.get("/dwellings")
async def list_dwellings(
    page: Paging,
    reader: CurrentReader,
    tx: Tx,
    area_code: Area = None,
    compound: Annotated[ShortText | None, Query(description="只看这个小区")] = None,
    building: Annotated[ShortText | None, Query(description="只看这栋楼")] = None,
    unit: Annotated[ShortText | None, Query(description="只看这个单元")] = None,
    usage: Annotated[Usage | None, Query(description="只看这种用途，如空置")] = None,
) -> Page[DwellingOut]:
    """列出各门，现在住着哪几户；没有人住的也在内。"""
    asked = {"compound": compound, "building": building, "unit": unit, "usage": usage}
    given = {name: value for name, value in asked.items() if value is not None}
    return await doors.listed(tx, reader, area_code, given, page)


@router.get("/dwellings/{dwelling_id}")
async def get_dwelling(dwelling_id: UUID, _reader: CurrentReader, tx: Tx, reply: Response) -> DwellingOut:
    """看一个门。"""
    dwelling = await doors.get(tx, dwelling_id)
    _tagged(reply, dwelling)
    return dwelling


@router.put("/dwellings/{dwelling_id}")
async def put_dwelling(
    dwelling_id: UUID,
    body: DwellingIn,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    reply: Response,
    if_match: IfMatch,
) -> DwellingOut:
    """登记一个门（可以没有人住）。带 If-Match 就是修改。"""
    if if_match is None:
        dwelling = await doors.add(tx, keys, worker, dwelling_id, body)
    else:
        dwelling = await doors.change(tx, worker, dwelling_id, body, if_match)
    _tagged(reply, dwelling)
    return dwelling


@router.post("/households/{household_id}/door")
async def move_door(
    household_id: UUID, body: DoorMoveIn, worker: CurrentWorker, tx: Tx, reply: Response, if_match: IfMatch
) -> HouseholdOut:
    """一户换到同一网格的另一个门，或写明是业主还是租户。要带这一户的 If-Match；住过的门留在历史里。"""
    household = await doors.move(tx, worker, household_id, body, if_match)
    _tagged(reply, household)
    return household


@router.get("/households/{household_id}/occupancies")
async def list_occupancies(household_id: UUID, _reader: CurrentReader, tx: Tx) -> list[OccupancyOut]:
    """一户先后住过哪些门，新的在前。登记后没有搬过、也没有写明住法的，没有记录。"""
    return await doors.occupancies(tx, household_id)


@router.post("/households/{household_id}/head")
async def change_head(
    household_id: UUID, body: HeadIn, worker: CurrentWorker, tx: Tx, reply: Response, if_match: IfMatch
) -> HouseholdOut:
    """换户主。其他每一位与新户主的关系都要写上；要带这一户的 If-Match。"""
    household = await heads.change(tx, worker, household_id, body, if_match)
    _tagged(reply, household)
    return household


@router.get("/households/{household_id}/contacts")
async def list_contacts(household_id: UUID, reader: CurrentReader, tx: Tx) -> list[LinkOut]:
    """找这一户先打给谁；家中某一位的联系人排在后面。"""
    return await links.of_home(tx, reader, household_id)


@router.put("/households/{household_id}/contacts/{link_id}")
async def put_contact(
    household_id: UUID,
    link_id: UUID,
    body: ContactIn,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    reply: Response,
    if_match: IfMatch,
) -> LinkOut:
    """登记一户的联系人，可以不在登记簿里。带 If-Match 就是修改。"""
    contact = LinkIn(kind=LinkKind.contact, **dict(body))
    link = await links.put(tx, keys, worker, await links.home(tx, household_id), link_id, contact, if_match)
    _tagged(reply, link)
    return link


@router.delete("/households/{household_id}/contacts/{link_id}", status_code=204)
async def end_contact(
    household_id: UUID, link_id: UUID, worker: CurrentWorker, tx: Tx, if_match: IfMatch, on: EndDay = None
) -> None:
    """不再是联系人。要带 If-Match。"""
    await links.end(tx, worker, await links.home(tx, household_id), link_id, on, if_match)


@router.get("/residents/{resident_id}/links")
async def list_links(
    resident_id: UUID,
    reader: CurrentReader,
    tx: Tx,
    ended: Annotated[bool, Query(description="已经结束的也要")] = False,
) -> list[LinkOut]:
    """一个人的联系人、监护人和帮扶人。工作人员以外的人看到的电话不完整。"""
    return await links.of_person(tx, reader, resident_id, ended)


@router.put("/residents/{resident_id}/links/{link_id}")
async def put_link(
    resident_id: UUID,
    link_id: UUID,
    body: LinkIn,
    worker: CurrentWorker,
    tx: Tx,
    keys: AppKeys,
    reply: Response,
    if_match: IfMatch,
) -> LinkOut:
    """登记联系人、监护人或帮扶人，帮扶人不在时谁替。带 If-Match 就是修改。"""
    link = await links.put(tx, keys, worker, await links.person(tx, resident_id), link_id, body, if_match)
    _tagged(reply, link)
    return link


@router.delete("/residents/{resident_id}/links/{link_id}", status_code=204)
async def end_link(
    resident_id: UUID, link_id: UUID, worker: CurrentWorker, tx: Tx, if_match: IfMatch, on: EndDay = None
) -> None:
    """到某天为止。要带 If-Match；当天才开始的直接去掉。"""
    await links.end(tx, worker, await links.person(tx, resident_id), link_id, on, if_match)


@router.get("/residents/{resident_id}/duplicates")
async def list_duplicates_of(resident_id: UUID, worker: CurrentWorker, tx: Tx) -> list[DuplicateOut]:
    """可能与这个人是同一人的登记。别的网格的人只显示姓名和门牌；看过会留下记录。"""
    return await duplicates.of_person(tx, worker, resident_id)


@router.get("/duplicates")
async def list_duplicates(
    page: Paging,
    worker: CurrentWorker,
    tx: Tx,
    area_code: Area = None,
    state: Annotated[DuplicateState, Query(description="待核对、已合并或不是同一人")] = DuplicateState.open,
) -> Page[DuplicateOut]:
    """可能是同一人的登记，两边都归您管的。"""
    return await duplicates.listed(tx, worker, area_code, state, page)


@router.post("/duplicates", status_code=201)
async def propose_duplicate(body: ProposeIn, worker: CurrentWorker, tx: Tx) -> DuplicateOut:
    """自己发现两条登记可能是同一人，提出来待核对。两边都要归您管；已经有人决定过的不能再提。"""
    return await duplicates.propose(tx, worker, body)


@router.post("/duplicates/holder")
async def find_holder(body: HolderIn, worker: CurrentWorker, tx: Tx, keys: AppKeys, reply: Response) -> HolderOut:
    """一个号码登记不上时，看它登记在谁名下。会留下记录，那个人可以知道谁看过。"""
    reply.headers["Cache-Control"] = "no-store"
    return await duplicates.holder(tx, keys, worker, body.id_number)


@router.post("/duplicates/{pair_id}/settle")
async def settle_duplicate(pair_id: UUID, body: SettleIn, worker: CurrentWorker, tx: Tx) -> DuplicateOut:
    """决定是不是同一个人：是就合并，不是就记住，不再提起。两边都要归您管。"""
    return await duplicates.settle(tx, worker, pair_id, body)


@router.post("/duplicates/{pair_id}/undo")
async def undo_duplicate(pair_id: UUID, body: UndoIn, worker: CurrentWorker, tx: Tx) -> DuplicateOut:
    """撤回决定。合并过的恢复原样，两条登记又要重新核对。"""
    return await duplicates.undo(tx, worker, pair_id, body.reason)
