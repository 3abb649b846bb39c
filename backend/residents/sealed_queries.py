"""SQL of sealed facts. Nothing here opens one."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from backend.core.words import THE_SYSTEM
from shared.sealed import SealedKind, SealedOnFile

STILL = date.max
"""The driver's word for 'infinity': the last day of what still holds."""

_OF_KIND = "county_code = $1 AND resident_id = $2 AND kind = $3"


class NewFact(NamedTuple):
    """A fact to be stored, sealed already."""

    id: UUID
    area_code: str
    resident_id: UUID
    kind: SealedKind
    sealed: bytes
    from_day: date
    until_day: date


async def lock_person(conn: asyncpg.Connection, county: str, resident_id: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT area_code, rev, data_key, merged_into FROM resident WHERE county_code = $1 AND id = $2 FOR UPDATE",
        county, resident_id,
    )  # fmt: skip


async def set_data_key(conn: asyncpg.Connection, county: str, resident_id: UUID, data_key: bytes) -> int:
    """Give the locked person a key and return their next revision."""
    rev: int = await conn.fetchval(
        "UPDATE resident SET data_key = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING rev",
        county, resident_id, data_key,
    )  # fmt: skip
    return rev


async def add(conn: asyncpg.Connection, county: str, fact: NewFact, noted_by: UUID, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO sealed_fact (county_code, id, area_code, resident_id, kind, sealed, from_day, until_day, noted_by,"
        " received_at, rev) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1)",
        county, *fact, noted_by, now,
    )  # fmt: skip


async def remove(conn: asyncpg.Connection, county: str, resident_id: UUID, kind: SealedKind, from_day: date) -> bool:
    """Remove the fact that begins on this day, and say whether there was one."""
    query = f"DELETE FROM sealed_fact WHERE {_OF_KIND} AND from_day = $4 RETURNING true"
    return bool(await conn.fetchval(query, county, resident_id, kind, from_day))


async def end_open(conn: asyncpg.Connection, county: str, resident_id: UUID, kind: SealedKind, on_day: date) -> None:
    """End the fact that still holds and began before this day."""
    await conn.execute(
        f"UPDATE sealed_fact SET until_day = $4, rev = rev + 1 WHERE {_OF_KIND} AND from_day < $4 AND until_day = $5",
        county, resident_id, kind, on_day, STILL,
    )  # fmt: skip


async def overlaps(
    conn: asyncpg.Connection, county: str, resident_id: UUID, kind: SealedKind, from_day: date, until_day: date
) -> bool:
    query = f"SELECT EXISTS (SELECT 1 FROM sealed_fact WHERE {_OF_KIND} AND from_day < $5 AND until_day > $4)"
    return bool(await conn.fetchval(query, county, resident_id, kind, from_day, until_day))


async def on_file(conn: asyncpg.Connection, county: str, people: Sequence[UUID]) -> list[SealedOnFile]:
    """Return what is on file for a person's rows, without what it says."""
    rows = await conn.fetch(
        "SELECT f.kind, f.from_day, nullif(f.until_day, DATE 'infinity') AS until_day, f.received_at AS noted_at,"
        f" coalesce(a.display_name, {THE_SYSTEM}) AS noted_by"
        " FROM sealed_fact f LEFT JOIN account a ON a.county_code = f.county_code AND a.id = f.noted_by"
        " WHERE f.county_code = $1 AND f.resident_id = ANY ($2::uuid[]) ORDER BY f.kind, f.from_day DESC",
        county, list(people),
    )  # fmt: skip
    return [SealedOnFile.model_validate(dict(row)) for row in rows]


async def facts(conn: asyncpg.Connection, county: str, resident_id: UUID, kind: SealedKind) -> list[asyncpg.Record]:
    """Return the facts of a kind as they are stored, newest first."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT f.id, f.sealed, f.from_day, f.until_day, f.received_at,"
        f" coalesce(a.display_name, {THE_SYSTEM}) AS noted_by"
        " FROM sealed_fact f LEFT JOIN account a ON a.county_code = f.county_code AND a.id = f.noted_by"
        " WHERE f.county_code = $1 AND f.resident_id = $2 AND f.kind = $3 ORDER BY f.from_day DESC",
        county, resident_id, kind,
    )  # fmt: skip
    return rows
