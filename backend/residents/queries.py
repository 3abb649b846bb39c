"""SQL of households, people and their search keys."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from backend.core.words import THE_SYSTEM
from backend.residents.rules import Member, Sums
from backend.residents.search import LAST
from shared.residents import Care, HouseholdIn, HouseholdOut, IdLookOut, Relation, ResidentOut

# Each door by its key (OFFSET 0 keeps it so): joined freely, all doors of the county are read for a page of fifty.
_HOUSEHOLDS = """
SELECT h.id, h.area_code, d.compound, d.building, d.unit, d.room, d.lon, d.lat, h.head_name, h.size, h.care,
       h.last_visited_on, h.last_seen_on, h.tries_since_seen, h.due_on, h.due_reason, h.rev, h.received_at
FROM {source} h
JOIN LATERAL (SELECT * FROM dwelling WHERE county_code = h.county_code AND id = h.dwelling_id OFFSET 0) d ON true
"""

STANDS = "({row}.folded_into IS NULL OR {row}.size > 0)"
"""A household that a merge has left without anybody stands for nothing: it is read with the one it was folded into."""

_RESIDENTS = """
SELECT r.id, r.area_code, r.household_id, r.name, r.sex, r.birth_date, r.phone, r.relation, r.residency, r.care,
       r.ethnicity, r.marital, r.education, r.employment, r.occupation, r.political, r.registered_place,
       r.note, r.id_index IS NOT NULL AS id_on_file, r.left_on, r.rev, r.received_at
FROM {source} r
"""

_BY_IDS = " WHERE {row}.county_code = $1 AND {row}.id = ANY ($2::uuid[])"

_IN_AREA = "{row}.area_code >= $2 AND {row}.area_code < $2 || ':'"

_MOST_HITS = 10_000
"""A text that begins more keys than this is no search yet; without a bound one letter would read a whole county."""

# As arrays that are made first. Under row-level security the planner expects one row of every table, and joins that
# are planned for one row take minutes for a county.
_HITS = (
    f"SELECT k.entity_id FROM search_key k WHERE k.county_code = $1 AND {_IN_AREA.format(row='k')} AND {{typed}}"
    f" ORDER BY k.area_code, k.key LIMIT {_MOST_HITS}"
)
_PEOPLE_FOUND = "r.id = ANY (ARRAY({hits}))"
_HOMES_FOUND = (
    "h.id = ANY (ARRAY(WITH hit AS MATERIALIZED ({hits}) SELECT entity_id FROM hit UNION SELECT household_id"
    " FROM resident WHERE county_code = $1 AND id = ANY (ARRAY(SELECT entity_id FROM hit)) AND left_on IS NULL"
    " AND merged_into IS NULL))"
)


class Wanted(NamedTuple):
    """What a list is asked for, inside an area."""

    area: str
    text: str | None = None
    household_id: UUID | None = None


async def household(conn: asyncpg.Connection, county: str, household_id: UUID) -> HouseholdOut | None:
    return (await households_by_ids(conn, county, [household_id])).get(household_id)


async def households_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, HouseholdOut]:
    """Return the households of these ids that the caller sees; one that was folded into another stands there no
    more."""
    return await _homes(conn, county, ids, " AND " + STANDS.format(row="h"))


async def folded_too(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, HouseholdOut]:
    """Return the households of these ids that the caller sees, those that were folded into another among them."""
    return await _homes(conn, county, ids, "")


async def _homes(conn: asyncpg.Connection, county: str, ids: Sequence[UUID], which: str) -> dict[UUID, HouseholdOut]:
    query = _HOUSEHOLDS.format(source="household") + _BY_IDS.format(row="h") + which
    rows = await conn.fetch(query, county, list(ids))
    return {row["id"]: HouseholdOut.model_validate(dict(row)) for row in rows}


async def resident(conn: asyncpg.Connection, county: str, resident_id: UUID) -> ResidentOut | None:
    return (await residents_by_ids(conn, county, [resident_id])).get(resident_id)


async def residents_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, ResidentOut]:
    """Return the people of these ids that the caller sees; who was merged into another stands there no more."""
    return await _people(conn, county, ids, " AND r.merged_into IS NULL")


async def merged_too(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, ResidentOut]:
    """Return the rows of these ids that the caller sees, those that were merged into another among them."""
    return await _people(conn, county, ids, "")


async def _people(conn: asyncpg.Connection, county: str, ids: Sequence[UUID], which: str) -> dict[UUID, ResidentOut]:
    query = _RESIDENTS.format(source="resident") + _BY_IDS.format(row="r") + which
    rows = await conn.fetch(query, county, list(ids))
    return {row["id"]: ResidentOut.model_validate(dict(row)) for row in rows}


class _List(NamedTuple):
    """How rows of a table are listed; `search` narrows them to what was typed."""

    table: str
    row: str
    select: str
    search: str


_HOMES = _List("household", "h", _HOUSEHOLDS, _HOMES_FOUND)
_PEOPLE = _List("resident", "r", _RESIDENTS, _PEOPLE_FOUND)


async def page_of_households(
    conn: asyncpg.Connection, county: str, wanted: Wanted, page: PageParams
) -> list[HouseholdOut]:
    """Return one household more than a page: those whose door, or one of whose people, the text finds."""
    return [HouseholdOut.model_validate(dict(row)) for row in await _page(conn, _HOMES, county, wanted, page)]


async def page_of_residents(
    conn: asyncpg.Connection, county: str, wanted: Wanted, page: PageParams
) -> list[ResidentOut]:
    """Return one person more than a page."""
    return [ResidentOut.model_validate(dict(row)) for row in await _page(conn, _PEOPLE, county, wanted, page)]


async def _page(
    conn: asyncpg.Connection, of: _List, county: str, wanted: Wanted, page: PageParams
) -> list[asyncpg.Record]:
    arguments: list[Any] = [county, wanted.area, page.limit + 1]
    where = " AND ".join(_conditions(of, wanted, page, arguments))
    order = f"ORDER BY {of.row}.received_at DESC, {of.row}.id DESC"
    found = f"(SELECT * FROM {of.table} {of.row} WHERE {where} {order} LIMIT $3)"
    rows: list[asyncpg.Record] = await conn.fetch(f"{of.select.format(source=found)} {order}", *arguments)
    return rows


def _conditions(of: _List, wanted: Wanted, page: PageParams, arguments: list[Any]) -> Iterator[str]:
    """Yield conditions and add their arguments; only what is asked for, so that each plan can use its index."""

    def place(value: Any) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    yield f"{of.row}.county_code = $1 AND {_IN_AREA.format(row=of.row)}"
    if of.table == "resident":
        yield f"{of.row}.left_on IS NULL AND {of.row}.merged_into IS NULL"
    else:
        yield STANDS.format(row=of.row)
    if wanted.text:
        typed = f"k.key >= {place(wanted.text)} AND k.key < {place(wanted.text + LAST)}"
        yield of.search.format(hits=_HITS.format(typed=typed))
    if wanted.household_id:
        yield f"{of.row}.household_id = {place(wanted.household_id)}"
    if page.after:
        yield f"({of.row}.received_at, {of.row}.id) < ({place(page.after[0])}, {place(page.after[1])})"


async def lock_household(conn: asyncpg.Connection, county: str, household_id: UUID) -> str | None:
    """Lock a household, so that its members change one after the other, and return its area."""
    area: str | None = await conn.fetchval(
        "SELECT area_code FROM household WHERE county_code = $1 AND id = $2 FOR UPDATE", county, household_id
    )
    return area


async def add_household(
    conn: asyncpg.Connection, county: str, household_id: UUID, dwelling_id: UUID, body: HouseholdIn,
    place: tuple[float, float] | None, now: datetime,
) -> None:  # fmt: skip
    await conn.execute(
        """
        WITH door AS (
            INSERT INTO dwelling (county_code, id, area_code, rev, received_at, compound, building, unit, room, lon,
                                  lat)
            VALUES ($1, $3, $4, 1, $5, $6, $7, $8, $9, $10, $11)
        )
        INSERT INTO household (county_code, id, area_code, rev, received_at, dwelling_id, head_name, size, care,
                               tries_since_seen, due_reason)
        VALUES ($1, $2, $4, 1, $5, $3, '', 0, '{}', 0, '')
        """,
        county, household_id, dwelling_id, body.cell_code, now, body.compound, body.building, body.unit, body.room,
        *(place or (None, None)),
    )  # fmt: skip


async def change_door(
    conn: asyncpg.Connection, county: str, household_id: UUID, rev: int, body: HouseholdIn,
    place: tuple[float, float] | None,
) -> int | None:  # fmt: skip
    """Change the door of a household at this revision and return the next one; None when it has moved on."""
    changed: int | None = await conn.fetchval(
        """
        WITH home AS (
            UPDATE household SET rev = rev + 1 WHERE county_code = $1 AND id = $2 AND rev = $3
            RETURNING dwelling_id, rev
        )
        UPDATE dwelling d SET compound = $4, building = $5, unit = $6, room = $7, lon = $8, lat = $9, rev = d.rev + 1
        FROM home WHERE d.county_code = $1 AND d.id = home.dwelling_id
        RETURNING home.rev
        """,
        county, household_id, rev, body.compound, body.building, body.unit, body.room, *(place or (None, None)),
    )  # fmt: skip
    return changed


async def touch_neighbours(conn: asyncpg.Connection, county: str, household_id: UUID) -> list[UUID]:
    """Give the other households behind a household's door a new revision, and return them."""
    rows = await conn.fetch(
        "UPDATE household SET rev = rev + 1 WHERE county_code = $1 AND id <> $2 AND dwelling_id ="
        " (SELECT dwelling_id FROM household WHERE county_code = $1 AND id = $2) RETURNING id",
        county, household_id,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def members(conn: asyncpg.Connection, county: str, household_id: UUID) -> list[Member]:
    """Return who belongs to a household, in the order they were registered."""
    rows = await conn.fetch(
        "SELECT name, relation, care FROM resident WHERE county_code = $1 AND household_id = $2"
        " AND left_on IS NULL AND merged_into IS NULL ORDER BY received_at, id",
        county, household_id,
    )  # fmt: skip
    return [Member(row["name"], Relation(row["relation"]), [Care(label) for label in row["care"]]) for row in rows]


async def headed(conn: asyncpg.Connection, county: str, households: Sequence[UUID]) -> set[UUID]:
    """Return those of these households that have a head."""
    rows = await conn.fetch(
        "SELECT household_id FROM resident WHERE county_code = $1 AND household_id = ANY ($2::uuid[])"
        " AND relation = '02' AND left_on IS NULL AND merged_into IS NULL",
        county, list(set(households)),
    )  # fmt: skip
    return {row["household_id"] for row in rows}


async def set_sums(conn: asyncpg.Connection, county: str, household_id: UUID, sums: Sums) -> bool:
    """Write sums, and say whether the household was folded into another until now and has somebody in it again."""
    unfolded: bool = await conn.fetchval(
        """
        WITH was AS (SELECT id, folded_into FROM household WHERE county_code = $1 AND id = $2)
        UPDATE household h SET head_name = $3, size = $4, care = $5, rev = h.rev + 1,
               folded_into = CASE WHEN $4 = 0 THEN h.folded_into END
        FROM was WHERE h.county_code = $1 AND h.id = was.id
        RETURNING $4 > 0 AND was.folded_into IS NOT NULL
        """,
        county, household_id, *sums,
    )  # fmt: skip
    return unfolded


async def add_resident(conn: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    """Store a person given by column."""
    columns, values = ", ".join(row), ", ".join(f"${at}" for at in range(1, len(row) + 1))
    await conn.execute(f"INSERT INTO resident ({columns}, rev) VALUES ({values}, 1)", *row.values())


async def change_resident(
    conn: asyncpg.Connection, county: str, resident_id: UUID, rev: int, wanted: ResidentOut
) -> int | None:
    """Change a person at this revision and return the next one; None when it has moved on."""
    changed: int | None = await conn.fetchval(
        """
        UPDATE resident SET name = $4, sex = $5, birth_date = $6, phone = $7, relation = $8, residency = $9, care = $10,
                            note = $11, ethnicity = $12, marital = $13, education = $14, employment = $15,
                            occupation = $16, political = $17, registered_place = $18, rev = rev + 1
        WHERE county_code = $1 AND id = $2 AND rev = $3 RETURNING rev
        """,
        county, resident_id, rev, wanted.name, wanted.sex, wanted.birth_date, wanted.phone, wanted.relation,
        wanted.residency, wanted.care, wanted.note, wanted.ethnicity, wanted.marital, wanted.education,
        wanted.employment, wanted.occupation, wanted.political, wanted.registered_place,
    )  # fmt: skip
    return changed


async def set_search_keys(
    conn: asyncpg.Connection, county: str, area: str, entity_id: UUID, keys: Sequence[str]
) -> None:
    """Replace the search keys of a person or a door."""
    await conn.execute(
        "DELETE FROM search_key WHERE county_code = $1 AND area_code = $2 AND entity_id = $3", county, area, entity_id
    )
    await add_search_keys(conn, county, [(area, key, entity_id) for key in keys])


async def add_search_keys(conn: asyncpg.Connection, county: str, keys: Sequence[tuple[str, str, UUID]]) -> None:
    """Add keys as (area, key, whose)."""
    await conn.execute(
        "INSERT INTO search_key (county_code, area_code, key, entity_id)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::uuid[])",
        county, *by_column(keys, 3),
    )  # fmt: skip


def by_column(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns for unnest."""
    return [[row[at] for row in rows] for at in range(width)]


async def identity(conn: asyncpg.Connection, county: str, resident_id: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT area_code, rev, sex, birth_date, data_key, id_sealed, id_index FROM resident"
        " WHERE county_code = $1 AND id = $2 AND merged_into IS NULL",
        county, resident_id,
    )  # fmt: skip


async def set_identity(
    conn: asyncpg.Connection, county: str, resident_id: UUID, rev: int, sealed: tuple[bytes | None, ...]
) -> int | None:
    """Set (key, sealed number, blind index) of a person at this revision and return the next one."""
    changed: int | None = await conn.fetchval(
        "UPDATE resident SET data_key = $4, id_sealed = $5, id_index = $6, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2 AND rev = $3 RETURNING rev",
        county, resident_id, rev, *sealed,
    )  # fmt: skip
    return changed


async def looks(conn: asyncpg.Connection, county: str, people: Sequence[UUID], page: PageParams) -> list[IdLookOut]:
    """Return one look at a person's rows more than a page, newest first. What the system itself does has no account."""
    after = "AND (u.at, u.id) < ($4, $5)" if page.after else ""
    rows = await conn.fetch(
        f"""
        SELECT u.id, u.at, coalesce(a.display_name, {THE_SYSTEM}) AS account_name, split_part(u.action, '.', 2) AS look,
               coalesce(u.detail ->> 'reason', '') AS reason, coalesce(u.detail ->> 'what', 'id_number') AS what
        FROM audit u LEFT JOIN account a ON a.county_code = u.county_code AND a.id = u.account_id
        WHERE u.county_code = $1 AND u.entity_id = ANY ($2::uuid[])
          AND u.action IN ('identity.revealed', 'identity.checked', 'sealed.revealed') {after}
        ORDER BY u.at DESC, u.id DESC LIMIT $3
        """,
        county, list(people), page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [IdLookOut.model_validate(dict(row)) for row in rows]
