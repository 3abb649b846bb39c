"""SQL of what waits for a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from shared.conflicts import ConflictChoice, ConflictState
from shared.sync import OperationKind

_COLUMNS = (
    "id, area_code, rev, received_at, kind, entity_id, op_id, device_id, device_seq, author_id, author_name, made_at,"
    " code, rescued, fields, theirs_name, theirs_at, data_key, sealed, state, choice, note, settled_by, settled_name,"
    " settled_at"
)
_ROWS = f"SELECT {_COLUMNS} FROM conflict WHERE county_code = $1"

_ABOUT = """
SELECT id, area_code, rev, merged_into, name AS subject FROM resident WHERE county_code = $1 AND id = ANY($2::uuid[])
UNION ALL
SELECT h.id, h.area_code, h.rev, NULL, concat_ws(' ', nullif(d.compound, ''), nullif(d.building, ''),
       nullif(d.unit, ''), nullif(d.room, ''))
FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
WHERE h.county_code = $1 AND h.id = ANY($2::uuid[])
UNION ALL
SELECT id, area_code, rev, NULL, '' FROM move WHERE county_code = $1 AND id = ANY($2::uuid[])
UNION ALL
SELECT id, area_code, rev, NULL, name FROM link WHERE county_code = $1 AND id = ANY($2::uuid[])
UNION ALL
SELECT id, area_code, rev, NULL, '' FROM request WHERE county_code = $1 AND id = ANY($2::uuid[])
"""


async def about(conn: asyncpg.Connection, county: str, ids: Sequence[str]) -> dict[UUID, asyncpg.Record]:
    """Return the rows that an operation is about, where they are now."""
    rows = await conn.fetch(_ABOUT, county, list(ids))
    return {row["id"]: row for row in rows}


async def left(conn: asyncpg.Connection, county: str, ids: Sequence[str], scopes: Sequence[str]) -> list[str]:
    """Return from which areas these rows have left these scopes, as the feed still knows it."""
    rows = await conn.fetch(
        "SELECT DISTINCT c.area_code FROM unnest($3::text[]) AS s(area) JOIN change c ON c.county_code = $1"
        " AND c.stream >= left(s.area, 12) AND c.stream < left(s.area, 12) || ':'"
        " AND c.kind IN ('household', 'resident', 'move', 'link', 'request') AND c.id = ANY($2::uuid[]) AND c.gone",
        county, list(ids), list(scopes),
    )  # fmt: skip
    return [row["area_code"] for row in rows]


async def edits_since(conn: asyncpg.Connection, county: str, entity_id: UUID, rev: int) -> list[asyncpg.Record]:
    """Return who changed which fields after a revision, the latest last."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT e.fields, e.device_id, e.device_seq, e.at, a.display_name AS name FROM edit e"
        " LEFT JOIN account a ON a.county_code = e.county_code AND a.id = e.account_id"
        " WHERE e.county_code = $1 AND e.entity_id = $2 AND e.rev > $3::bigint ORDER BY e.rev",
        county, entity_id, rev,
    )  # fmt: skip
    return rows


async def last_area(conn: asyncpg.Connection, county: str, account: UUID) -> str | None:
    """Return where an account worked last, also when it works nowhere any more."""
    found: str | None = await conn.fetchval(
        "SELECT area_code FROM role_grant WHERE county_code = $1 AND account_id = $2"
        " ORDER BY role = 'volunteer', until_day DESC, from_day DESC, length(area_code) DESC LIMIT 1",
        county, account,
    )  # fmt: skip
    return found


async def add(conn: asyncpg.Connection, county: str, now: datetime, row: Mapping[str, Any]) -> None:
    await conn.execute(
        "INSERT INTO conflict (county_code, rev, received_at, state, note, settled_name, id, area_code, kind,"
        " entity_id, op_id, device_id, device_seq, author_id, author_name, made_at, code, rescued, fields,"
        " theirs_name, theirs_at, data_key, sealed)"
        " VALUES ($1, 1, $2, 'open', '', '', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
        " $19)",
        county, now, *(row[name] for name in _ADDED),
    )  # fmt: skip


_ADDED = (
    "id", "area_code", "kind", "entity_id", "op_id", "device_id", "device_seq", "author_id", "author_name", "made_at",
    "code", "rescued", "fields", "theirs_name", "theirs_at", "data_key", "sealed",
)  # fmt: skip


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(f"{_ROWS} AND id = ANY($2::uuid[])", county, list(ids))
    return rows


async def page(
    conn: asyncpg.Connection, county: str, area: str, state: ConflictState | None, page: PageParams
) -> list[asyncpg.Record]:
    """Return one row more than a page of an area's items, newest first."""
    given = [*(page.after or ()), *([state] if state else [])]
    after = "AND (received_at, id) < ($4, $5)" if page.after else ""
    only = f"AND state = ${3 + len(given)}" if state else ""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"{_ROWS} AND area_code >= $2 AND area_code < $2 || ':' {after} {only}"
        " ORDER BY received_at DESC, id DESC LIMIT $3",
        county, area, page.limit + 1, *given,
    )  # fmt: skip
    return rows


async def lock(conn: asyncpg.Connection, county: str, item: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(f"{_ROWS} AND id = $2 FOR UPDATE", county, item)


async def passed_on_by(conn: asyncpg.Connection, county: str, item: UUID, account: UUID) -> asyncpg.Record | None:
    """Return an item that this account could not decide and gave to others."""
    return await conn.fetchrow(f"{_ROWS} AND id = $2 AND choice = 'unsure' AND settled_by = $3", county, item, account)


async def pass_on(conn: asyncpg.Connection, county: str, item: UUID, area: str, account: UUID, note: str) -> None:
    await conn.execute(
        "UPDATE conflict SET area_code = $3, choice = 'unsure', settled_by = $4, note = $5, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2",
        county, item, area, account, note,
    )  # fmt: skip


async def settle(
    conn: asyncpg.Connection, county: str, item: UUID, choice: ConflictChoice, note: str, by: tuple[UUID, str],
    now: datetime,
) -> int:  # fmt: skip
    rev: int = await conn.fetchval(
        "UPDATE conflict SET state = 'settled', choice = $3, note = $4, settled_by = $5, settled_name = $6,"
        " settled_at = $7, rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING rev",
        county, item, choice, note, *by, now,
    )  # fmt: skip
    return rev


async def forget(conn: asyncpg.Connection, county: str, before: datetime, limit: int) -> list[asyncpg.Record]:
    """Throw the keys and values of what was decided long ago away."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "UPDATE conflict SET data_key = NULL, sealed = NULL WHERE county_code = $1 AND id IN ("
        " SELECT id FROM conflict WHERE county_code = $1 AND settled_at < $2 AND data_key IS NOT NULL LIMIT $3)"
        " RETURNING id, area_code",
        county, before, limit,
    )  # fmt: skip
    return rows


_REVISED = {
    OperationKind.resident_edit: "resident",
    OperationKind.household_put: "household",
    OperationKind.move_settle: "move",
    OperationKind.link_put: "link",
    OperationKind.link_edit: "link",
    OperationKind.link_end: "link",
    OperationKind.request_step: "request",
}


async def present(conn: asyncpg.Connection, county: str, kind: OperationKind, entity_id: UUID) -> asyncpg.Record | None:
    """Return the revision and area of what an operation changes; nothing when it makes something new."""
    table = _REVISED.get(kind)
    if table is None:
        return None
    query = f"SELECT id, rev, area_code FROM {table} WHERE county_code = $1 AND id = $2"
    return await conn.fetchrow(query, county, entity_id)


async def kept_row(conn: asyncpg.Connection, county: str, resident_id: UUID) -> UUID:
    """Return the row that stands for a person, whose own may have been merged into another more than once."""
    found: UUID | None = await conn.fetchval(_KEPT, county, resident_id)
    return found or resident_id


_KEPT = """
WITH RECURSIVE step AS (
    SELECT id, merged_into FROM resident WHERE county_code = $1 AND id = $2
    UNION
    SELECT r.id, r.merged_into FROM resident r JOIN step ON r.id = step.merged_into WHERE r.county_code = $1
)
SELECT id FROM step WHERE merged_into IS NULL
"""
