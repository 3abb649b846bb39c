"""Use cases of households and their doors."""

from uuid import UUID

from backend.core import operations, preconditions
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.grid import locate
from backend.grid import queries as grid_queries
from backend.grid import service as grid
from backend.grid.geo import LonLat, to_wgs84
from backend.residents import folding, queries, rules, search
from shared.auth import STAFF
from shared.errors import Code
from shared.residents import HouseholdIn, HouseholdOut
from shared.sync import EntityKind
from shared.texts import _
from shared.types import Position, uuid7

KIND = "household.put"


async def get(tx: Transaction, household_id: UUID) -> HouseholdOut:
    found = await queries.household(tx.conn, tx.county, household_id)
    if found is None:
        raise await folding.refusal(tx.conn, tx.county, household_id)
    return found


async def listed(
    tx: Transaction, reader: Caller, area: str | None, text: str | None, page: PageParams
) -> Page[HouseholdOut]:
    """List households of an area, or those that the text finds by door, name or phone."""
    wanted = queries.Wanted(await grid.area_to_list(tx, reader, area), typed(reader, text))
    found = await queries.page_of_households(tx.conn, tx.county, wanted, page)
    return cut(found, page.limit)


def typed(reader: Caller, text: str | None) -> str | None:
    """Return the text as search keys are written; one without a letter or digit cannot be searched for.

    Who reads masked numbers may not find them by their digits either.
    """
    if text is None:
        return None
    plain = search.normalise(text)
    if not plain:
        raise Refusal(Code.malformed, _("请输入姓名、拼音、首字母、电话或门牌。"), pointer="/q")
    if plain.isdigit() and not reader.holds(*STAFF):
        raise Refusal(Code.role_not_allowed, _("只有工作人员可以按号码查。"), pointer="/q")
    return plain


async def add(tx: Transaction, keys: Keys, worker: Caller, household_id: UUID, body: HouseholdIn) -> HouseholdOut:
    """Put a household and its door on the register; sending the same again answers with what is stored."""
    op_id = operations.of_put(KIND, household_id)
    content = operations.fingerprint(keys.ledger, KIND, household_id, body)
    if not await operations.repeated(tx, op_id, content, Code.id_taken):
        await refuse_cell(tx, worker, body.cell_code)
        place = place_of(tx, body.position)
        await queries.add_household(tx.conn, tx.county, household_id, uuid7(), body, place, tx.now)
        await _write_keys(tx, household_id, body)
        tx.settled(operations.applied(op_id, KIND, household_id, content))
        tx.changed(EntityKind.household, household_id, body.cell_code)
        tx.audit("household.added", "household", household_id, body.cell_code)
    return await get(tx, household_id)


async def refuse_cell(tx: Transaction, worker: Caller, code: str) -> None:
    """Refuse a cell that is not there, or not this worker's."""
    if not code.startswith(tx.county):
        raise Refusal(Code.unknown_area, pointer="/cell_code")
    if not worker.may_write_in(code):
        raise Refusal(Code.area_not_allowed, pointer="/cell_code")
    if await grid_queries.cell_rev(tx.conn, tx.county, code) is None:
        raise Refusal(Code.unknown_area, pointer="/cell_code")


def place_of(tx: Transaction, position: Position | None) -> LonLat | None:
    """Return a door's place in WGS-84; one outside the county is refused."""
    if position is None:
        return None
    place = to_wgs84(position.lon, position.lat, position.crs)
    if not locate.in_county(tx.county, *place):
        raise Refusal(Code.outside_county, pointer="/position")
    return place


async def change_door(
    tx: Transaction, worker: Caller, household_id: UUID, body: HouseholdIn, if_match: frozenset[str]
) -> HouseholdOut:
    """Change the door of a household. Moving it to another cell is a hand-over and not done here."""
    present = await get(tx, household_id)
    if not worker.may_write_in(present.area_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(if_match, present.rev)
    if body.cell_code != present.area_code:
        raise Refusal(Code.step_not_allowed, _("这里只改门牌；换网格要走移交。"), pointer="/cell_code")
    place = place_of(tx, body.position)
    fields = rules.door_changes(present, body, place)
    if not fields:
        return present
    rev = await queries.change_door(tx.conn, tx.county, household_id, present.rev, body, place)
    if rev is None:
        raise Refusal(Code.stale)
    await _write_keys(tx, household_id, body)
    # Others behind the same door read the new one too.
    for other in await queries.touch_neighbours(tx.conn, tx.county, household_id):
        await _write_keys(tx, other, body)
        tx.changed(EntityKind.household, other, body.cell_code)
    tx.edited(Edited(household_id, rev, body.cell_code, fields))
    tx.changed(EntityKind.household, household_id, body.cell_code)
    tx.audit("household.changed", "household", household_id, body.cell_code, fields=fields)
    return await get(tx, household_id)


async def _write_keys(tx: Transaction, household_id: UUID, body: HouseholdIn) -> None:
    keys = search.door_keys(body.compound, body.building, body.unit, body.room)
    await queries.set_search_keys(tx.conn, tx.county, body.cell_code, household_id, keys)


async def add_up(tx: Transaction, household_id: UUID, area: str) -> None:
    """Write a household's sums anew after one of its members changed. The household is locked by now.

    One that was folded into another stands for itself again with its first member.
    """
    sums = rules.add_up(await queries.members(tx.conn, tx.county, household_id))
    if await queries.set_sums(tx.conn, tx.county, household_id, sums):
        await folding.unfold(tx, household_id, area)
    tx.changed(EntityKind.household, household_id, area)
