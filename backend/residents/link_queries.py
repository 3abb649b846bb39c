"""SQL of links: contacts, guardians and helpers."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from backend.residents.folding import HOMES_OF
from shared.links import LinkOut

_LINK = """
SELECT id, area_code, household_id, resident_id, kind, helper, name, phone, relation, rank AS "order", person_id,
       stand_in_name, stand_in_phone, stand_in_from, stand_in_until, from_day,
       nullif(until_day, DATE 'infinity') AS until_day, note, rev, received_at
FROM link WHERE county_code = $1
"""


async def links_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, LinkOut]:
    """Return the links of these ids that the caller sees."""
    rows = await conn.fetch(f"{_LINK} AND id = ANY ($2::uuid[])", county, list(ids))
    return {row["id"]: LinkOut.model_validate(dict(row)) for row in rows}


async def of_people(
    conn: asyncpg.Connection, county: str, resident_ids: Sequence[UUID], open_on: date | None
) -> list[LinkOut]:
    """Return links of a person's rows, guardians and first contacts first; a day leaves those out that have ended."""
    rows = await conn.fetch(
        f"{_LINK} AND resident_id = ANY ($2::uuid[]) AND until_day > $3 ORDER BY kind, rank, received_at, id",
        county, list(resident_ids), open_on or date.min,
    )  # fmt: skip
    return [LinkOut.model_validate(dict(row)) for row in rows]


async def lock_naming(conn: asyncpg.Connection, county: str, people: Sequence[UUID], open_on: date) -> list[LinkOut]:
    """Lock the links that name any of these people as the other side and have not ended, and return them."""
    rows = await conn.fetch(
        f"{_LINK} AND person_id = ANY ($2::uuid[]) AND until_day > $3 ORDER BY id FOR UPDATE",
        county, list(people), open_on,
    )  # fmt: skip
    return [LinkOut.model_validate(dict(row)) for row in rows]


async def lock_left_on(conn: asyncpg.Connection, county: str, resident_id: UUID) -> date | None:
    """Return when somebody left the register, and let it stay so: a death of this moment then sees the link too."""
    left: date | None = await conn.fetchval(
        "SELECT left_on FROM resident WHERE county_code = $1 AND id = $2 FOR SHARE", county, resident_id
    )
    return left


async def contacts_of_home(conn: asyncpg.Connection, county: str, household_id: UUID, day: date) -> list[LinkOut]:
    """Return whom to call about a household, and those folded into it, or somebody in it; the household's own first."""
    rows = await conn.fetch(
        f"{_LINK} AND household_id = ANY ({HOMES_OF.format(id='$2')}) AND kind = 'contact' AND until_day > $3"
        " ORDER BY resident_id IS NOT NULL, rank, received_at, id",
        county, household_id, day,
    )  # fmt: skip
    return [LinkOut.model_validate(dict(row)) for row in rows]


async def add(conn: asyncpg.Connection, row: Mapping[str, Any]) -> None:
    """Store a link given by column."""
    columns, values = ", ".join(row), ", ".join(f"${at}" for at in range(1, len(row) + 1))
    await conn.execute(f"INSERT INTO link ({columns}, rev) VALUES ({values}, 1)", *row.values())


async def change(conn: asyncpg.Connection, county: str, link_id: UUID, rev: int, row: Mapping[str, Any]) -> int | None:
    """Change columns at this revision and return the next one; None when it has moved on."""
    columns = ", ".join(f"{name} = ${at}" for at, name in enumerate(row, 4))
    changed: int | None = await conn.fetchval(
        f"UPDATE link SET {columns}, rev = rev + 1 WHERE county_code = $1 AND id = $2 AND rev = $3 RETURNING rev",
        county, link_id, rev, *row.values(),
    )  # fmt: skip
    return changed


async def remove(conn: asyncpg.Connection, county: str, link_id: UUID, rev: int) -> bool:
    done = await conn.execute("DELETE FROM link WHERE county_code = $1 AND id = $2 AND rev = $3", county, link_id, rev)
    return bool(done == "DELETE 1")


async def follow(
    conn: asyncpg.Connection, county: str, resident_ids: Sequence[UUID], household_id: UUID, area: str
) -> list[tuple[UUID, str]]:
    """Bring people's own links to the household that they have joined; return each with the area it left."""
    rows = await conn.fetch(
        """
        WITH old AS (
            SELECT id, area_code FROM link WHERE county_code = $1 AND resident_id = ANY ($2::uuid[]) FOR UPDATE
        )
        UPDATE link l SET household_id = $3, area_code = $4, rev = rev + 1
        FROM old WHERE l.county_code = $1 AND l.id = old.id RETURNING l.id, old.area_code
        """,
        county, list(resident_ids), household_id, area,
    )  # fmt: skip
    return [(row["id"], row["area_code"]) for row in rows]
