"""SQL of batches, their report, and the mappings that are remembered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core.paging import PageParams
from backend.imports import ids
from shared.imports import BUSY, ImportOut, ImportState, IssueOut
from shared.types import community_of

_BATCH = (
    "id, area_code, file_name, sheet, made_by, known, state, done, total, columns, counts, problem, rev, received_at,"
    " finished_at"
)


def _out(row: asyncpg.Record) -> ImportOut:
    return ImportOut.model_validate(
        {**row, "columns": orjson.loads(row["columns"]), "counts": orjson.loads(row["counts"])}
    )


async def add(
    conn: asyncpg.Connection, county: str, batch: UUID, area: str, account: UUID, made_by: str, file_name: str,
    crs: str, now: datetime, sheet: str = "",
) -> None:  # fmt: skip
    await conn.execute(
        "INSERT INTO import_batch (county_code, id, area_code, rev, received_at, account_id, made_by, file_name, sheet,"
        " fingerprint, columns, crs, state, slices, done, counts, problem, stopping)"
        " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $9, '', '[]', $8, 'received', 0, 0, '{}', '', false)",
        county, batch, area, now, account, made_by, file_name, crs, sheet,
    )  # fmt: skip


async def batch(conn: asyncpg.Connection, county: str, batch_id: UUID) -> ImportOut | None:
    row = await conn.fetchrow(f"SELECT {_BATCH} FROM import_batch WHERE county_code = $1 AND id = $2", county, batch_id)
    return _out(row) if row else None


async def page(conn: asyncpg.Connection, county: str, paging: PageParams) -> list[ImportOut]:
    """Return one batch more than a page, newest first."""
    after = "AND (received_at, id) < ($3, $4)" if paging.after else ""
    rows = await conn.fetch(
        f"SELECT {_BATCH} FROM import_batch WHERE county_code = $1 {after} ORDER BY received_at DESC, id DESC LIMIT $2",
        county, paging.limit + 1, *(paging.after or ()),
    )  # fmt: skip
    return [_out(row) for row in rows]


async def work(conn: asyncpg.Connection, county: str, batch_id: UUID) -> asyncpg.Record | None:
    """Return what the worker needs of a batch."""
    return await conn.fetchrow("SELECT * FROM import_batch WHERE county_code = $1 AND id = $2", county, batch_id)


async def waiting(conn: asyncpg.Connection, county: str) -> list[UUID]:
    """Return batches with something to do, those that were interrupted too, oldest first."""
    rows = await conn.fetch(
        "SELECT id FROM import_batch WHERE county_code = $1 AND state = ANY ($2::text[]) ORDER BY received_at",
        county, sorted(BUSY),
    )  # fmt: skip
    return [row["id"] for row in rows]


async def change(conn: asyncpg.Connection, county: str, batch_id: UUID, **fields: Any) -> None:
    names = ", ".join(f"{name} = ${at}" for at, name in enumerate(fields, 3))
    await conn.execute(
        f"UPDATE import_batch SET rev = rev + 1, {names} WHERE county_code = $1 AND id = $2",
        county, batch_id, *(_stored(value) for value in fields.values()),
    )  # fmt: skip


async def fail(conn: asyncpg.Connection, county: str, batch_id: UUID, why: str, now: datetime) -> None:
    """End a batch with a word of what went wrong."""
    await change(conn, county, batch_id, state=ImportState.failed.value, problem=why, finished_at=now, stopping=False)


def _stored(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value


async def step(
    conn: asyncpg.Connection, county: str, batch_id: UUID, from_states: Sequence[ImportState], to: ImportState
) -> bool:
    """Take a batch from one of these states to another; False when it is in none of them."""
    tag = await conn.execute(
        "UPDATE import_batch SET state = $4, rev = rev + 1, stopping = false, slices = 0, done = 0, problem = '',"
        " finished_at = NULL WHERE county_code = $1 AND id = $2 AND state = ANY ($3::text[])",
        county, batch_id, list(from_states), to,
    )  # fmt: skip
    return bool(tag == "UPDATE 1")


async def claim_slice(conn: asyncpg.Connection, county: str, batch_id: UUID, number: int) -> dict[str, int]:
    """Have the next slice to oneself until the commit, and return the counts so far.

    The row itself is not locked meanwhile: somebody may want to cancel.
    """
    alone = await conn.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended('import ' || $1, 0))", str(batch_id))
    row = await work(conn, county, batch_id)
    if not alone or row is None or row["slices"] != number:
        raise SettledElsewhere
    found: dict[str, int] = orjson.loads(row["counts"])
    return found


class SettledElsewhere(Exception):
    """Another process is at this batch."""


async def is_stopping(conn: asyncpg.Connection, county: str, batch_id: UUID) -> bool:
    found: bool = await conn.fetchval(
        "SELECT stopping FROM import_batch WHERE county_code = $1 AND id = $2", county, batch_id
    )
    return found


async def give_up(conn: asyncpg.Connection, county: str, now: datetime, before: datetime) -> list[UUID]:
    """Cancel what was checked before that moment and not stored; return every batch that ended before it."""
    await conn.execute(
        "UPDATE import_batch SET state = 'cancelled', finished_at = $3, rev = rev + 1"
        " WHERE county_code = $1 AND state = 'checked' AND received_at < $2",
        county, before, now,
    )  # fmt: skip
    rows = await conn.fetch(
        "SELECT id FROM import_batch WHERE county_code = $1 AND received_at < $2"
        " AND state IN ('cancelled', 'failed', 'stored', 'undone')",
        county, before,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def clear_issues(conn: asyncpg.Connection, county: str, batch_id: UUID) -> None:
    """Remove the report, but for what says how people were whom the batch has changed."""
    low, high = ids.range_of(batch_id, ids.Kind.issue)
    await conn.execute(
        "DELETE FROM import_issue WHERE county_code = $1 AND id BETWEEN $2 AND $3 AND former IS NULL", county, low, high
    )


async def add_issues(
    conn: asyncpg.Connection, county: str, batch_id: UUID, area: str, columns: Sequence[Sequence[Any]]
) -> None:
    """Add issues given by column: row, place in the row, grade, header, words, value."""
    await conn.execute(_ISSUES, county, area, ids.prefix_of(batch_id) + ids.Kind.issue, *columns)


async def issues(
    conn: asyncpg.Connection, county: str, batch_id: UUID, grade: str | None, after: UUID | None, limit: int
) -> list[tuple[UUID, IssueOut]]:
    """Return one issue more than a page, in the order of rows, each with its id."""
    low, high = ids.range_of(batch_id, ids.Kind.issue)
    rows = await conn.fetch(_REPORT, county, after or low, high, grade, limit + 1)
    return [(row["id"], IssueOut.model_validate(dict(row))) for row in rows]


async def remembered(conn: asyncpg.Connection, county: str, area: str, fingerprint: str) -> list[str | None] | None:
    """Return what somebody said of such a sheet for this area, else for the community that it lies in."""
    found = await conn.fetchval(
        "SELECT columns FROM import_mapping WHERE county_code = $1 AND area_code = ANY ($2::text[])"
        " AND fingerprint = $3 ORDER BY length(area_code) DESC LIMIT 1",
        county, [area, community_of(area)], fingerprint,
    )  # fmt: skip
    return orjson.loads(found) if found else None


async def remember(
    conn: asyncpg.Connection, county: str, row_id: UUID, area: str, fingerprint: str,
    columns: Sequence[str | None], account: UUID, now: datetime,
) -> None:  # fmt: skip
    await conn.execute(
        "INSERT INTO import_mapping (county_code, id, area_code, fingerprint, columns, account_id, at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (county_code, area_code, fingerprint)"
        " DO UPDATE SET columns = $5, account_id = $6, at = $7",
        county, row_id, area, fingerprint, orjson.dumps(columns).decode(), account, now,
    )  # fmt: skip


async def buildings(conn: asyncpg.Connection, county: str) -> list[tuple[str, str, str]]:
    """Return (compound, building, area) of the buildings that stand in one cell."""
    rows = await conn.fetch(
        "SELECT compound, building, min(area_code) AS area FROM dwelling WHERE county_code = $1 AND compound <> ''"
        " AND length(area_code) = 15 GROUP BY 1, 2 HAVING min(area_code) = max(area_code)",
        county,
    )  # fmt: skip
    return [tuple(row) for row in rows]


async def register_empty(conn: asyncpg.Connection, county: str, batch_id: UUID) -> bool:
    """Say whether everybody on the register whom the caller sees came with this batch."""
    low, high = ids.range_of(batch_id, ids.Kind.resident)
    found: bool = await conn.fetchval(
        "SELECT NOT EXISTS (SELECT FROM resident WHERE county_code = $1 AND (id < $2 OR id > $3))", county, low, high
    )
    return found


_ISSUES = """
INSERT INTO import_issue (county_code, area_code, id, row_no, grade, header, words, value)
SELECT $1, $2, ($3 || lpad(to_hex(row), 9, '0') || lpad(to_hex(place), 5, '0'))::uuid, row, grade, header, words, value
FROM unnest($4::bigint[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[])
  AS i(row, place, grade, header, words, value)
"""

_REPORT = """
SELECT id, row_no AS row, grade, header AS column, words, value FROM import_issue
WHERE county_code = $1 AND id > $2 AND id <= $3 AND ($4::text IS NULL OR grade = $4) ORDER BY id LIMIT $5
"""
