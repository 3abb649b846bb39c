"""Visits from before this system was used: stored in bulk, as if each had arrived when it was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backend.core.clock import county_day
from backend.core.transaction import Transaction
from backend.grid.geo import distance_m
from backend.visits import due_days, queries
from shared import visiting
from shared.residents import Care
from shared.sync import EntityKind
from shared.visits import Finding, Fix, VisitMode, VisitOutcome


@dataclass(frozen=True, slots=True)
class Past:
    """A visit of the past. A position needs an accuracy."""

    id: UUID
    area_code: str
    household_id: UUID
    resident_id: UUID | None
    worker_id: UUID
    worker_name: str
    mode: VisitMode
    outcome: VisitOutcome
    findings: Sequence[Finding]
    note: str
    visited_at: datetime
    return_on: date | None
    lon: float | None
    lat: float | None
    accuracy_m: float | None


async def load(tx: Transaction, past: Sequence[Past]) -> None:
    """Store visits of households that are there, and how these stand after them."""
    households = await queries.lock_households(tx.conn, tx.county, [p.household_id for p in past])
    await queries.add_past(tx.conn, tx.county, [_row(p, households[p.household_id]) for p in past])
    standings: dict[UUID, visiting.Standing] = {}
    for one in sorted(past, key=lambda p: p.visited_at):
        care = [Care(word) for word in households[one.household_id]["care"]]
        born = households[one.household_id]["eldest_born"]
        call = visiting.Call(county_day(one.visited_at), one.outcome, one.findings, one.return_on)
        days = due_days.read(households[one.household_id]["due_days"])
        standings[one.household_id] = visiting.after(
            standings.get(one.household_id, visiting.Standing()), call, care, born, days
        )
    await queries.set_standings(tx.conn, tx.county, standings.items())
    for one in past:
        tx.changed(EntityKind.visit, one.id, one.area_code)
        tx.changed(EntityKind.household, one.household_id, one.area_code)


def _row(one: Past, door: Any) -> tuple[Any, ...]:
    away = fix = None
    if one.lon is not None and one.lat is not None and one.accuracy_m is not None:
        fix = Fix(lon=one.lon, lat=one.lat, accuracy_m=one.accuracy_m)
        away = distance_m(one.lon, one.lat, door["lon"], door["lat"]) if door["lon"] is not None else None
    return (
        one.id, one.area_code, one.household_id, one.resident_id, one.worker_id, one.worker_name, one.mode,
        one.outcome, list(one.findings), one.note, one.visited_at, one.return_on, one.lon, one.lat, one.accuracy_m,
        None if away is None else round(away), visiting.evidence(fix, away),
    )  # fmt: skip
