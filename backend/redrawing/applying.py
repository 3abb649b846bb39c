"""Applying a plan: by a person on its day, or at night; and all cells of a community loaded in one go."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from uuid import UUID, uuid4

import structlog

from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.scope import Caller, system_caller
from backend.core.transaction import Transaction
from backend.grid import boundaries
from backend.grid import queries as grid_queries
from backend.grid import rules as grid_rules
from backend.grid import service as grid
from backend.redrawing import moving, queries, service
from backend.redrawing.outcome import Outcome, look, shape_of, work_out
from shared.errors import Code
from shared.grid import CellOut, CellShape, GridIn, GridLoadedOut, GridReport, PlanIn, PlanOut, PlanState
from shared.sync import EntityKind
from shared.texts import _
from shared.types import Crs, community_of, uuid7

log = structlog.get_logger()


async def apply(tx: Transaction, coordinator: Caller, plan_id: UUID) -> PlanOut:
    """Apply a plan whose day has come. A repeat answers with what was done."""
    await grid_queries.lock_boundaries(tx.conn, tx.county)
    found = await queries.plan(tx.conn, tx.county, plan_id, lock=True)
    if found is None:
        raise Refusal(Code.not_found)
    if not grid_rules.may_draw(coordinator.grants, found.community_code):
        raise Refusal(Code.area_not_allowed)
    if found.state is PlanState.applied:
        return found
    if found.state is PlanState.cancelled:
        raise Refusal(Code.step_not_allowed)
    if found.effective_on > county_day(tx.now):
        raise Refusal(Code.in_the_future, _("还没有到生效日期。"))
    outcome = await work_out(tx, found, lock=True)
    service.refuse_unready(outcome)
    await carry_out(tx, outcome)
    return await service.get(tx, plan_id)


async def carry_out(tx: Transaction, outcome: Outcome) -> None:
    """Change the boundaries and move whoever stands on changed ground. Households and requests are locked by now.

    From today, not from the plan's day: when the server was down on that day, people worked by the old boundaries.
    """
    plan, day = outcome.plan, county_day(tx.now)
    async with beyond_scope(tx, "grid.redrawn", "plan", plan.id, plan.community_code):
        await _redraw(tx, plan, outcome.present, day)
        moved = await _move(tx, outcome, day)
        await queries.set_state(tx.conn, tx.county, plan.id, PlanState.applied, moved, tx.now)
    await grid_queries.set_grid_version(tx.conn, tx.county, uuid4())


async def _move(tx: Transaction, outcome: Outcome, day: date) -> dict[str, int]:
    moved: dict[str, int] = {}
    for pair, rows in sorted(outcome.going().items()):
        ids, doors = [row["id"] for row in rows], [row["dwelling_id"] for row in rows]
        _add_up(moved, await moving.homes(tx, pair, ids, doors))
    for pair, rows in sorted(outcome.requests_going().items()):
        _add_up(moved, await moving.requests(tx, pair, [row["id"] for row in rows]))
    for pair, rows in sorted(outcome.doors_going().items()):
        _add_up(moved, await moving.doors(tx, pair, [row["id"] for row in rows]))
    await _settle_people(tx, outcome, day)
    return moved


async def follow(tx: Transaction, before: Mapping[str, CellOut], cell: CellShape) -> None:
    """Move whoever stands on ground that a single cell has gained or given away when somebody drew it anew."""
    day, community = county_day(tx.now), community_of(cell.code)
    drawn = PlanOut(
        id=uuid7(), community_code=community, effective_on=day, reason="", state=PlanState.applied, cells=[cell],
        closed=[], decisions=[], made_by=tx.caller.name, moved={}, applied_at=tx.now, rev=0, received_at=tx.now,
    )  # fmt: skip
    outcome = await work_out(tx, drawn, lock=True, before=before)
    if outcome.going() or outcome.requests_going() or outcome.doors_going():
        async with beyond_scope(tx, "grid.redrawn", "cell", drawn.id, community):
            await _move(tx, outcome, day)


async def _redraw(tx: Transaction, plan: PlanOut, present: Mapping[str, CellOut], day: date) -> None:
    for code in sorted(plan.closed):
        if code in present:
            await grid.close(tx, present[code], day)
    for cell in sorted(plan.cells, key=lambda one: one.code):
        boundary = boundaries.read(cell.geometry)
        if cell.code in present:
            await grid.change(tx, present[cell.code], cell, boundary, day)
        else:
            await grid.add(tx, cell.code, cell, boundary, day)


async def _settle_people(tx: Transaction, outcome: Outcome, day: date) -> None:
    """Let dated things end or go on: periods, duties, expected arrivals, pairs of people that may be one."""
    going, plan = outcome.going(), outcome.plan
    reached: dict[str, list[UUID]] = {}
    for (_unused, to), rows in going.items():
        reached.setdefault(to, []).extend(row["id"] for row in rows)
    await moving.people_go_on(tx, reached, day)
    left = sorted({pair[0] for pair in going})
    households = [one for ids in reached.values() for one in ids]
    await queries.end_duties(tx.conn, tx.county, households, plan.closed, day)
    await queries.widen_duplicates(tx.conn, tx.county, left, plan.community_code)
    for move_id, was in await queries.moves_into(tx.conn, tx.county, plan.closed, plan.community_code):
        moving.tell(tx, EntityKind.move, [move_id], (was, plan.community_code))


def _add_up(moved: dict[str, int], more: Mapping[str, int]) -> None:
    for what, count in more.items():
        moved[what] = moved.get(what, 0) + count


async def apply_due(database: Database, county: str) -> None:
    """Apply every plan of a county whose day has come, each in its own transaction; one that cannot be stays
    scheduled, and GET /grid/gaps names it."""
    caller = system_caller(county)
    for plan in await database.run(caller, lambda tx: queries.due(tx.conn, county, county_day(tx.now))):
        try:
            await database.run(caller, partial(apply, coordinator=caller, plan_id=plan.id))
            log.info("plan_applied", county=county, plan=str(plan.id))
        except Refusal as no:
            log.warning("plan_not_applied", county=county, plan=str(plan.id), code=no.code.value)


async def check(tx: Transaction, coordinator: Caller, community: str, body: GridIn) -> GridReport:
    """Look at all cells of a community before they are loaded. Nothing is changed."""
    await service.refuse_community(tx, coordinator, community)
    present = await grid_queries.present_cells(tx.conn, tx.county, community)
    return await look(tx, community, _cells(body), present, body.outline)


async def load(tx: Transaction, coordinator: Caller, community: str, body: GridIn) -> GridLoadedOut:
    """Load all cells of a community: what is not among them is closed. Today at once, later as a scheduled plan."""
    today = county_day(tx.now)
    day = body.effective_on or today
    service.refuse_past(day, today)
    report = await check(tx, coordinator, community, body)
    if not report.sound:
        raise Refusal(Code.grid_faulty, "".join(one.sentence for one in report.findings if one.blocks))
    await grid_queries.lock_boundaries(tx.conn, tx.county)
    present = await grid_queries.present_cells(tx.conn, tx.county, community)
    wanted = {cell.code: cell for cell in _cells(body)}
    cells = [cell for code, cell in wanted.items() if code not in present or shape_of(present[code]) != cell]
    closed = sorted(set(present) - set(wanted))
    if not cells and not closed:
        return GridLoadedOut(changed=False, plan=None, report=report)
    plan = PlanIn(community_code=community, effective_on=day, reason=body.reason, cells=cells, closed=closed)
    return GridLoadedOut(changed=True, plan=await _take(tx, coordinator, plan, today), report=report)


async def _take(tx: Transaction, coordinator: Caller, body: PlanIn, today: date) -> PlanOut:
    waiting = await queries.scheduled(tx.conn, tx.county, body.community_code)
    if waiting and _same(waiting, body):
        return waiting
    plan_id = uuid7()
    await service.add(tx, plan_id, body)
    if body.effective_on > today:
        return await service.schedule(tx, coordinator, plan_id)
    return await apply(tx, coordinator, plan_id)


def _same(waiting: PlanOut, body: PlanIn) -> bool:
    of = (waiting.effective_on, waiting.cells, waiting.closed)
    return of == (body.effective_on, body.cells, body.closed)


def _cells(body: GridIn) -> list[CellShape]:
    return [
        CellShape(**one.properties.model_dump(), geometry=_in_wgs84(one.geometry, body.crs_name))
        for one in body.features
    ]


def _in_wgs84(geometry: dict[str, object], crs: Crs) -> dict[str, object]:
    """Return GeoJSON as it is stored; what cannot be read stays as it came, and is found by the check."""
    try:
        return boundaries.read_in(geometry, crs).geojson
    except Refusal:
        return geometry
