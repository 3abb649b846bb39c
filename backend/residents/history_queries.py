"""SQL of periods, and of the rows of people that say what holds today."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.words import THE_SYSTEM
from backend.residents.following import follow
from backend.residents.queries import by_column
from shared.register import CountsOut, PeriodOut

PERSON = "id, area_code, household_id, name, phone, sex, birth_date, residency, relation, care, left_on, left_by, rev"


async def begin(
    conn: asyncpg.Connection, county: str, ids: Sequence[UUID], since: date, noted_by: UUID | None, now: datetime
) -> None:
    """Open periods for people as their rows are now, from a day on but never from before their birth."""
    await conn.execute(_BEGIN, county, list(ids), since, noted_by, now)


async def lock_people(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Lock households and then people, as everybody does, and return the people in the order asked for."""
    await conn.fetch(
        "SELECT 1 FROM household WHERE county_code = $1 AND id = ANY (ARRAY("
        "   SELECT household_id FROM resident WHERE county_code = $1 AND id = ANY ($2::uuid[])))"
        " ORDER BY id FOR UPDATE",
        county, list(ids),
    )  # fmt: skip
    rows = await conn.fetch(
        f"SELECT {PERSON} FROM resident WHERE county_code = $1 AND id = ANY ($2::uuid[]) AND merged_into IS NULL"
        " ORDER BY id FOR UPDATE",
        county, list(ids),
    )  # fmt: skip
    found = {row["id"]: row for row in rows}
    return [found[one] for one in dict.fromkeys(ids) if one in found]


async def periods(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT id, resident_id, area_code, track, value, from_day, until_day, noted_by, noted_at FROM period"
        " WHERE county_code = $1 AND resident_id = ANY ($2::uuid[]) ORDER BY resident_id, track, from_day",
        county, list(ids),
    )  # fmt: skip
    return rows


async def replace(conn: asyncpg.Connection, county: str, gone: Sequence[UUID], fresh: Sequence[Sequence[Any]]) -> None:
    """Remove periods and add others: (id, person, track, value, area, from, until, noted by, noted at)."""
    if gone:
        await conn.execute("DELETE FROM period WHERE county_code = $1 AND id = ANY ($2::uuid[])", county, list(gone))
    if fresh:
        await conn.execute(_ADD, county, *by_column(fresh, 9))


async def set_present(conn: asyncpg.Connection, county: str, people: Sequence[Sequence[Any]]) -> list[tuple[UUID, int]]:
    """Write what holds today into the rows of people; return their new revisions.

    Each is (id, area, household, residency, relation, care joined by commas, left on, left by).
    """
    rows = await conn.fetch(_PRESENT, county, *by_column(people, 8))
    await follow(conn, county, [row["id"] for row in rows])
    return [(row["id"], row["rev"]) for row in rows]


async def history(conn: asyncpg.Connection, county: str, rows_of: Sequence[UUID]) -> list[PeriodOut]:
    """Return the periods of a person's rows: their own, and those that were merged into it."""
    rows = await conn.fetch(
        f"""
        SELECT p.track, p.value, p.from_day, CASE WHEN p.until_day < 'infinity' THEN p.until_day END AS until_day,
               p.area_code, coalesce(a.display_name, {THE_SYSTEM}) AS noted_by, p.noted_at
        FROM period p LEFT JOIN account a ON a.county_code = p.county_code AND a.id = p.noted_by
        WHERE p.county_code = $1 AND p.resident_id = ANY ($2::uuid[]) ORDER BY p.from_day, p.track
        """,
        county, list(rows_of),
    )  # fmt: skip
    return [PeriodOut.model_validate(dict(row)) for row in rows]


async def of_people(
    conn: asyncpg.Connection, county: str, resident_ids: Sequence[UUID], tracks: Sequence[str]
) -> dict[UUID, list[PeriodOut]]:
    """Return what held for each of these people, with the rows that were merged into theirs; `tracks` are prefixes."""
    rows = await conn.fetch(_OF_PEOPLE, county, list(resident_ids), list(tracks))
    found: dict[UUID, list[PeriodOut]] = {}
    for row in rows:
        found.setdefault(row["person"], []).append(PeriodOut.model_validate(dict(row)))
    return found


async def counts(conn: asyncpg.Connection, county: str, area: str, day: date, left_out: Sequence[UUID]) -> CountsOut:
    """Count people, households and labels of an area on a day: one range of the index per kind of track."""
    asked = (county, area, day, list(left_out))
    people = await conn.fetch(_COUNT.format(what="value", tracks="track = 'residency'"), *asked)
    homes = await conn.fetchval(_HOMES, *asked)
    care = await conn.fetch(_COUNT.format(what="track", tracks=_CARE), *asked)
    by_residency = {row["what"]: row["n"] for row in people}
    return CountsOut(
        as_at=day, area_code=area, people=sum(by_residency.values()), households=homes, by_residency=by_residency,
        by_care={row["what"].removeprefix("care:"): row["n"] for row in care},
    )  # fmt: skip


async def members_on(
    conn: asyncpg.Connection, county: str, area: str, day: date, household_id: UUID | None,
    after: tuple[datetime, UUID] | None, limit: int, left_out: Sequence[UUID],
) -> list[asyncpg.Record]:  # fmt: skip
    """Return who belonged to a household of an area on a day, as (resident_id, noted_at), newest noted first."""
    arguments: list[Any] = [county, area, day, list(left_out), limit]
    where = _IN_FORCE
    if household_id:
        arguments.append(str(household_id))
        where += f" AND value = ${len(arguments)}"
    if after:
        where += f" AND (noted_at, resident_id) < (${len(arguments) + 1}, ${len(arguments) + 2})"
        arguments += after
    rows: list[asyncpg.Record] = await conn.fetch(
        f"SELECT resident_id, noted_at FROM period WHERE {where} AND track = 'household'"
        " ORDER BY noted_at DESC, resident_id DESC LIMIT $5",
        *arguments,
    )
    return rows


async def homes_on(
    conn: asyncpg.Connection, county: str, area: str, day: date, after: tuple[datetime, UUID] | None, limit: int,
    left_out: Sequence[UUID],
) -> list[asyncpg.Record]:  # fmt: skip
    """Return the households of an area that somebody belonged to on a day, as (id, noted_at), newest noted first."""
    arguments: list[Any] = [county, area, day, list(left_out), limit, *(after or ())]
    page = "HAVING (max(noted_at), value::uuid) < ($6, $7)" if after else ""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"SELECT value::uuid AS id, max(noted_at) AS noted_at FROM period WHERE {_IN_FORCE} AND track = 'household'"
        f" GROUP BY value {page} ORDER BY 2 DESC, 1 DESC LIMIT $5",
        *arguments,
    )
    return rows


async def members_of(
    conn: asyncpg.Connection, county: str, area: str, day: date, homes: Sequence[UUID], left_out: Sequence[UUID]
) -> list[UUID]:
    """Return who belonged to any of these households on a day."""
    rows = await conn.fetch(
        f"SELECT resident_id FROM period WHERE {_IN_FORCE} AND track = 'household' AND value = ANY ($5::text[])",
        county, area, day, list(left_out), [str(home) for home in homes],
    )  # fmt: skip
    return [row["resident_id"] for row in rows]


_IN_FORCE = (
    "county_code = $1 AND area_code >= $2 AND area_code < $2 || ':' AND from_day <= $3::date AND until_day > $3::date"
    " AND resident_id <> ALL ($4::uuid[])"
)
_COUNT = f"SELECT {{what}} AS what, count(*) AS n FROM period WHERE {_IN_FORCE} AND {{tracks}} GROUP BY 1"
_CARE = "track >= 'care:' AND track < 'care;'"
_HOMES = f"SELECT count(DISTINCT value) FROM period WHERE {_IN_FORCE} AND track = 'household'"

_BEGIN = """
INSERT INTO period (county_code, id, area_code, resident_id, track, value, from_day, noted_by, noted_at)
SELECT $1, gen_random_uuid(), r.area_code, r.id, t.track, t.value, greatest($3::date, r.birth_date), $4, $5
FROM resident r CROSS JOIN LATERAL (
    VALUES ('residency', r.residency), ('household', r.household_id::text), ('relation', r.relation)
    UNION ALL SELECT 'care:' || label, 'yes' FROM unnest(r.care) AS label
) AS t(track, value)
WHERE r.county_code = $1 AND r.id = ANY ($2::uuid[])
"""

_OF_PEOPLE = f"""
WITH RECURSIVE rows AS (
    SELECT id AS person, id FROM unnest($2::uuid[]) AS id
    UNION
    SELECT rows.person, r.id FROM rows JOIN resident r ON r.county_code = $1 AND r.merged_into = rows.id
)
SELECT rows.person, p.track, p.value, p.from_day,
       CASE WHEN p.until_day < 'infinity' THEN p.until_day END AS until_day,
       p.area_code, coalesce(a.display_name, {THE_SYSTEM}) AS noted_by, p.noted_at
FROM rows JOIN period p ON p.county_code = $1 AND p.resident_id = rows.id
LEFT JOIN account a ON a.county_code = p.county_code AND a.id = p.noted_by
WHERE split_part(p.track, ':', 1) = ANY ($3::text[])
ORDER BY rows.person, p.from_day, p.track
"""

_ADD = """
INSERT INTO period (county_code, id, resident_id, track, value, area_code, from_day, until_day, noted_by, noted_at)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::date[], $8::date[],
                         $9::uuid[], $10::timestamptz[])
"""

_PRESENT = """
UPDATE resident r
SET area_code = p.area, household_id = p.household, residency = p.residency, relation = p.relation,
    care = string_to_array(p.care, ','), left_on = p.left_on, left_by = p.left_by, rev = r.rev + 1
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::date[], $9::text[])
  AS p(id, area, household, residency, relation, care, left_on, left_by)
WHERE r.county_code = $1 AND r.id = p.id
RETURNING r.id, r.rev
"""
