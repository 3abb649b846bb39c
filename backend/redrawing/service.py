"""Plans of new boundaries: made, looked at, decided, scheduled, called off."""

from datetime import date
from uuid import UUID

import asyncpg

from backend.core import operations, preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import queries as grid_queries
from backend.grid import rules as grid_rules
from backend.grid import service as grid
from backend.redrawing import queries
from backend.redrawing.outcome import Outcome, work_out
from backend.redrawing.queries import open_offers, residents_of
from shared.errors import Code
from shared.grid import PLAN_WORDS, DecisionsIn, Moving, PlanIn, PlanOut, PlanState, PreviewOut
from shared.texts import _

KIND = "plan.put"
DRAFT = frozenset({PlanState.draft})
OPEN = frozenset({PlanState.draft, PlanState.scheduled})


async def put(
    tx: Transaction, keys: Keys, coordinator: Caller, plan_id: UUID, body: PlanIn, if_match: frozenset[str] | None
) -> PlanOut:
    """Make a plan under the caller's own id, or change a draft."""
    await refuse_community(tx, coordinator, body.community_code)
    refuse_past(body.effective_on, county_day(tx.now))
    op_id, content = operations.of_put(KIND, plan_id), operations.fingerprint(keys.ledger, KIND, plan_id, body)
    if if_match is None:
        if not await operations.repeated(tx, op_id, content, Code.id_taken):
            await add(tx, plan_id, body)
            tx.settled(operations.applied(op_id, KIND, plan_id, content))
        return await get(tx, plan_id)
    present = await _open_plan(tx, coordinator, plan_id, DRAFT)
    preconditions.require(if_match, present.rev)
    if present.community_code != body.community_code:
        raise Refusal(Code.step_not_allowed, _("方案不能换社区。"), pointer="/community_code")
    await queries.change(tx.conn, tx.county, plan_id, body)
    tx.audit("plan.changed", "plan", plan_id, body.community_code)
    return await get(tx, plan_id)


async def add(tx: Transaction, plan_id: UUID, body: PlanIn) -> None:
    await queries.add(
        tx.conn, tx.county, plan_id, body, at=tx.now, state=PlanState.draft, by=tx.caller.account_id,
        name=tx.caller.name,
    )  # fmt: skip
    tx.audit("plan.made", "plan", plan_id, body.community_code)


async def refuse_community(tx: Transaction, coordinator: Caller, community: str) -> None:
    known = community.startswith(tx.county) and await grid_queries.is_known_area(tx.conn, tx.county, community)
    if not known:
        raise Refusal(Code.unknown_area, pointer="/community_code")
    if not grid_rules.may_draw(coordinator.grants, community):
        raise Refusal(Code.area_not_allowed, pointer="/community_code")


def refuse_past(day: date, today: date) -> None:
    """A boundary that began before today would say of past days what nobody could have known."""
    if day < today:
        raise Refusal(Code.too_old, _("生效日期不能早于今天。"), pointer="/effective_on")


async def get(tx: Transaction, plan_id: UUID) -> PlanOut:
    found = await queries.plan(tx.conn, tx.county, plan_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(tx: Transaction, reader: Caller, area: str | None, page: PageParams) -> Page[PlanOut]:
    rows = await queries.page(tx.conn, tx.county, await grid.area_to_list(tx, reader, area), page)
    return cut(rows, page.limit)


async def _open_plan(tx: Transaction, coordinator: Caller, plan_id: UUID, states: frozenset[PlanState]) -> PlanOut:
    """Lock a plan that stands in one of these states and that the caller may work on."""
    found = await queries.plan(tx.conn, tx.county, plan_id, lock=True)
    if found is None:
        raise Refusal(Code.not_found)
    if not grid_rules.may_draw(coordinator.grants, found.community_code):
        raise Refusal(Code.area_not_allowed)
    if found.state not in states:
        raise Refusal(Code.step_not_allowed, _("方案现在是“{state}”。").format(state=PLAN_WORDS[found.state]))
    return found


async def preview(tx: Transaction, coordinator: Caller, plan_id: UUID) -> PreviewOut:
    """Say who and what would move if the plan were applied now. Nothing is changed."""
    return await _shown(tx, await work_out(tx, await _open_plan(tx, coordinator, plan_id, OPEN)))


async def _shown(tx: Transaction, found: Outcome) -> PreviewOut:
    homes, asked, moving = found.going(), found.requests_going(), []
    for pair in sorted({*homes, *asked}):
        households = [row["id"] for row in homes.get(pair, [])]
        requests = [row["id"] for row in asked.get(pair, []) if not row["ended"]]
        due = [row["id"] for row in homes.get(pair, []) if _is_due(row["due_on"], found.plan.effective_on)]
        moving.append(Moving(
            from_area=pair[0], to_area=pair[1], households=households, due_visits=due, requests=requests,
            residents=await residents_of(tx.conn, tx.county, households),
            offers=await open_offers(tx.conn, tx.county, requests),
        ))  # fmt: skip
    ready = not found.faulty and not found.waiting
    return PreviewOut(
        plan_id=found.plan.id, ready=ready, findings=found.findings, moving=moving, undecided=found.undecided()
    )


def _is_due(due_on: date | None, day: date) -> bool:
    return due_on is not None and due_on <= day


async def decide(
    tx: Transaction, coordinator: Caller, plan_id: UUID, body: DecisionsIn, if_match: frozenset[str] | None
) -> PlanOut:
    """Keep where a person wants households to go that the map cannot place."""
    found = await _open_plan(tx, coordinator, plan_id, OPEN)
    preconditions.require(if_match, found.rev)
    outcome = await work_out(tx, found)
    open_to = {row["id"] for row, placement in outcome.homes if placement.why}
    left = {cell.code for cell in found.cells} | (set(outcome.present) - set(found.closed))
    for at, one in enumerate(body.decisions):
        if one.household_id not in open_to:
            raise Refusal(Code.household_not_here, pointer=f"/decisions/{at}/household_id")
        if one.cell_code not in left:
            raise Refusal(Code.unknown_area, pointer=f"/decisions/{at}/cell_code")
    decisions = {str(one.household_id): one.cell_code for one in body.decisions}
    await queries.set_decisions(tx.conn, tx.county, plan_id, decisions)
    tx.audit("plan.decided", "plan", plan_id, found.community_code, households=len(decisions))
    return await get(tx, plan_id)


async def schedule(tx: Transaction, coordinator: Caller, plan_id: UUID) -> PlanOut:
    """Let a plan come into force at its day. A repeat changes nothing."""
    found = await _open_plan(tx, coordinator, plan_id, OPEN)
    if found.state is PlanState.scheduled:
        return found
    refuse_past(found.effective_on, county_day(tx.now))
    refuse_unready(await work_out(tx, found))
    try:
        async with tx.savepoint():
            await queries.set_state(tx.conn, tx.county, plan_id, PlanState.scheduled)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(Code.plan_scheduled) from error
    tx.audit("plan.scheduled", "plan", plan_id, found.community_code)
    return await get(tx, plan_id)


def refuse_unready(outcome: Outcome) -> None:
    if outcome.faulty:
        raise Refusal(Code.grid_faulty, "".join(one.sentence for one in outcome.faulty[:10]))
    if outcome.waiting:
        count = sum(one.must and one.decided is None for one in outcome.undecided())
        raise Refusal(Code.plan_undecided, _("还有 {count} 户没有决定归哪个网格。").format(count=count))


async def cancel(tx: Transaction, coordinator: Caller, plan_id: UUID) -> PlanOut:
    """Call a plan off. A repeat changes nothing."""
    found = await _open_plan(tx, coordinator, plan_id, OPEN | {PlanState.cancelled})
    if found.state is not PlanState.cancelled:
        await queries.set_state(tx.conn, tx.county, plan_id, PlanState.cancelled)
        tx.audit("plan.cancelled", "plan", plan_id, found.community_code)
    return await get(tx, plan_id)
