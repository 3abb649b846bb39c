"""Rows of one person on a past day: who was merged since is counted once, on every day that any of their rows knows.

Of the rows that were on the register on a day one stands for the person: the one that was kept if it was there, else
the next that was merged into it. Which one that is may lie in another area than the reader's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

import asyncpg

from backend.core.clock import county_day
from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from shared.types import is_within


@dataclass(frozen=True, slots=True)
class Twins:
    """What an area must know of merged rows on a day."""

    left_out: Sequence[UUID] = ()
    """Rows for which another one stands."""
    kept: Mapping[UUID, UUID] = field(default_factory=dict)
    """Of a row that stands for a person, the one that was kept: whose name is today's."""


async def on_day(tx: Transaction, area: str, day: date) -> Twins:
    """Look for rows of an area on a day that are not all there is of a person."""
    sees_all = any(is_within(tx.county, scope) for scope in tx.caller.scopes)
    merged = await _merged(tx, area, day)
    # Of the past there may be periods whose person has moved out of sight since, and was merged there.
    if not sees_all and day < county_day(tx.now):
        merged += await _out_of_sight(tx, area, day)
    if not merged:
        return Twins()
    if sees_all:
        return _twins(await _standing(tx, merged, day))
    async with beyond_scope(tx, "residents.twins_read", "area", UUID(int=0), area, day=str(day)):
        return _twins(await _standing(tx, merged, day))


def _twins(rows: Sequence[asyncpg.Record]) -> Twins:
    return Twins(
        [row["id"] for row in rows if row["stands"] != row["id"]],
        {row["id"]: row["root"] for row in rows if row["stands"] == row["id"]},
    )


_ON_DAY = "p.county_code = $1 AND p.track = 'residency' AND p.from_day <= $3::date AND p.until_day > $3::date"
_HERE = f"{_ON_DAY} AND p.area_code >= $2 AND p.area_code < $2 || ':'"


async def _merged(tx: Transaction, area: str, day: date) -> list[UUID]:
    rows = await tx.conn.fetch(
        "SELECT m.id FROM resident m WHERE m.county_code = $1 AND m.merged_into IS NOT NULL"
        f" AND (SELECT p.id FROM period p WHERE p.resident_id = m.id AND {_HERE} LIMIT 1) IS NOT NULL",
        tx.county, area, day,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def _out_of_sight(tx: Transaction, area: str, day: date) -> list[UUID]:
    rows = await tx.conn.fetch(
        f"SELECT p.resident_id FROM period p WHERE {_HERE}"
        " AND (SELECT r.id FROM resident r WHERE r.county_code = $1 AND r.id = p.resident_id) IS NULL",
        tx.county, area, day,
    )  # fmt: skip
    return [row["resident_id"] for row in rows]


async def _standing(tx: Transaction, people: Sequence[UUID], day: date) -> list[asyncpg.Record]:
    """Return for each of these rows the one that was kept, and the one that stands for the person on a day."""
    rows: list[asyncpg.Record] = await tx.conn.fetch(_STANDING, tx.county, list(people), day)
    return rows


_STANDING = f"""
WITH RECURSIVE up AS (
    SELECT id AS asked, id, merged_into FROM resident WHERE county_code = $1 AND id = ANY ($2::uuid[])
    UNION ALL
    SELECT up.asked, r.id, r.merged_into FROM resident r JOIN up ON r.id = up.merged_into WHERE r.county_code = $1
), root AS (
    SELECT asked, id FROM up WHERE merged_into IS NULL AND asked <> id
), family AS (
    SELECT DISTINCT id AS root, id, 0 AS place FROM root
    UNION ALL
    SELECT f.root, r.id, f.place + 1 FROM resident r JOIN family f ON r.merged_into = f.id WHERE r.county_code = $1
), standing AS (
    SELECT DISTINCT ON (f.root) f.root, f.id FROM family f JOIN period p ON p.resident_id = f.id AND {_ON_DAY}
    ORDER BY f.root, f.place, f.id
)
SELECT root.asked AS id, root.id AS root, standing.id AS stands FROM root JOIN standing ON standing.root = root.id
"""
