"""SQL of volunteers and of the minutes they served."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core.paging import PageParams
from shared.requests import CATEGORIES
from shared.volunteers import QuietIn, ServiceRecordOut, SkillCheckIn, SkillIn, Slot, VolunteerOut

_VOLUNTEER = """
SELECT v.id, v.name, v.phone, v.area_code AS community_code, v.lon, v.lat, v.skills, v.languages, v.radius_m,
       v.capacity, v.active, v.quiet_from, v.quiet_until, v.rev, v.received_at,
       coalesce((SELECT json_agg(json_build_object('weekday', s.weekday, 'from_minute', s.from_minute,
                                                   'until_minute', s.until_minute) ORDER BY s.weekday, s.from_minute)
                 FROM volunteer_slot s WHERE s.county_code = v.county_code AND s.volunteer_id = v.id), '[]') AS slots,
       coalesce((SELECT json_agg(json_build_object('skill', k.skill, 'note', k.note, 'valid_until', k.valid_until,
                                                   'checked_on', k.checked_on, 'checked_by', k.checked_name)
                                 ORDER BY k.skill)
                 FROM volunteer_skill k WHERE k.county_code = v.county_code AND k.volunteer_id = v.id), '[]')
         AS evidence
FROM volunteer v WHERE v.county_code = $1
"""

_RECORD = """
SELECT id, volunteer_id, request_id, category, area_code, community_name, served_on, minutes, state, rev, received_at
FROM service_record WHERE county_code = $1
"""


@dataclass(frozen=True, slots=True)
class Fresh:
    """A volunteer about to be stored. Skills and languages are words with commas between."""

    id: UUID
    community_code: str
    name: str
    phone: str
    lon: float
    lat: float
    skills: str
    languages: str
    radius_m: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Served:
    """Minutes about to be put on record; the task's own id makes a second record of it impossible."""

    id: UUID
    area_code: str
    volunteer_id: UUID
    request_id: UUID
    category: str
    served_on: date
    minutes: int
    state: str


def out(row: asyncpg.Record) -> VolunteerOut:
    lists = {name: orjson.loads(row[name]) for name in ("slots", "evidence")}
    return VolunteerOut.model_validate({**row, **lists})


def record_out(row: asyncpg.Record) -> ServiceRecordOut:
    return ServiceRecordOut.model_validate({**row, "title": CATEGORIES[row["category"]].title})


async def add(conn: asyncpg.Connection, county: str, now: datetime, rows: Sequence[Fresh]) -> None:
    await conn.execute(_ADD, county, now, *_by_column([astuple(row) for row in rows]))


async def replace(conn: asyncpg.Connection, county: str, rev: int, row: Fresh) -> bool:
    """Replace a volunteer that still has this revision."""
    tag: str = await conn.execute(_REPLACE, county, *astuple(row), rev)
    return tag == "UPDATE 1"


async def add_slots(conn: asyncpg.Connection, county: str, slots: Sequence[tuple[UUID, str, Slot]]) -> None:
    """Store free time of volunteers, each given by id and community."""
    rows = [(v, community, s.weekday, s.from_minute, s.until_minute) for v, community, s in slots]
    if rows:
        await conn.execute(_ADD_SLOTS, county, *_by_column(rows))


async def clear_slots(conn: asyncpg.Connection, county: str, volunteer: UUID) -> None:
    await conn.execute("DELETE FROM volunteer_slot WHERE county_code = $1 AND volunteer_id = $2", county, volunteer)


async def touch(conn: asyncpg.Connection, county: str, volunteer: UUID) -> str | None:
    """Lock a volunteer's row, give it its next revision and return its community."""
    community: str | None = await conn.fetchval(
        "UPDATE volunteer SET rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING area_code", county, volunteer
    )
    return community


async def set_active(conn: asyncpg.Connection, county: str, volunteer: UUID, rev: int, *, active: bool) -> int | None:
    """Pause a volunteer of this revision, or let them take part again, and return the next one."""
    changed: int | None = await conn.fetchval(
        "UPDATE volunteer SET active = $4, rev = rev + 1 WHERE county_code = $1 AND id = $2 AND rev = $3 RETURNING rev",
        county, volunteer, rev, active,
    )  # fmt: skip
    return changed


async def set_quiet(conn: asyncpg.Connection, county: str, volunteer: UUID, quiet: QuietIn) -> None:
    """Write down the quiet hours of a volunteer whose row is locked."""
    await conn.execute(
        "UPDATE volunteer SET quiet_from = $3, quiet_until = $4 WHERE county_code = $1 AND id = $2",
        county, volunteer, quiet.from_minute, quiet.until_minute,
    )  # fmt: skip


async def set_skills(conn: asyncpg.Connection, county: str, volunteer: UUID, skills: Sequence[str]) -> None:
    """Write down what a volunteer whose row is locked can do."""
    await conn.execute(
        "UPDATE volunteer SET skills = $3 WHERE county_code = $1 AND id = $2", county, volunteer, list(skills)
    )


async def keep_evidence(
    conn: asyncpg.Connection, county: str, volunteer: UUID, community: str, skills: Sequence[str]
) -> None:
    """Keep what shows these skills, with the volunteer's community, and forget what shows any other."""
    await conn.execute(
        "DELETE FROM volunteer_skill WHERE county_code = $1 AND volunteer_id = $2 AND skill <> ALL($3::text[])",
        county, volunteer, list(skills),
    )  # fmt: skip
    await conn.execute(
        "UPDATE volunteer_skill SET area_code = $3 WHERE county_code = $1 AND volunteer_id = $2",
        county, volunteer, community,
    )  # fmt: skip


async def put_evidence(
    conn: asyncpg.Connection, county: str, volunteer: UUID, community: str, said: Sequence[SkillIn]
) -> None:
    """Store what a volunteer says shows a skill. Other words than before are unseen words."""
    rows = [(one.skill, one.note, one.valid_until) for one in said]
    if rows:
        await conn.execute(_PUT_EVIDENCE, county, volunteer, community, *_by_column(rows))


async def check_skill(
    conn: asyncpg.Connection, county: str, volunteer: UUID, community: str, skill: str, check: SkillCheckIn,
    day: date, by: tuple[UUID, str],
) -> None:  # fmt: skip
    """Write down who saw the certificate and when, or that nobody has."""
    seen = (day, *by) if check.seen else (None, None, "")
    await conn.execute(_CHECK, county, volunteer, skill, community, check.valid_until, *seen)


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, VolunteerOut]:
    rows = await conn.fetch(f"{_VOLUNTEER} AND v.id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: out(row) for row in rows}


async def page_of_area(conn: asyncpg.Connection, county: str, area: str, page: PageParams) -> list[VolunteerOut]:
    """Return one row more than a page, newest first."""
    after = "AND (v.received_at, v.id) < ($4, $5)" if page.after else ""
    rows = await conn.fetch(
        f"{_VOLUNTEER} AND v.area_code >= $2 AND v.area_code < $2 || ':' {after}"
        " ORDER BY v.received_at DESC, v.id DESC LIMIT $3",
        county, area, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [out(row) for row in rows]


async def community_exists(conn: asyncpg.Connection, code: str) -> bool:
    found: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM division WHERE code = $1 AND level = 'community')", code
    )
    return found


async def add_record(conn: asyncpg.Connection, county: str, now: datetime, row: Served) -> None:
    await conn.execute(_ADD_RECORD, county, now, *astuple(row))


async def records_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, ServiceRecordOut]:
    rows = await conn.fetch(f"{_RECORD} AND id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: record_out(row) for row in rows}


async def page_of_records(
    conn: asyncpg.Connection, county: str, volunteer: UUID, page: PageParams
) -> list[ServiceRecordOut]:
    after = "AND (received_at, id) < ($4, $5)" if page.after else ""
    rows = await conn.fetch(
        f"{_RECORD} AND volunteer_id = $2 {after} ORDER BY received_at DESC, id DESC LIMIT $3",
        county, volunteer, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [record_out(row) for row in rows]


async def lock_record(conn: asyncpg.Connection, county: str, record: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(f"{_RECORD} AND id = $2 FOR NO KEY UPDATE", county, record)


async def settle_record(
    conn: asyncpg.Connection, county: str, record: UUID, state: str, at: datetime, by: UUID
) -> None:
    await conn.execute(
        "UPDATE service_record SET state = $3, confirmed_at = $4, confirmed_by = $5, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2",
        county, record, state, at, by,
    )  # fmt: skip


def _by_column(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


_ADD = """
INSERT INTO volunteer (county_code, received_at, rev, trust, active, id, area_code, name, phone, lon, lat, skills,
                       languages, radius_m, capacity)
SELECT $1, $2, 1, 1, true, id, area_code, name, phone, lon, lat, string_to_array(skills, ','),
       string_to_array(languages, ','), radius_m, capacity
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::float8[], $8::float8[], $9::text[], $10::text[],
            $11::int[], $12::int[])
  AS v(id, area_code, name, phone, lon, lat, skills, languages, radius_m, capacity)
"""

_REPLACE = """
UPDATE volunteer SET area_code = $3, name = $4, phone = $5, lon = $6, lat = $7, skills = string_to_array($8, ','),
       languages = string_to_array($9, ','), radius_m = $10, capacity = $11, rev = rev + 1
WHERE county_code = $1 AND id = $2 AND rev = $12
"""

_ADD_SLOTS = """
INSERT INTO volunteer_slot (county_code, volunteer_id, area_code, weekday, from_minute, until_minute)
SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::int[], $6::int[])
"""

_PUT_EVIDENCE = """
INSERT INTO volunteer_skill (county_code, volunteer_id, area_code, skill, note, valid_until, checked_name)
SELECT $1, $2, $3, skill, note, valid_until, '' FROM unnest($4::text[], $5::text[], $6::date[])
  AS said(skill, note, valid_until)
ON CONFLICT (county_code, volunteer_id, skill) DO UPDATE
SET note = excluded.note, valid_until = excluded.valid_until, checked_on = NULL, checked_by = NULL, checked_name = ''
"""

_CHECK = """
INSERT INTO volunteer_skill AS k (county_code, volunteer_id, skill, area_code, note, valid_until, checked_on,
                                  checked_by, checked_name)
VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8)
ON CONFLICT (county_code, volunteer_id, skill) DO UPDATE
SET valid_until = coalesce(excluded.valid_until, k.valid_until), checked_on = excluded.checked_on,
    checked_by = excluded.checked_by, checked_name = excluded.checked_name
"""

_ADD_RECORD = """
INSERT INTO service_record (county_code, received_at, rev, id, area_code, volunteer_id, request_id, category, served_on,
                            minutes, state, community_name)
SELECT $1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10,
       coalesce((SELECT name FROM division WHERE code = left($4, 12)),
                (SELECT name FROM division WHERE code = left($4, 6)), '')
"""
