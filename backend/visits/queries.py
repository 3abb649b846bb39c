"""SQL of visits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core.owed import document
from backend.core.paging import PageParams
from backend.residents.folding import HOMES_OF
from shared.visiting import Standing
from shared.visits import Finding, VisitOutcome

CELL_LENGTH = 15
COLUMNS = (
    "id, area_code, happened_in, household_id, resident_id, worker_id, worker_name, mode, outcome, findings, note,"
    " visited_at, return_on, lon, lat, accuracy_m, distance_m, fix_area_code, evidence,"
    " photo_count, received_at"
)


class Filter(NamedTuple):
    """What a list of visits is narrowed to; times are from the first moment to before the last."""

    outcome: VisitOutcome | None = None
    finding: Finding | None = None
    worker_id: UUID | None = None
    since: datetime | None = None
    before: datetime | None = None


EVERY = Filter()

_FILTERS = ("outcome = ${}", "findings @> ARRAY[${}::text]", "worker_id = ${}", "visited_at >= ${}", "visited_at < ${}")


async def lock_households(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    """Return the households that the caller sees, locked in the order of their ids."""
    rows = await conn.fetch(
        """
        SELECT h.id, h.area_code, h.care, h.last_visited_on, h.last_seen_on, h.tries_since_seen, h.due_on,
               h.due_reason, h.lay_in, d.lon, d.lat,
               CASE WHEN 'alone' = ANY (h.care) THEN (
                   SELECT min(birth_date) FROM resident r
                   WHERE r.county_code = $1 AND r.household_id = h.id AND r.left_on IS NULL
                     AND r.merged_into IS NULL
               ) END AS eldest_born,
               (SELECT version FROM grid_version g WHERE g.county_code = $1) AS grid_version,
               (SELECT days FROM due_days t WHERE t.county_code = $1) AS due_days
        FROM household h JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
        WHERE h.county_code = $1 AND h.id = ANY($2::uuid[]) ORDER BY h.id FOR UPDATE OF h
        """,
        county, sorted(set(ids)),
    )  # fmt: skip
    return {row["id"]: row for row in rows}


async def households_gone(
    conn: asyncpg.Connection, county: str, ids: Sequence[UUID], scopes: Sequence[str]
) -> list[asyncpg.Record]:
    """Return when and from where households have left these scopes, as the feed still knows it."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT c.id, c.area_code, c.at FROM unnest($3::text[]) AS s(area) JOIN change c ON c.county_code = $1"
        " AND c.stream >= left(s.area, 12) AND c.stream < left(s.area, 12) || ':' AND c.kind = 'household'"
        " AND c.id = ANY($2::uuid[]) AND c.gone",
        county, ids, list(scopes),
    )  # fmt: skip
    return rows


async def known_residents(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> set[UUID]:
    rows = await conn.fetch("SELECT id FROM resident WHERE county_code = $1 AND id = ANY($2::uuid[])", county, ids)
    return {row["id"] for row in rows}


async def add(
    conn: asyncpg.Connection, county: str, now: datetime, visits: Sequence[Mapping[str, Any]],
    standings: Sequence[tuple[UUID, Standing]],
) -> list[asyncpg.Record]:  # fmt: skip
    """Store visits and how their households stand after them, in one statement; return a single one as stored."""
    stood = [{"household": household, "standing": standing} for household, standing in standings]
    statement = _ADD if len(visits) == 1 else _ADD_MANY
    rows: list[asyncpg.Record] = await conn.fetch(statement, county, now, document(visits), document(stood))
    return rows


async def add_past(conn: asyncpg.Connection, county: str, visits: Sequence[Sequence[Any]]) -> None:
    """Store visits of the past; each counts as received when it was made."""
    await conn.executemany(_ADD_PAST, [(county, *visit) for visit in visits])


async def set_standings(conn: asyncpg.Connection, county: str, standings: Iterable[tuple[UUID, Standing]]) -> None:
    await conn.executemany(
        "UPDATE household SET last_visited_on = $3, last_seen_on = $4, tries_since_seen = $5, due_on = $6,"
        " due_reason = $7 WHERE county_code = $1 AND id = $2",
        [(county, household, *astuple(standing)) for household, standing in standings],
    )


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return visits as they lie: their columns bear the names and types of `VisitOut`."""
    rows = await conn.fetch(
        f"SELECT {COLUMNS} FROM visit WHERE county_code = $1 AND id = ANY($2::uuid[])", county, list(ids)
    )
    return {row["id"]: dict(row) for row in rows}


async def by_id(conn: asyncpg.Connection, county: str, visit_id: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(f"SELECT {COLUMNS} FROM visit WHERE county_code = $1 AND id = $2", county, visit_id)


async def page_of_area(
    conn: asyncpg.Connection, county: str, area: str, page: PageParams, only: Filter
) -> list[asyncpg.Record]:
    """Return one row more than a page of an area's visits, newest received first."""
    if len(area) == CELL_LENGTH:  # nothing lies below a cell, and an equal code has its page in the index's order
        return await _page(conn, "area_code = $2", county, area, page, only)
    return await _page(conn, "area_code >= $2 AND area_code < $2 || ':'", county, area, page, only)


async def page_of_household(
    conn: asyncpg.Connection, county: str, household: UUID, page: PageParams, only: Filter
) -> list[asyncpg.Record]:
    """The same of a household and those that were folded into it."""
    return await _page(conn, f"household_id = ANY ({HOMES_OF.format(id='$2')})", county, household, page, only)


async def _page(
    conn: asyncpg.Connection, where: str, county: str, value: Any, page: PageParams, only: Filter
) -> list[asyncpg.Record]:
    arguments = [county, value, page.limit + 1, *(page.after or ())]
    after = "AND (received_at, id) < ($4, $5)" if page.after else ""
    for wanted, clause in zip(only, _FILTERS, strict=True):
        if wanted is not None:
            arguments.append(wanted)
            after += f" AND {clause.format(len(arguments))}"
    rows: list[asyncpg.Record] = await conn.fetch(
        f"SELECT {COLUMNS} FROM visit WHERE county_code = $1 AND {where} {after}"
        " ORDER BY received_at DESC, id DESC LIMIT $3",
        *arguments,
    )
    return rows


async def end_due(conn: asyncpg.Connection, county: str, households: Sequence[UUID]) -> list[tuple[UUID, str]]:
    """Expect no visit to those of these households in which nobody is left."""
    rows = await conn.fetch(
        "UPDATE household SET due_on = NULL, due_reason = '', rev = rev + 1 WHERE county_code = $1"
        " AND id = ANY ($2::uuid[]) AND size = 0 AND due_on IS NOT NULL RETURNING id, area_code",
        county, list(households),
    )  # fmt: skip
    return [(row["id"], row["area_code"]) for row in rows]


_ADD = f"""
WITH fresh AS (
    INSERT INTO visit (county_code, received_at, id, area_code, happened_in, household_id, resident_id, worker_id,
                       worker_name, mode, outcome, findings, note, visited_at, return_on, lon, lat, accuracy_m,
                       distance_m, fix_area_code, evidence, photo_count)
    SELECT $1, $2, id, area_code, happened_in, household_id, resident_id, worker_id, worker_name, mode, outcome,
           findings, note, visited_at, return_on, lon, lat, accuracy_m, distance_m, fix_area_code, evidence,
           photo_count
    FROM json_to_recordset($3::json)
      AS v(id uuid, area_code text, happened_in text, household_id uuid, resident_id uuid, worker_id uuid,
           worker_name text, mode text, outcome text, findings text[], note text, visited_at timestamptz,
           return_on date, lon float8, lat float8, accuracy_m float8, distance_m int, fix_area_code text,
           evidence text, photo_count int)
    RETURNING {COLUMNS}
), stood AS (
UPDATE household h
SET last_visited_on = s.last_visited_on, last_seen_on = s.last_seen_on, tries_since_seen = s.tries_since_seen,
    due_on = s.due_on, due_reason = s.due_reason, rev = h.rev + 1
FROM json_to_recordset($4::json) AS p(household uuid, standing json),
     json_to_record(p.standing)
       AS s(last_visited_on date, last_seen_on date, tries_since_seen int, due_on date, due_reason text)
WHERE h.county_code = $1 AND h.id = p.household
)
SELECT * FROM fresh
"""

_ADD_MANY = _ADD.removesuffix("SELECT * FROM fresh\n") + "SELECT FROM fresh WHERE false"

_ADD_PAST = """
INSERT INTO visit (county_code, id, area_code, happened_in, household_id, resident_id, worker_id, worker_name, mode,
                   outcome, findings, note, visited_at, received_at, return_on, lon, lat, accuracy_m, distance_m,
                   evidence)
VALUES ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16, $17, $18)
"""
