"""Recording visits, one or five hundred at a time by the same code, and reading them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core import operations
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import PageParams
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import locate
from backend.grid.geo import distance_m, to_wgs84
from backend.visits import due_days, follow_ups, queries, rules
from backend.visits.queries import EVERY, Filter
from shared import visiting
from shared.errors import Code
from shared.residents import Care
from shared.sync import EntityKind
from shared.visits import VisitIn

KIND = "visit.record"


@dataclass(frozen=True, slots=True)
class Draft:
    """A visit to be recorded."""

    id: UUID
    body: VisitIn


async def record(tx: Transaction, keys: Keys, worker: Caller, visit_id: UUID, body: VisitIn) -> asyncpg.Record:
    """Record one visit; sending the same again answers with what is stored."""
    content = fingerprint(keys, visit_id, body)
    # A repeat is rare and collides with what it repeats: only then, at the second attempt, is the ledger asked.
    if tx.attempt > 1 and await already_recorded(tx, visit_id, content):
        return await _own(tx, worker, visit_id)
    stored, refused = await record_many(tx, worker, [Draft(visit_id, body)])
    if refused:
        if await already_recorded(tx, visit_id, content):
            return await _own(tx, worker, visit_id)
        raise refused[visit_id]
    tx.settled(operations.applied(operations.of_put(KIND, visit_id), KIND, visit_id, content))
    return stored[0]


def fingerprint(keys: Keys, visit_id: UUID, body: VisitIn) -> bytes:
    return operations.fingerprint(keys.ledger, KIND, visit_id, body)


async def already_recorded(tx: Transaction, visit_id: UUID, content: bytes) -> bool:
    """Say whether this very visit was recorded, by whatever way; the same id with other content is refused."""
    known = (await operations.remembered_entities(tx, [visit_id])).get(visit_id)
    if known is None:
        return False
    if known.content_hmac != content:
        raise Refusal(Code.id_taken)
    return True


async def record_many(
    tx: Transaction, worker: Caller, drafts: Sequence[Draft]
) -> tuple[list[asyncpg.Record], dict[UUID, Refusal]]:
    """Record visits set-based. A refused one is returned with its reason and never stops its neighbours.

    A visit is never refused for its place: its area is its household's cell, wherever the phone stood. Nor for a
    household that went to another cell while the phone was in the field: the scope is that of the day of the visit.
    """
    stored, refused = await _record(tx, worker, drafts)
    missing = [d for d in drafts if (no := refused.get(d.id)) and no.code is Code.household_not_here]
    late = await _of_households_gone(tx, worker, missing) if missing else []
    if late:
        async with beyond_scope(tx, "visits.handed_over", "account", worker.account_id, tx.county, visits=len(late)):
            more, still = await _record(tx, worker, late, here=False)
        stored, refused = stored + more, {id_: no for id_, no in refused.items() if id_ not in {d.id for d in late}}
        refused |= still
    return stored, refused


async def _of_households_gone(tx: Transaction, worker: Caller, drafts: Sequence[Draft]) -> list[Draft]:
    """Return the visits made before the phone could know that their household had left the worker's area."""
    wanted = {d.body.household_id for d in drafts}
    gone: dict[UUID, datetime] = {}
    for row in await queries.households_gone(tx.conn, tx.county, list(wanted), worker.scopes):
        if worker.may_write_in(row["area_code"]):
            gone[row["id"]] = max(row["at"], gone.get(row["id"], row["at"]))
    return [d for d in drafts if rules.was_mine(d.body.visited_at, gone.get(d.body.household_id))]


async def _record(
    tx: Transaction, worker: Caller, drafts: Sequence[Draft], *, here: bool = True
) -> tuple[list[asyncpg.Record], dict[UUID, Refusal]]:
    households = await queries.lock_households(tx.conn, tx.county, [d.body.household_id for d in drafts])
    residents = await _residents(tx, drafts)
    refused = {d.id: no for d in drafts if (no := _refusal(worker if here else None, d, households, residents))}
    accepted = [d for d in drafts if d.id not in refused]
    stored = await _store(tx, worker, accepted, households) if accepted else []
    if leading := [d for d in accepted if d.body.follow_ups or d.body.photos]:
        kept = (follow_ups.Kept(d.id, households[d.body.household_id]["area_code"], d.body) for d in leading)
        await follow_ups.keep(tx, worker, kept)
    return stored, refused


async def _residents(tx: Transaction, drafts: Sequence[Draft]) -> set[UUID]:
    wanted = {resident for d in drafts for resident in follow_ups.residents_of(d.body)}
    return await queries.known_residents(tx.conn, tx.county, list(wanted)) if wanted else set()


def _refusal(
    worker: Caller | None, draft: Draft, households: dict[UUID, asyncpg.Record], residents: set[UUID]
) -> Refusal | None:
    household = households.get(draft.body.household_id)
    if household is None:
        return Refusal(Code.household_not_here, pointer="/household_id")
    if worker and not worker.may_write_in(household["area_code"]):
        return Refusal(Code.area_not_allowed, pointer="/household_id")
    if draft.body.resident_id and draft.body.resident_id not in residents:
        return Refusal(Code.resident_not_here, pointer="/resident_id")
    if not residents.issuperset(follow_ups.residents_of(draft.body)):
        return Refusal(Code.resident_not_here, pointer="/follow_ups")
    return None


async def _store(
    tx: Transaction, worker: Caller, drafts: Sequence[Draft], households: dict[UUID, asyncpg.Record]
) -> list[asyncpg.Record]:
    places = [_place(d.body) for d in drafts]
    cells = await locate.cells_at(tx, [place for place in places if place], _grid_version(households))
    rows = [
        _row(worker, draft, households[draft.body.household_id], place, cells.get(place) if place else None)
        for draft, place in zip(drafts, places, strict=True)
    ]
    stored = await queries.add(tx.conn, tx.county, tx.now, rows, _standings(tx, drafts, households))
    for draft in drafts:
        area = households[draft.body.household_id]["area_code"]
        tx.changed(EntityKind.visit, draft.id, area)
        tx.changed(EntityKind.household, draft.body.household_id, area)
        tx.audit("visit.recorded", "visit", draft.id, area)
    return stored


def _grid_version(households: dict[UUID, asyncpg.Record]) -> UUID | None:
    version: UUID | None = next(iter(households.values()))["grid_version"]
    return version


def _place(body: VisitIn) -> tuple[float, float] | None:
    return to_wgs84(body.fix.lon, body.fix.lat, body.fix.crs) if body.fix else None


def _row(
    worker: Caller, draft: Draft, household: asyncpg.Record, place: tuple[float, float] | None, fix_cell: str | None
) -> dict[str, Any]:
    body, away = draft.body, None
    if place and household["lon"] is not None:
        away = distance_m(*place, household["lon"], household["lat"])
    return {
        "id": draft.id, "area_code": household["area_code"], "happened_in": _cell_then(body.visited_at, household),
        "household_id": body.household_id,
        "resident_id": body.resident_id, "worker_id": worker.account_id, "worker_name": worker.name,
        "mode": body.mode, "outcome": body.outcome, "findings": body.findings, "note": body.note,
        "visited_at": body.visited_at, "return_on": body.return_on,
        "lon": place[0] if place else None, "lat": place[1] if place else None,
        "accuracy_m": body.fix.accuracy_m if body.fix else None,
        "distance_m": None if away is None else min(round(away), 2**31 - 1),
        "fix_area_code": fix_cell, "evidence": visiting.evidence(body.fix, away),
        "photo_count": len(body.photos),
    }  # fmt: skip


def _cell_then(visited_at: datetime, household: asyncpg.Record) -> str:
    """Return the cell that a household lay in on the day of a visit: one made on a phone may come after the boundary
    has changed, and where it happened never does. Read with the household, so that it costs no statement."""
    cell: str = household["area_code"]
    if household["lay_in"] == "[]":
        return cell
    return rules.cell_on(county_day(visited_at), orjson.loads(household["lay_in"]), cell)


def _standings(
    tx: Transaction, drafts: Sequence[Draft], households: dict[UUID, asyncpg.Record]
) -> list[tuple[UUID, visiting.Standing]]:
    """Fold the visits into their households, oldest first. A clock that runs ahead cannot push a day past today."""
    today, days = county_day(tx.now), due_days.read(next(iter(households.values()))["due_days"])
    standings: dict[UUID, visiting.Standing] = {}
    for draft in sorted(drafts, key=lambda d: d.body.visited_at):
        body, row = draft.body, households[draft.body.household_id]
        before = standings.get(row["id"]) or visiting.Standing(
            row["last_visited_on"], row["last_seen_on"], row["tries_since_seen"], row["due_on"], row["due_reason"]
        )
        call = visiting.Call(min(county_day(body.visited_at), today), body.outcome, body.findings, body.return_on)
        standings[row["id"]] = visiting.after(before, call, [Care(c) for c in row["care"]], row["eldest_born"], days)
    return list(standings.items())


async def _own(tx: Transaction, worker: Caller, visit_id: UUID) -> asyncpg.Record:
    """Return a visit to whoever made it, even where its household has left their area since."""
    found = await queries.by_id(tx.conn, tx.county, visit_id)
    if found is None:
        async with beyond_scope(tx, "visit.read", "visit", visit_id, tx.county):
            found = await queries.by_id(tx.conn, tx.county, visit_id)
    if found is None or found["worker_id"] != worker.account_id:
        raise Refusal(Code.not_found)
    return found


async def get(tx: Transaction, visit_id: UUID) -> asyncpg.Record:
    found = await queries.by_id(tx.conn, tx.county, visit_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(
    tx: Transaction,
    caller: Caller,
    area_code: str | None,
    household_id: UUID | None,
    page: PageParams,
    only: Filter = EVERY,
) -> list[asyncpg.Record]:
    """List visits of a household or an area, newest received first, inside the caller's scope."""
    if household_id:
        return await queries.page_of_household(tx.conn, tx.county, household_id, page, only)
    if area_code and not rules.may_ask_for(caller.scopes, area_code):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    return await queries.page_of_area(tx.conn, tx.county, area_code or tx.county, page, only)
