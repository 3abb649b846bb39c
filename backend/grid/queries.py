"""SQL of divisions, cells and boundaries."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core.clock import FOREVER
from backend.core.paging import PageParams
from shared.grid import CellIn, CellOut, DivisionOut, Level

# No boundary begins in the future, so the open-ended one is the present one. `>=`: asyncpg stores that day as infinity.
_CELLS = """
SELECT c.id, c.area_code AS code, c.name, c.kind, c.purpose, c.unit_name, c.unit_code,
       left(c.area_code, 12) AS community_code, b.geometry, b.from_day, b.area_m2, c.rev, c.received_at
FROM cell c
JOIN cell_boundary b ON b.county_code = c.county_code AND b.cell_id = c.id AND b.until_day >= DATE '9999-12-31'
WHERE c.county_code = $1
"""

_FEATURE = """
json_build_object('type', 'Feature', 'id', code, 'geometry', geometry, 'properties', json_build_object(
    'code', code, 'name', name, 'kind', kind, 'purpose', purpose, 'unit_name', unit_name, 'unit_code', unit_code,
    'community_code', community_code, 'from_day', from_day, 'area_m2', area_m2, 'rev', rev,
    'received_at', received_at))
"""


async def divisions(
    conn: asyncpg.Connection, parent: str | None, level: Level | None, after: str, limit: int
) -> list[DivisionOut]:
    rows = await conn.fetch(
        "SELECT code, level, name, parent_code FROM division WHERE ($1::text IS NULL OR parent_code = $1)"
        " AND ($2::text IS NULL OR level = $2) AND code > $3 ORDER BY code LIMIT $4",
        parent, level, after, limit,
    )  # fmt: skip
    return [DivisionOut.model_validate(dict(row)) for row in rows]


async def names(conn: asyncpg.Connection, codes: Collection[str]) -> dict[str, str]:
    """Return the names of divisions by their codes."""
    rows = await conn.fetch("SELECT code, name FROM division WHERE code = ANY($1::text[])", list(codes))
    return {row["code"]: row["name"] for row in rows}


async def division(conn: asyncpg.Connection, code: str) -> DivisionOut | None:
    row = await conn.fetchrow("SELECT code, level, name, parent_code FROM division WHERE code = $1", code)
    return DivisionOut.model_validate(dict(row)) if row else None


async def is_known_area(conn: asyncpg.Connection, county: str, code: str) -> bool:
    """Say whether a code is a division, or a cell that the caller sees."""
    known: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM division WHERE code = $2)"
        " OR EXISTS (SELECT 1 FROM cell WHERE county_code = $1 AND area_code = $2)",
        county, code,
    )  # fmt: skip
    return known


def _cell(row: asyncpg.Record) -> CellOut:
    return CellOut.model_validate({**row, "geometry": orjson.loads(row["geometry"])})


async def cell(conn: asyncpg.Connection, county: str, code: str) -> CellOut | None:
    row = await conn.fetchrow(f"{_CELLS} AND c.area_code = $2", county, code)
    return _cell(row) if row else None


async def cells_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, CellOut]:
    """Return the cells of these ids that the caller sees."""
    rows = await conn.fetch(f"{_CELLS} AND c.id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: _cell(row) for row in rows}


async def cell_feature(conn: asyncpg.Connection, county: str, code: str) -> asyncpg.Record | None:
    """Return revision and GeoJSON text of a cell."""
    return await conn.fetchrow(
        f"SELECT rev, {_FEATURE}::text AS feature FROM ({_CELLS} AND c.area_code = $2) cells", county, code
    )


async def cell_rev(conn: asyncpg.Connection, county: str, code: str) -> int | None:
    """Return the revision of a cell; None for one that is not there or was closed."""
    rev: int | None = await conn.fetchval(
        "SELECT rev FROM cell c WHERE county_code = $1 AND area_code = $2 AND EXISTS (SELECT 1 FROM cell_boundary b"
        " WHERE b.county_code = $1 AND b.cell_id = c.id AND b.until_day >= DATE '9999-12-31')",
        county, code,
    )  # fmt: skip
    return rev


async def closed_cells(conn: asyncpg.Connection, county: str, codes: Sequence[str]) -> set[str]:
    """Return those of these codes whose cell was closed: a code is not used a second time."""
    rows = await conn.fetch(
        "SELECT c.area_code FROM cell c WHERE county_code = $1 AND area_code = ANY($2::text[]) AND NOT EXISTS"
        " (SELECT 1 FROM cell_boundary b WHERE b.county_code = $1 AND b.cell_id = c.id"
        " AND b.until_day >= DATE '9999-12-31')",
        county, list(codes),
    )  # fmt: skip
    return {row["area_code"] for row in rows}


def _page_of_area(page: PageParams) -> str:
    after = "AND (c.received_at, c.id) < ($4, $5)" if page.after else ""
    return (
        f"{_CELLS} AND c.area_code >= $2 AND c.area_code < $2 || ':' {after}"
        " ORDER BY c.received_at DESC, c.id DESC LIMIT $3"
    )


async def cells_of_area(conn: asyncpg.Connection, county: str, area: str, page: PageParams) -> list[CellOut]:
    """Return one cell more than a page, newest received first."""
    rows = await conn.fetch(_page_of_area(page), county, area, page.limit + 1, *(page.after or ()))
    return [_cell(row) for row in rows]


async def features_of_area(conn: asyncpg.Connection, county: str, area: str, page: PageParams) -> asyncpg.Record:
    """Return a page as GeoJSON text, how many cells there were up to one more than the page, and its last cell."""
    row = await conn.fetchrow(
        f"""
        WITH found AS MATERIALIZED ({_page_of_area(page)}),
        page AS (SELECT * FROM found ORDER BY received_at DESC, id DESC LIMIT $3 - 1)
        SELECT json_build_object('type', 'FeatureCollection', 'features',
                   coalesce(json_agg({_FEATURE} ORDER BY received_at DESC, id DESC), '[]'))::text AS collection,
               (SELECT count(*) FROM found) AS found,
               (array_agg(received_at ORDER BY received_at, id))[1] AS last_at,
               (array_agg(id ORDER BY received_at, id))[1] AS last_id
        FROM page
        """,
        county, area, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    assert row is not None
    return row


async def grid_version(conn: asyncpg.Connection, county: str) -> UUID | None:
    """Return the version of the county's grid; None before its first cell."""
    version: UUID | None = await conn.fetchval("SELECT version FROM grid_version WHERE county_code = $1", county)
    return version


async def set_grid_version(conn: asyncpg.Connection, county: str, version: UUID) -> None:
    await conn.execute(
        "INSERT INTO grid_version (county_code, version) VALUES ($1, $2)"
        " ON CONFLICT (county_code) DO UPDATE SET version = $2",
        county, version,
    )  # fmt: skip


async def basic_cells(conn: asyncpg.Connection, county: str, area: str) -> list[tuple[str, str, str]]:
    """Return (code, name, GeoJSON text) of the basic cells in an area, in the caller's present role."""
    rows = await conn.fetch(
        f"SELECT code, name, geometry::text FROM ({_CELLS} AND c.area_code >= $2 AND c.area_code < $2 || ':'"
        " AND c.kind = 'basic') cells",
        county, area,
    )  # fmt: skip
    return [tuple(row) for row in rows]


async def special_cells(conn: asyncpg.Connection, county: str, area: str) -> list[tuple[str, str, str, str, str]]:
    """Return (code, name, GeoJSON text, purpose, unit) of the special-purpose cells in an area."""
    rows = await conn.fetch(
        f"SELECT code, name, geometry::text, coalesce(purpose, ''), unit_name FROM ({_CELLS} AND c.area_code >= $2"
        " AND c.area_code < $2 || ':' AND c.kind = 'special') cells ORDER BY code",
        county, area,
    )  # fmt: skip
    return [tuple(row) for row in rows]


async def present_cells(conn: asyncpg.Connection, county: str, area: str) -> dict[str, CellOut]:
    """Return the cells of an area that have a boundary now, by their codes."""
    rows = await conn.fetch(
        f"{_CELLS} AND c.area_code >= $2 AND c.area_code < $2 || ':' ORDER BY c.area_code", county, area
    )
    return {row["code"]: _cell(row) for row in rows}


async def lock_boundaries(conn: asyncpg.Connection, county: str) -> None:
    """Let one change of boundaries after the other through: two new neighbours must see each other."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('boundaries ' || $1, 0))", county)


async def add_cell(
    conn: asyncpg.Connection, county: str, cell_id: UUID, code: str, body: CellIn, now: datetime
) -> None:
    await conn.execute(
        "INSERT INTO cell (county_code, id, area_code, name, kind, purpose, unit_name, unit_code, rev, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)",
        county, cell_id, code, body.name, body.kind, body.purpose, body.unit_name, body.unit_code, now,
    )  # fmt: skip


async def change_cell(conn: asyncpg.Connection, county: str, cell_id: UUID, body: CellIn) -> int:
    """Change a cell and return its new revision."""
    rev: int = await conn.fetchval(
        "UPDATE cell SET name = $3, kind = $4, purpose = $5, unit_name = $6, unit_code = $7, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2 RETURNING rev",
        county, cell_id, body.name, body.kind, body.purpose, body.unit_name, body.unit_code,
    )  # fmt: skip
    return rev


async def close_boundary(conn: asyncpg.Connection, county: str, cell_id: UUID, day: date) -> None:
    """End the present boundary the day another begins; one that began that very day never was."""
    await conn.execute(
        "DELETE FROM cell_boundary WHERE county_code = $1 AND cell_id = $2 AND from_day = $3", county, cell_id, day
    )
    await conn.execute(
        "UPDATE cell_boundary SET until_day = $3 WHERE county_code = $1 AND cell_id = $2 AND until_day = $4",
        county, cell_id, day, FOREVER,
    )  # fmt: skip


async def open_boundary(
    conn: asyncpg.Connection, county: str, row_id: UUID, code: str, cell_id: UUID, geometry: dict[str, Any],
    area_m2: int, day: date,
) -> None:  # fmt: skip
    await conn.execute(
        "INSERT INTO cell_boundary (county_code, id, area_code, cell_id, geometry, area_m2, from_day, until_day)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        county, row_id, code, cell_id, orjson.dumps(geometry).decode(), area_m2, day, FOREVER,
    )  # fmt: skip
