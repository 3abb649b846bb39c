"""SQL of requests."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from backend.core.words import THE_SYSTEM
from backend.residents.folding import HOMES_OF
from shared.requests import CATEGORIES, RequestEventOut, RequestOut
from shared.types import uuid7

COLUMNS = (
    "id, number, area_code, happened_in, kind, category, detail, household_id, resident_id, lon, lat, place_note,"
    " starts_at, ends_at, minutes, urgency, state, owner_name, handler_name, volunteer_id,"
    " visit_id, photo_count, rev, received_at"
)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A request about to be stored: all that is known of it but its number."""

    id: UUID
    area_code: str
    kind: str
    category: str
    detail: str
    household_id: UUID | None
    resident_id: UUID | None
    lon: float | None
    lat: float | None
    place_note: str
    starts_at: datetime | None
    ends_at: datetime | None
    minutes: int
    urgency: str
    language: str | None
    contact_phone: str | None
    owner_id: UUID | None
    owner_name: str
    received_at: datetime
    visit_id: UUID | None = None
    photo_count: int = 0


@dataclass(frozen=True, slots=True)
class Stepped:
    """A request that has just taken a step."""

    id: UUID
    area_code: str
    kind: str
    from_state: str
    to_state: str
    volunteer_id: UUID | None
    """Who had said yes before the step."""


def out(row: asyncpg.Record) -> RequestOut:
    return RequestOut.model_validate({**row, "title": CATEGORIES[row["category"]].title})


async def take_sequences(
    conn: asyncpg.Connection, county: str, shorts: Sequence[str], days: Sequence[date]
) -> list[int]:
    """Return the next sequence for each (short code, day), in order.

    Communities of two towns may share their three digits; they then share the counter, and numbers stay unique.
    """
    rows = await conn.fetch(_TAKE, county, list(shorts), list(days))
    return [row["sequence"] for row in rows]


async def add(
    conn: asyncpg.Connection, county: str, account: UUID, rows: Sequence[Fresh], numbers: Sequence[str]
) -> list[RequestOut]:
    """Store requests as open, each with its first event."""
    columns = [list(column) for column in zip(*map(astuple, rows), strict=True)]
    stored = await conn.fetch(_ADD, county, account, list(numbers), [uuid7() for _ in rows], *columns)
    return [out(row) for row in stored]


async def door(conn: asyncpg.Connection, county: str, household: UUID, resident: UUID | None) -> asyncpg.Record | None:
    """Return where a household lives, and the resident's household if the resident is known."""
    return await conn.fetchrow(
        """
        SELECT h.area_code, d.lon, d.lat, r.household_id AS of_resident
        FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
        LEFT JOIN resident r ON r.county_code = h.county_code AND r.id = $3
        WHERE h.county_code = $1 AND h.id = $2
        """,
        county, household, resident,
    )  # fmt: skip


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, RequestOut]:
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM request WHERE county_code = $1 AND id = ANY($2::uuid[])", county, list(ids)
    )
    return {row["id"]: out(row) for row in rows}


async def open_of_household(conn: asyncpg.Connection, county: str, household: UUID, category: str) -> UUID | None:
    """Return the request of this category that is still to be done, of the household or one folded into it."""
    found: UUID | None = await conn.fetchval(
        f"SELECT id FROM request WHERE county_code = $1 AND household_id = ANY ({HOMES_OF.format(id='$2')})"
        " AND category = $3"
        " AND state IN ('open', 'taken', 'serving', 'handling') ORDER BY received_at, id LIMIT 1",
        county, household, category,
    )  # fmt: skip
    return found


async def own_report(conn: asyncpg.Connection, county: str, request: UUID, reporter: UUID) -> RequestOut | None:
    """Return a request that this account was the first to be asked for."""
    row = await conn.fetchrow(
        f"SELECT {COLUMNS} FROM request WHERE county_code = $1 AND id = $2 AND owner_id = $3", county, request, reporter
    )
    return out(row) if row else None


async def page_of_area(
    conn: asyncpg.Connection, county: str, area: str, page: PageParams, filters: dict[str, Any]
) -> list[RequestOut]:
    """Return one row more than a page, newest first."""
    arguments: list[Any] = [county, area, page.limit + 1]
    where = ""
    for column, value in filters.items():
        arguments.append(value)
        wanted = f"${len(arguments)}"
        if column == "household_id":  # what was folded into a household is asked for with it
            wanted = f"ANY ({HOMES_OF.format(id=wanted)})"
        where += f" AND {column} = {wanted}"
    if page.after:
        where += f" AND (received_at, id) < (${len(arguments) + 1}, ${len(arguments) + 2})"
        arguments += page.after
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM request WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'{where}"
        " ORDER BY received_at DESC, id DESC LIMIT $3",
        *arguments,
    )
    return [out(row) for row in rows]


async def events(conn: asyncpg.Connection, county: str, request: UUID) -> list[RequestEventOut]:
    rows = await conn.fetch(
        f"""
        SELECT e.id, e.at, nullif(e.from_state, 'new') AS from_state, e.to_state, e.reason,
               coalesce(a.display_name, {THE_SYSTEM}) AS by
        FROM request_event e LEFT JOIN account a ON a.county_code = e.county_code AND a.id = e.account_id
        WHERE e.county_code = $1 AND e.request_id = $2 ORDER BY e.at, e.id
        """,
        county, request,
    )  # fmt: skip
    return [RequestEventOut.model_validate(dict(row)) for row in rows]


async def step(
    conn: asyncpg.Connection, county: str, request: UUID, *, by: UUID, at: datetime, from_state: str, to_state: str,
    reason: str = "", rev: int | None = None, volunteer: UUID | None = None, handler: str | None = None,
) -> Stepped | None:  # fmt: skip
    """Take a step if the request still stands where the caller thinks; None when it does not.

    One statement decides: of several who try, the first to lock the row wins and the others find it moved on.
    """
    row = await conn.fetchrow(
        _STEP, county, request, from_state, to_state, volunteer, handler, by, uuid7(), at, reason, rev
    )
    return Stepped(**row) if row else None


async def lock_open_help(
    conn: asyncpg.Connection, county: str, areas: Sequence[str], people: Sequence[UUID], homes: Sequence[UUID]
) -> list[asyncpg.Record]:
    """Lock help that is not over yet: of these people, or of those of these households in which nobody is left."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT id, state FROM request
        WHERE county_code = $1 AND area_code = ANY ($2::text[]) AND kind = 'help'
          AND state IN ('open', 'taken', 'serving', 'handling')
          AND (resident_id = ANY ($3::uuid[]) OR resident_id IS NULL AND household_id = ANY (ARRAY(
                SELECT id FROM household WHERE county_code = $1 AND id = ANY ($4::uuid[]) AND size = 0)))
        ORDER BY id FOR UPDATE
        """,
        county, list(areas), list(people), list(homes),
    )  # fmt: skip
    return rows


async def relocate(
    conn: asyncpg.Connection, county: str, resident: UUID, area: str, new_area: str, household: UUID
) -> list[asyncpg.Record]:
    """Move a person's requests that are not over to another household and its area; return where they stand."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        UPDATE request r SET area_code = $4, household_id = $5, lon = d.lon, lat = d.lat, rev = r.rev + 1
        FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
        WHERE r.county_code = $1 AND r.resident_id = $2 AND r.area_code = $3
          AND r.state NOT IN ('closed', 'cancelled', 'rejected') AND h.county_code = $1 AND h.id = $5
        RETURNING r.id, r.area_code, r.kind, r.state, r.volunteer_id
        """,
        county, resident, area, new_area, household,
    )  # fmt: skip
    return rows


_TAKE = """
WITH want AS (
    SELECT * FROM unnest($2::text[], $3::date[]) WITH ORDINALITY AS w(short, day, place)
), taken AS (
    INSERT INTO request_counter AS c (county_code, area_code, day, last)
    SELECT $1, $1 || short, day, count(*) FROM want GROUP BY short, day ORDER BY short, day
    ON CONFLICT (county_code, area_code, day) DO UPDATE SET last = c.last + excluded.last
    RETURNING area_code, day, last
)
SELECT t.last - count(*) OVER whole + row_number() OVER (PARTITION BY w.short, w.day ORDER BY w.place) AS sequence
FROM want w JOIN taken t ON t.area_code = $1 || w.short AND t.day = w.day
WINDOW whole AS (PARTITION BY w.short, w.day)
ORDER BY w.place
"""

_ADD = f"""
WITH fresh AS (
    SELECT * FROM unnest($3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::uuid[], $11::uuid[], $12::float8[], $13::float8[], $14::text[], $15::timestamptz[], $16::timestamptz[],
        $17::int[], $18::text[], $19::text[], $20::text[], $21::uuid[], $22::text[], $23::timestamptz[], $24::uuid[],
        $25::int[])
      AS f(number, event_id, id, area_code, kind, category, detail, household_id, resident_id, lon, lat, place_note,
           starts_at, ends_at, minutes, urgency, language, contact_phone, owner_id, owner_name, received_at, visit_id,
           photo_count)
), stored AS (
    INSERT INTO request (county_code, rev, prev_state, state, id, number, area_code, happened_in, kind, category,
        detail, household_id, resident_id, lon, lat, place_note, starts_at, ends_at, minutes, urgency, language,
        contact_phone, owner_id, owner_name, handler_id, handler_name, received_at, visit_id, photo_count)
    SELECT $1, 1, 'new', 'open', id, number, area_code, area_code, kind, category, detail, household_id, resident_id,
           lon, lat, place_note, starts_at, ends_at, minutes, urgency, language, contact_phone, owner_id, owner_name,
           owner_id, owner_name, received_at, visit_id, photo_count
    FROM fresh
    RETURNING {COLUMNS}
), begun AS (
    INSERT INTO request_event (county_code, id, area_code, request_id, at, account_id, from_state, to_state, reason)
    SELECT $1, event_id, area_code, id, received_at, $2, 'new', 'open', '' FROM fresh
)
SELECT * FROM stored
"""

_STEP = """
WITH before AS (
    SELECT id, volunteer_id FROM request
    WHERE county_code = $1 AND id = $2 AND state = $3 AND ($11::int IS NULL OR rev = $11) FOR NO KEY UPDATE
), moved AS (
    UPDATE request r SET prev_state = r.state, state = $4, rev = r.rev + 1,
        volunteer_id = CASE $4 WHEN 'open' THEN NULL WHEN 'taken' THEN $5 ELSE r.volunteer_id END,
        handler_id = CASE WHEN $6::text IS NULL THEN r.handler_id ELSE $7 END,
        handler_name = coalesce($6, r.handler_name)
    FROM before WHERE r.county_code = $1 AND r.id = before.id AND r.state = $3
    RETURNING r.id, r.area_code, r.kind, $3 AS from_state, r.state AS to_state, before.volunteer_id
), noted AS (
    INSERT INTO request_event (county_code, id, area_code, request_id, at, account_id, from_state, to_state, reason)
    SELECT $1, $8, area_code, id, $9, $7, from_state, to_state, $10 FROM moved
)
SELECT * FROM moved
"""
