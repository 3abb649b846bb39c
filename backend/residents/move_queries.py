"""SQL of moves and of the counties whose documents are believed."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from shared.register import MoveOut, TrustedCountyOut

SETTLE_DAYS = 15
"""Days a worker has to look whether somebody has arrived."""

_MOVES = f"""
SELECT m.id, m.area_code, m.from_area_code, m.movers, m.out_on, m.words, m.state, m.settled_on, m.rev, m.received_at,
       m.state = 'expected' AND m.received_at < now() - interval '{SETTLE_DAYS} days' AS overdue
FROM move m WHERE m.county_code = $1
"""

_SIDES = "m.area_code >= $2 AND m.area_code < $2 || ':' OR m.from_area_code >= $2 AND m.from_area_code < $2 || ':'"


def _out(row: asyncpg.Record) -> MoveOut:
    return MoveOut.model_validate({**row, "movers": json.loads(row["movers"])})


async def add(conn: asyncpg.Connection, county: str, now: datetime, move: dict[str, Any]) -> None:
    await conn.execute(
        "INSERT INTO move (county_code, received_at, rev, settled_by, id, area_code, from_area_code, to_county_code,"
        " movers, out_on, words, note, state) VALUES ($1, $2, 1, '', $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        county, now, move["id"], move["area_code"], move["from_area_code"], move["to_county_code"],
        json.dumps(move["movers"]), move["out_on"], move["words"], move["note"], move["state"],
    )  # fmt: skip


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, MoveOut]:
    """Return the moves of these ids that the caller sees from either side."""
    rows = await conn.fetch(f"{_MOVES} AND m.id = ANY ($2::uuid[])", county, list(ids))
    return {row["id"]: _out(row) for row in rows}


async def lock(conn: asyncpg.Connection, county: str, move_id: UUID) -> dict[str, Any] | None:
    """Return a move with all that it knows of its people, locked."""
    row = await conn.fetchrow("SELECT * FROM move WHERE county_code = $1 AND id = $2 FOR UPDATE", county, move_id)
    return {**row, "movers": json.loads(row["movers"])} if row else None


async def whole(conn: asyncpg.Connection, county: str, move_id: UUID) -> dict[str, Any] | None:
    row = await conn.fetchrow("SELECT * FROM move WHERE county_code = $1 AND id = $2", county, move_id)
    return {**row, "movers": json.loads(row["movers"])} if row else None


async def page(
    conn: asyncpg.Connection, county: str, area: str, state: str | None, overdue: bool | None, page: PageParams
) -> list[MoveOut]:
    """Return one move more than a page, into an area or out of it."""
    arguments: list[Any] = [county, area, page.limit + 1]
    where = f" AND ({_SIDES})"
    if state:
        arguments.append(state)
        where += f" AND m.state = ${len(arguments)}"
    if page.after:
        where += f" AND (m.received_at, m.id) < (${len(arguments) + 1}, ${len(arguments) + 2})"
        arguments += page.after
    found = f"SELECT * FROM ({_MOVES} {where}) found" + ("" if overdue is None else f" WHERE overdue IS {overdue}")
    rows = await conn.fetch(f"{found} ORDER BY received_at DESC, id DESC LIMIT $3", *arguments)
    return [_out(row) for row in rows]


async def settle(
    conn: asyncpg.Connection, county: str, move_id: UUID, state: str, on: date, by: str, note: str
) -> None:
    await conn.execute(
        "UPDATE move SET state = $3, settled_on = $4, settled_by = $5, rev = rev + 1,"
        " note = CASE WHEN $6 = '' THEN note ELSE $6 END WHERE county_code = $1 AND id = $2",
        county, move_id, state, on, by, note,
    )  # fmt: skip


async def forward(conn: asyncpg.Connection, county: str, move_id: UUID, area: str) -> None:
    await conn.execute(
        "UPDATE move SET area_code = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2", county, move_id, area
    )


async def remove(conn: asyncpg.Connection, county: str, move_id: UUID) -> None:
    await conn.execute("DELETE FROM move WHERE county_code = $1 AND id = $2", county, move_id)


_TRUSTED = (
    "SELECT other_county_code AS county_code, public_key, entered_by, entered_at FROM trusted_county"
    " WHERE county_code = $1"
)


async def trusted(conn: asyncpg.Connection, county: str) -> list[TrustedCountyOut]:
    rows = await conn.fetch(f"{_TRUSTED} ORDER BY other_county_code", county)
    return [TrustedCountyOut.model_validate(dict(row)) for row in rows]


async def key_of(conn: asyncpg.Connection, county: str, other: str) -> str | None:
    key: str | None = await conn.fetchval(
        "SELECT public_key FROM trusted_county WHERE county_code = $1 AND other_county_code = $2", county, other
    )
    return key


async def trust(conn: asyncpg.Connection, county: str, other: str, key: str, by: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO trusted_county (county_code, other_county_code, public_key, entered_by, entered_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (county_code, other_county_code)"
        " DO UPDATE SET public_key = $3, entered_by = $4, entered_at = $5",
        county, other, key, by, now,
    )  # fmt: skip
