"""Who answers for a cell: the three roles, stand-ins, and the households that a worker looks after."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from backend.core import operations, preconditions
from backend.core.clock import FOREVER, county_day
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.duties import queries, rules
from backend.duties.rules import Days
from backend.grid import queries as grid_queries
from backend.grid import rules as grid_rules
from shared.auth import STAFF, Role
from shared.duties import CellDutiesOut, DutyIn, DutyOut, DutyRole, HouseholdListIn, HouseholdListOut
from shared.errors import Code
from shared.sync import EntityKind
from shared.texts import _

KIND = "duty.put"


async def of_cell(tx: Transaction, reader: Caller, code: str, on: date | None) -> CellDutiesOut:
    """Return everybody who answers for a cell on a day. Other systems learn names, and nothing of who lives where."""
    if await grid_queries.cell_rev(tx.conn, tx.county, code) is None:
        raise Refusal(Code.not_found)
    day = on or county_day(tx.now)
    duties = await queries.duties_on(tx.conn, tx.county, code, day)
    if not reader.holds(*STAFF, Role.auditor):
        return CellDutiesOut(cell_code=code, day=day, duties=[_names_only(one) for one in duties], households=[])
    lists = await queries.household_lists(tx.conn, tx.county, code, day)
    return CellDutiesOut(cell_code=code, day=day, duties=duties, households=lists)


def _names_only(duty: DutyOut) -> DutyOut:
    stand_in = duty.stand_in and duty.stand_in.model_copy(update={"account_id": None})
    return duty.model_copy(update={"account_id": None, "stand_in": stand_in})


async def put(
    tx: Transaction, keys: Keys, coordinator: Caller, code: str, duty_id: UUID, body: DutyIn,
    if_match: frozenset[str] | None,
) -> DutyOut:  # fmt: skip
    """Assign a role, or change an assignment. Whoever is named must hold a grant already: naming gives no rights."""
    await refuse_cell(tx, coordinator, code)
    op_id, content = operations.of_put(KIND, duty_id), operations.fingerprint(keys.ledger, KIND, duty_id, body)
    if if_match is None:
        if await operations.repeated(tx, op_id, content, Code.id_taken):
            return await get(tx, duty_id)
        if await queries.duty(tx.conn, tx.county, duty_id):
            raise Refusal(Code.precondition_missing)
        tx.settled(operations.applied(op_id, KIND, duty_id, content))
    else:
        present = await get(tx, duty_id)
        if present.cell_code != code:
            raise Refusal(Code.not_found)
        preconditions.require(if_match, present.rev)
    await _refuse_people(tx, code, body)
    await _refuse_second(tx, code, duty_id, body)
    await queries.put_duty(tx.conn, tx.county, duty_id, code, body, tx.now)
    await tell(tx, [code])
    tx.audit("duty.assigned", "duty", duty_id, code, role=body.role, account=str(body.account_id))
    return await get(tx, duty_id)


async def tell(tx: Transaction, codes: Iterable[str]) -> None:
    """Let phones hear who answers for these cells: it comes with the cell."""
    for cell_id, code in await queries.cells_of(tx.conn, tx.county, sorted(set(codes))):
        tx.changed(EntityKind.cell, cell_id, code)


async def get(tx: Transaction, duty_id: UUID) -> DutyOut:
    found = await queries.duty(tx.conn, tx.county, duty_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def refuse_cell(tx: Transaction, coordinator: Caller, code: str) -> None:
    if not code.startswith(tx.county):
        raise Refusal(Code.not_found)
    if not grid_rules.may_draw(coordinator.grants, code):
        raise Refusal(Code.area_not_allowed)
    if await grid_queries.cell_rev(tx.conn, tx.county, code) is None:
        raise Refusal(Code.not_found)


async def _refuse_people(tx: Transaction, code: str, body: DutyIn) -> None:
    """A person who has left a post may still end their own role: only what lies ahead needs a grant."""
    today = county_day(tx.now)
    if body.until_day is None or body.until_day > today:
        await _refuse_without_grant(tx, code, body.account_id, max(body.from_day, today), "/account_id")
    if (one := body.stand_in) and (wrong := rules.refuse_stand_in(body, one)):
        raise Refusal(Code.malformed, wrong, pointer="/stand_in")
    if one and one.until_day > today:
        await _refuse_without_grant(tx, code, one.account_id, max(one.from_day, today), "/stand_in/account_id")


async def _refuse_without_grant(tx: Transaction, code: str, account: UUID, day: date, pointer: str) -> None:
    grants = await queries.grants_on(tx.conn, tx.county, account, day)
    if grants is None:
        raise Refusal(Code.not_found, _("没有这个账号。"), pointer=pointer)
    if not rules.covers(grants, code):
        raise Refusal(Code.no_grant_here, pointer=pointer)


async def _refuse_second(tx: Transaction, code: str, duty_id: UUID, body: DutyIn) -> None:
    """Several may be informed and serve; one is in charge."""
    if body.role is DutyRole.in_charge:
        others = await queries.in_charge(tx.conn, tx.county, code, duty_id)
        if rules.overlapping(Days(body.from_day, body.until_day or FOREVER), others):
            raise Refusal(Code.duty_taken, pointer="/from_day")


async def set_households(
    tx: Transaction, coordinator: Caller, code: str, account: UUID, body: HouseholdListIn
) -> HouseholdListOut:
    """Let a worker look after just these households of a cell, from today on. Others lose those that they had."""
    await refuse_cell(tx, coordinator, code)
    today, ids = county_day(tx.now), list(dict.fromkeys(body.household_ids))
    name = await queries.name_of(tx.conn, tx.county, account)
    if name is None:
        raise Refusal(Code.not_found, _("没有这个账号。"))
    if ids:
        await _refuse_without_grant(tx, code, account, today, "/account_id")
    known = await queries.lock_households(tx.conn, tx.county, code, ids)
    for at, one in enumerate(body.household_ids):
        if one not in known:
            raise Refusal(Code.household_not_here, pointer=f"/household_ids/{at}")
    await queries.set_households(tx.conn, tx.county, code, account, ids, today)
    await tell(tx, [code])
    tx.audit("duty.households", "account", account, code, households=len(ids))
    lists = await queries.household_lists(tx.conn, tx.county, code, today)
    nobody = HouseholdListOut(account_id=account, name=name, household_ids=[])
    return next((one for one in lists if one.account_id == account), nobody)
