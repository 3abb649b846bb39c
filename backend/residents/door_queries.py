"""SQL of doors, places and who lived where."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.clock import FOREVER
from backend.core.paging import PageParams
from backend.core.transaction import Transaction
from backend.residents.folding import HOMES_OF
from backend.residents.queries import STANDS
from shared.links import BuildingOut, CompoundOut, DwellingIn, DwellingOut, OccupancyOut, OccupantOut, Tenure, Usage
from shared.types import uuid7

_DOOR = "id, area_code, compound, building, unit, room, lon, lat, usage, rev, received_at"

# Summed by door first: joined freely, a door of two households would count twice.
_PLACES = """
WITH door AS MATERIALIZED (
    SELECT id, area_code, compound, building, unit, usage FROM dwelling
    WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':' {where}
), home AS MATERIALIZED (
    SELECT dwelling_id, count(*) AS homes, sum(size) AS people FROM household
    WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':' AND (folded_into IS NULL OR size > 0)
    GROUP BY dwelling_id
)
SELECT {keys}, count(*)::int AS doors, count(*) FILTER (WHERE d.usage = 'empty')::int AS empty_doors,
       coalesce(sum(h.homes), 0)::int AS households, coalesce(sum(h.people), 0)::int AS people
FROM door d LEFT JOIN home h ON h.dwelling_id = d.id GROUP BY 1, 2 ORDER BY 1, 2
"""
_COMPOUNDS = _PLACES.format(
    where="",
    keys="left(d.area_code, 12) AS community_code, d.compound AS name,"
    " array_agg(DISTINCT d.area_code ORDER BY d.area_code) AS cell_codes,"
    " count(DISTINCT nullif(d.building, ''))::int AS buildings",
)
_BUILDINGS = _PLACES.format(
    where="AND compound = $3",
    keys="left(d.area_code, 12) AS community_code, d.building,"
    " array_agg(DISTINCT d.unit ORDER BY d.unit) FILTER (WHERE d.unit <> '') AS units",
)


async def compounds(conn: asyncpg.Connection, county: str, area: str) -> list[CompoundOut]:
    rows = await conn.fetch(_COMPOUNDS, county, area)
    return [CompoundOut.model_validate(dict(row)) for row in rows]


async def buildings(conn: asyncpg.Connection, county: str, area: str, compound: str) -> list[BuildingOut]:
    rows = await conn.fetch(_BUILDINGS, county, area, compound)
    return [BuildingOut.model_validate({**row, "units": row["units"] or []}) for row in rows]


async def dwellings_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, DwellingOut]:
    rows = await conn.fetch(
        f"SELECT {_DOOR} FROM dwelling WHERE county_code = $1 AND id = ANY ($2::uuid[])", county, list(ids)
    )
    return {row.id: row for row in await _with_occupants(conn, county, rows)}


async def page_of_dwellings(
    conn: asyncpg.Connection, county: str, area: str, asked: dict[str, str], page: PageParams
) -> list[DwellingOut]:
    """Return one door more than a page, with these values in these columns."""
    arguments: list[Any] = [county, area, page.limit + 1, *asked.values()]
    where = "".join(f" AND {name} = ${at}" for at, name in enumerate(asked, 4))
    if page.after:
        where += f" AND (received_at, id) < (${len(arguments) + 1}, ${len(arguments) + 2})"
        arguments += page.after
    rows = await conn.fetch(
        f"SELECT {_DOOR} FROM dwelling WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'{where}"
        " ORDER BY received_at DESC, id DESC LIMIT $3",
        *arguments,
    )
    return await _with_occupants(conn, county, rows)


async def _with_occupants(conn: asyncpg.Connection, county: str, rows: Sequence[asyncpg.Record]) -> list[DwellingOut]:
    occupants: dict[UUID, list[OccupantOut]] = {row["id"]: [] for row in rows}
    for one in await conn.fetch(_OCCUPANTS, county, list(occupants), FOREVER):
        occupants[one["dwelling_id"]].append(OccupantOut.model_validate(dict(one)))
    return [DwellingOut.model_validate({**row, "occupants": occupants[row["id"]]}) for row in rows]


_OCCUPANTS = f"""
SELECT h.id AS household_id, h.dwelling_id, h.head_name, h.size, coalesce(o.tenure, 'unknown') AS tenure, o.from_day
FROM household h
LEFT JOIN occupancy o ON o.county_code = h.county_code AND o.household_id = h.id AND o.until_day = $3
WHERE h.county_code = $1 AND h.dwelling_id = ANY ($2::uuid[]) AND {STANDS.format(row="h")}
ORDER BY h.received_at, h.id
"""


async def add_dwelling(tx: Transaction, dwelling_id: UUID, body: DwellingIn, place: tuple[float, float] | None) -> None:
    await tx.conn.execute(
        "INSERT INTO dwelling (county_code, id, area_code, rev, received_at, compound, building, unit, room, lon, lat,"
        " usage) VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11)",
        tx.county, dwelling_id, body.cell_code, tx.now, body.compound, body.building, body.unit, body.room,
        *(place or (None, None)), body.usage,
    )  # fmt: skip


async def change_dwelling(
    tx: Transaction, dwelling_id: UUID, rev: int, body: DwellingIn, place: tuple[float, float] | None
) -> int | None:
    """Change a door at this revision and return the next one; None when it has moved on."""
    changed: int | None = await tx.conn.fetchval(
        "UPDATE dwelling SET compound = $4, building = $5, unit = $6, room = $7, lon = $8, lat = $9, usage = $10,"
        " rev = rev + 1 WHERE county_code = $1 AND id = $2 AND rev = $3 RETURNING rev",
        tx.county, dwelling_id, rev, body.compound, body.building, body.unit, body.room, *(place or (None, None)),
        body.usage,
    )  # fmt: skip
    return changed


async def touch_households(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Give households a new revision because their door reads differently."""
    await tx.conn.execute(
        "UPDATE household SET rev = rev + 1 WHERE county_code = $1 AND id = ANY ($2::uuid[])", tx.county, list(ids)
    )


async def lock_dwellings(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Lock doors in one order, so that households come and go one after the other."""
    await tx.conn.execute(
        "SELECT 1 FROM dwelling WHERE county_code = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE",
        tx.county, list(ids),
    )  # fmt: skip


async def lock_home(tx: Transaction, household_id: UUID) -> asyncpg.Record | None:
    return await tx.conn.fetchrow(
        "SELECT area_code, dwelling_id, rev, received_at FROM household WHERE county_code = $1 AND id = $2 FOR UPDATE",
        tx.county, household_id,
    )  # fmt: skip


async def go_to(tx: Transaction, household_id: UUID, dwelling_id: UUID) -> int:
    rev: int = await tx.conn.fetchval(
        "UPDATE household SET dwelling_id = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING rev",
        tx.county, household_id, dwelling_id,
    )  # fmt: skip
    return rev


async def set_usage(tx: Transaction, dwelling_id: UUID, usage: Usage) -> None:
    await tx.conn.execute(
        "UPDATE dwelling SET usage = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2",
        tx.county, dwelling_id, usage,
    )  # fmt: skip


async def open_occupancy(tx: Transaction, household_id: UUID) -> asyncpg.Record | None:
    return await tx.conn.fetchrow(
        "SELECT id, dwelling_id, tenure, from_day FROM occupancy"
        " WHERE county_code = $1 AND household_id = $2 AND until_day = $3",
        tx.county, household_id, FOREVER,
    )  # fmt: skip


async def add_occupancy(
    tx: Transaction, area: str, household_id: UUID, dwelling_id: UUID, tenure: Tenure, days: tuple[date, date]
) -> None:
    await tx.conn.execute(
        "INSERT INTO occupancy (county_code, id, area_code, household_id, dwelling_id, tenure, from_day, until_day,"
        " account_id, noted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        tx.county, uuid7(), area, household_id, dwelling_id, tenure, *days, tx.caller.account_id, tx.now,
    )  # fmt: skip


async def end_occupancy(tx: Transaction, occupancy_id: UUID, until: date) -> None:
    await tx.conn.execute(
        "UPDATE occupancy SET until_day = $3 WHERE county_code = $1 AND id = $2", tx.county, occupancy_id, until
    )


async def correct_occupancy(tx: Transaction, occupancy_id: UUID, dwelling_id: UUID, tenure: Tenure) -> None:
    await tx.conn.execute(
        "UPDATE occupancy SET dwelling_id = $3, tenure = $4, account_id = $5, noted_at = $6"
        " WHERE county_code = $1 AND id = $2",
        tx.county, occupancy_id, dwelling_id, tenure, tx.caller.account_id, tx.now,
    )  # fmt: skip


async def occupancies(conn: asyncpg.Connection, county: str, household_id: UUID) -> list[OccupancyOut]:
    """Return where a household has lived, and those that were folded into it, newest first."""
    rows = await conn.fetch(
        f"""
        SELECT o.id, o.household_id, o.dwelling_id, o.tenure, o.from_day, nullif(o.until_day, $3) AS until_day,
               concat_ws(' ', nullif(d.compound, ''), nullif(d.building, ''), nullif(d.unit, ''), nullif(d.room, ''))
                   AS door
        FROM occupancy o JOIN dwelling d ON d.county_code = o.county_code AND d.id = o.dwelling_id
        WHERE o.county_code = $1 AND o.household_id = ANY ({HOMES_OF.format(id="$2")}) ORDER BY o.from_day DESC
        """,
        county, household_id, FOREVER,
    )  # fmt: skip
    return [OccupancyOut.model_validate(dict(row)) for row in rows]


async def doors_on(
    conn: asyncpg.Connection, county: str, households: Sequence[UUID], day: date
) -> dict[UUID, asyncpg.Record]:
    """Return the doors behind which households lived on a day, as far as anybody noted a move; before the first one
    they lived where that one began."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (o.household_id) o.household_id, d.compound, d.building, d.unit, d.room, d.lon, d.lat
        FROM occupancy o JOIN dwelling d ON d.county_code = o.county_code AND d.id = o.dwelling_id
        WHERE o.county_code = $1 AND o.household_id = ANY ($2::uuid[])
        ORDER BY o.household_id, o.from_day <= $3 DESC, abs(o.from_day - $3::date)
        """,
        county, list(households), day,
    )  # fmt: skip
    return {row["household_id"]: row for row in rows}
