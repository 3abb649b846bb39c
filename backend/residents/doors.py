"""Use cases of doors: places one can list, empty flats, and households that go from one door to another."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from backend.core import operations, preconditions
from backend.core.clock import FOREVER, county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.grid import service as grid
from backend.residents import door_queries as queries
from backend.residents import households, search
from backend.residents.queries import set_search_keys
from shared.errors import Code
from shared.links import (
    BuildingOut,
    CompoundOut,
    DoorMoveIn,
    DwellingIn,
    DwellingOut,
    OccupancyOut,
    Tenure,
    Usage,
)
from shared.residents import HouseholdOut
from shared.sync import EntityKind
from shared.texts import _

KIND = "dwelling.put"
_TOWN = 9
_USED = {Tenure.owner: Usage.own_use, Tenure.tenant: Usage.rented}
_PARTS = ("compound", "building", "unit", "room", "usage")


async def compounds(tx: Transaction, reader: Caller, area: str) -> list[CompoundOut]:
    return await queries.compounds(tx.conn, tx.county, await _narrow(tx, reader, area))


async def buildings(tx: Transaction, reader: Caller, area: str, compound: str) -> list[BuildingOut]:
    return await queries.buildings(tx.conn, tx.county, await _narrow(tx, reader, area), compound)


async def _narrow(tx: Transaction, reader: Caller, area: str | None) -> str:
    """Return an area whose doors can be read through while somebody waits."""
    if area is None or len(area) < _TOWN:
        raise Refusal(Code.malformed, _("请选到镇（街道）、社区或网格。"), pointer="/area_code")
    return await grid.area_to_list(tx, reader, area)


async def listed(
    tx: Transaction, reader: Caller, area: str | None, asked: dict[str, str], page: PageParams
) -> Page[DwellingOut]:
    """List doors, of one usage, compound or building where asked. Compounds of one name stand in many places."""
    area = await (_narrow if asked.keys() - {"usage"} else grid.area_to_list)(tx, reader, area)
    found = await queries.page_of_dwellings(tx.conn, tx.county, area, asked, page)
    return cut(found, page.limit)


async def get(tx: Transaction, dwelling_id: UUID) -> DwellingOut:
    found = (await queries.dwellings_by_ids(tx.conn, tx.county, [dwelling_id])).get(dwelling_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def add(tx: Transaction, keys: Keys, worker: Caller, dwelling_id: UUID, body: DwellingIn) -> DwellingOut:
    """Put a door on the register, with nobody behind it yet."""
    op_id = operations.of_put(KIND, dwelling_id)
    content = operations.fingerprint(keys.ledger, KIND, dwelling_id, body)
    if not await operations.repeated(tx, op_id, content, Code.id_taken):
        await households.refuse_cell(tx, worker, body.cell_code)
        await queries.add_dwelling(tx, dwelling_id, body, households.place_of(tx, body.position))
        tx.settled(operations.applied(op_id, KIND, dwelling_id, content))
        tx.audit("dwelling.added", "dwelling", dwelling_id, body.cell_code)
    return await get(tx, dwelling_id)


async def change(
    tx: Transaction, worker: Caller, dwelling_id: UUID, body: DwellingIn, if_match: frozenset[str]
) -> DwellingOut:
    """Change a door; every household behind it then reads the new one."""
    await queries.lock_dwellings(tx, [dwelling_id])
    present = await get(tx, dwelling_id)
    if not worker.may_write_in(present.area_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(if_match, present.rev)
    if body.cell_code != present.area_code:
        raise Refusal(Code.step_not_allowed, _("这里只改门牌；换网格要走移交。"), pointer="/cell_code")
    if body.usage is Usage.empty and present.occupants:
        raise Refusal(Code.step_not_allowed, _("这个门里还登记着住户，不能写成空置。"), pointer="/usage")
    rev = await queries.change_dwelling(tx, dwelling_id, present.rev, body, households.place_of(tx, body.position))
    if rev is None:
        raise Refusal(Code.stale)
    fields = [name for name in _PARTS if getattr(present, name) != getattr(body, name)]
    tx.edited(Edited(dwelling_id, rev, present.area_code, fields))
    tx.audit("dwelling.changed", "dwelling", dwelling_id, present.area_code, fields=fields)
    await _tell_households(tx, await get(tx, dwelling_id), [one.household_id for one in present.occupants])
    return await get(tx, dwelling_id)


async def _tell_households(tx: Transaction, door: DwellingOut, ids: Sequence[UUID]) -> None:
    await queries.touch_households(tx, ids)
    for household_id in ids:
        await _write_keys(tx, door, household_id)
        tx.changed(EntityKind.household, household_id, door.area_code)


async def _write_keys(tx: Transaction, door: DwellingOut, household_id: UUID) -> None:
    keys = search.door_keys(door.compound, door.building, door.unit, door.room)
    await set_search_keys(tx.conn, tx.county, door.area_code, household_id, keys)


async def occupancies(tx: Transaction, household_id: UUID) -> list[OccupancyOut]:
    await households.get(tx, household_id)
    return await queries.occupancies(tx.conn, tx.county, household_id)


async def move(
    tx: Transaction, worker: Caller, household_id: UUID, body: DoorMoveIn, if_match: frozenset[str] | None
) -> HouseholdOut:
    """Bring a household to another door of its cell, or note by what right it holds the one it has."""
    home = await queries.lock_home(tx, household_id)
    if home is None:
        raise Refusal(Code.not_found)
    if not worker.may_write_in(home["area_code"]):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(if_match, home["rev"])
    if body.on > county_day(tx.now):
        raise Refusal(Code.in_the_future, pointer="/on")
    left: UUID = home["dwelling_id"]
    await queries.lock_dwellings(tx, [left, body.dwelling_id])
    await _refuse_door(tx, home["area_code"], body.dwelling_id)
    await _write_history(tx, household_id, home, body)
    rev = await queries.go_to(tx, household_id, body.dwelling_id)
    await _note_usage(tx, left, body)
    await _write_keys(tx, await get(tx, body.dwelling_id), household_id)
    tx.edited(Edited(household_id, rev, home["area_code"], ["dwelling_id", "tenure"]))
    tx.changed(EntityKind.household, household_id, home["area_code"])
    tx.audit("household.moved_door", "household", household_id, home["area_code"], left=str(left))
    return await households.get(tx, household_id)


async def _refuse_door(tx: Transaction, area: str, dwelling_id: UUID) -> None:
    door = (await queries.dwellings_by_ids(tx.conn, tx.county, [dwelling_id])).get(dwelling_id)
    if door is None:
        raise Refusal(Code.not_found, pointer="/dwelling_id")
    if door.area_code != area:
        raise Refusal(Code.step_not_allowed, _("那个门在别的网格；换网格要走迁出。"), pointer="/dwelling_id")


async def _write_history(tx: Transaction, household_id: UUID, home: asyncpg.Record, body: DoorMoveIn) -> None:
    area, present = home["area_code"], await queries.open_occupancy(tx, household_id)
    if present and body.on < present["from_day"]:
        raise Refusal(Code.step_not_allowed, _("比上一次登记的入住日期还早。"), pointer="/on")
    if present and body.on == present["from_day"]:
        return await queries.correct_occupancy(tx, present["id"], body.dwelling_id, body.tenure)
    if present:
        await queries.end_occupancy(tx, present["id"], body.on)
    elif body.dwelling_id != home["dwelling_id"]:
        days = _known_before(county_day(home["received_at"]), body.on)
        await queries.add_occupancy(tx, area, household_id, home["dwelling_id"], Tenure.unknown, days)
    await queries.add_occupancy(tx, area, household_id, body.dwelling_id, body.tenure, (body.on, FOREVER))
    return None


def _known_before(registered: date, left: date) -> tuple[date, date]:
    """The time behind a first door, whose beginning nobody noted: since registration, or the day before it ended."""
    return min(registered, left - timedelta(days=1)), left


async def _note_usage(tx: Transaction, left: UUID, body: DoorMoveIn) -> None:
    """Say what follows for the doors, and no more: nobody in it does not make a flat empty, an owner's own use ends."""
    taken = await get(tx, body.dwelling_id)
    if taken.usage in (Usage.empty, Usage.unknown):
        await queries.set_usage(tx, taken.id, _USED.get(body.tenure, Usage.unknown))
    before = await get(tx, left)
    if not before.occupants and before.usage is Usage.own_use:
        await queries.set_usage(tx, left, Usage.unknown)
