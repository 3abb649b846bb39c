"""One tick: end what has run out, see who is needed, ask them. The county's clock is the server's."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import shapely

from backend.core.clock import COUNTY_ZONE
from backend.core.transaction import Transaction
from backend.grid import queries as grid
from backend.grid.geo import distance_m
from backend.matching import rules
from backend.matching import tick_queries as queries
from backend.matching.cards import Neighbourhood
from backend.matching.plan import Need, Pairing, Person, pair, time_to_answer, with_history
from backend.matching.service import tell_offers
from backend.matching.tick_queries import NewOffer
from shared.requests import CATEGORIES, Urgency
from shared.types import community_of, uuid7
from shared.volunteers import Language

NEAREST_SHOWN_M = 100
"""Distances are shown in steps of this: a finer one would tell more than the circle does."""


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick did. `unasked`: open requests that nobody is being asked for at this moment."""

    open: int
    expired: int
    made: int
    unasked: int


async def tick(tx: Transaction, budget_ms: float = 200) -> TickReport:
    """Run one tick over the county, as the county itself. A second run at the same moment makes nothing more."""
    rows = await queries.lock_open_help(tx.conn, tx.county)
    expired = await queries.expire(tx.conn, tx.county, [row["id"] for row in rows], tx.now)
    tell_offers(tx, expired)
    needs = [_need(row) for row in await _placed(tx, rows)]
    needs = [n for n in needs if rules.may_be_offered(n.urgency, n.starts_at, tx.now)]
    pairings: list[Pairing] = []
    if needs:
        people = [_person(tx, row) for row in await queries.people(tx.conn, tx.county, tx.now)]
        needs = await _with_history(tx, needs, people)
        if all(need.urgency is not Urgency.danger for need in needs):
            people = [person for person in people if not person.quiet]
        # In a thread: other requests are answered while the engine counts.
        pairings = await asyncio.to_thread(pair, needs, people, tx.now, budget_ms)
    made = await _offer(tx, pairings) if pairings else 0
    asked = sum(1 for need in needs if need.open_odds)
    return TickReport(open=len(rows), expired=len(expired), made=made, unasked=len(rows) - asked)


async def _placed(tx: Transaction, rows: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    """Give help for a door whose position is not known yet a point inside its cell; what has no cell either is left."""
    found = [dict(row) for row in rows]
    lost = sorted({row["area_code"] for row in found if row["lon"] is None})
    points = await _points_of(tx, lost) if lost else {}
    for row in found:
        if row["lon"] is None:
            row["lon"], row["lat"] = points.get(row["area_code"], (None, None))
    return [row for row in found if row["lon"] is not None]


async def _points_of(tx: Transaction, cells: Sequence[str]) -> dict[str, tuple[float, float]]:
    known = [cell for code in cells for cell in await grid.basic_cells(tx.conn, tx.county, code)]
    shapes = [shapely.from_geojson(geojson).representative_point() for _code, _name, geojson in known]
    return {code: (point.x, point.y) for (code, _name, _shape), point in zip(known, shapes, strict=True)}


def _person(tx: Transaction, row: asyncpg.Record) -> Person:
    values = dict(row)
    quiet = rules.is_quiet(tx.now, COUNTY_ZONE, values.pop("quiet_from"), values.pop("quiet_until"))
    return Person(**values, quiet=quiet)


def _need(row: dict[str, Any]) -> Need:
    language = row["language"]
    return Need(**{**row, "urgency": Urgency(row["urgency"]), "language": Language(language) if language else None})


async def _with_history(tx: Transaction, needs: Sequence[Need], people: Sequence[Person]) -> list[Need]:
    odds = {person.id: person.odds for person in people}
    asked: dict[UUID, set[UUID]] = defaultdict(set)
    waiting: dict[UUID, list[float]] = defaultdict(list)
    for row in await queries.asked_before(tx.conn, tx.county, [need.id for need in needs], tx.now):
        asked[row["request_id"]].add(row["volunteer_id"])
        if row["waiting"]:
            waiting[row["request_id"]].append(odds.get(row["volunteer_id"], 0.0))
    households = [need.household_id for need in needs if need.household_id]
    before = await queries.helped_before(tx.conn, tx.county, households)
    return [
        with_history(n, asked[n.id], waiting[n.id], before.get(n.household_id) if n.household_id else None)
        for n in needs
    ]


async def _offer(tx: Transaction, pairings: Sequence[Pairing]) -> int:
    communities = sorted({community_of(one.need.area_code) for one in pairings})
    rows = await queries.doors(tx.conn, tx.county, communities)
    places = {row["code"]: Neighbourhood(row["name"], [(lon, lat) for lon, lat in row["doors"]]) for row in rows}
    done = await queries.times_done(tx.conn, tx.county, [one.person.id for one in pairings])
    offers = [
        _new_offer(tx, one, places[community_of(one.need.area_code)], done.get((one.person.id, one.need.category), 0))
        for one in pairings
    ]
    made = await queries.add_offers(tx.conn, tx.county, tx.now, offers)
    tell_offers(tx, made)
    return len(made)


def _new_offer(tx: Transaction, one: Pairing, place: Neighbourhood, times_done: int) -> NewOffer:
    need = one.need
    expires = tx.now + time_to_answer(need.urgency)
    if need.starts_at and need.starts_at > tx.now:
        expires = min(expires, need.starts_at)
    return NewOffer(
        id=uuid7(), area_code=need.area_code, request_id=need.id, volunteer_id=one.person.id, expires_at=expires,
        score=one.score, contributions=json.dumps(one.contributions), card=json.dumps(_card(one, place, times_done)),
    )  # fmt: skip


def _card(one: Pairing, place: Neighbourhood, times_done: int) -> dict[str, object]:
    """What the volunteer sees before saying yes. Distances are to the circle, so that several together tell nothing."""
    need, person = one.need, one.person
    circle = place.around(need.lon, need.lat)
    away = distance_m(person.lon, person.lat, circle.lon, circle.lat)
    because = rules.reasons(
        need.category, need.starts_at, need.language, distance_m=away, times_done=times_done,
        knows_person=need.prior == person.id, zone=COUNTY_ZONE,
    )  # fmt: skip
    return {
        "category": need.category,
        "title": CATEGORIES[need.category].title,
        "hint": CATEGORIES[need.category].hint,
        "starts_at": need.starts_at.isoformat() if need.starts_at else None,
        "ends_at": need.ends_at.isoformat() if need.ends_at else None,
        "minutes": need.minutes,
        "urgency": need.urgency,
        "place_label": place.label(circle),
        "coarse_lon": circle.lon,
        "coarse_lat": circle.lat,
        "coarse_radius_m": circle.radius_m,
        "distance_m": max(1, round(away / NEAREST_SHOWN_M)) * NEAREST_SHOWN_M,
        "reasons": [reason.model_dump() for reason in because],
    }
