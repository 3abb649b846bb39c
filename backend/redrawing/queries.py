"""SQL of plans of new boundaries, and of what stands on the ground they are about."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core.paging import PageParams
from shared.grid import PlanIn, PlanOut

_PLANS = """
SELECT id, area_code AS community_code, effective_on, reason, state, cells, closed, decisions, made_by_name AS made_by,
       moved, applied_at, rev, received_at
FROM boundary_plan WHERE county_code = $1
"""


def _plan(row: asyncpg.Record) -> PlanOut:
    decisions = [
        {"household_id": household, "cell_code": cell} for household, cell in orjson.loads(row["decisions"]).items()
    ]
    found = {name: orjson.loads(row[name]) for name in ("cells", "moved")}
    return PlanOut.model_validate({**row, **found, "decisions": decisions})


async def plan(conn: asyncpg.Connection, county: str, plan_id: UUID, *, lock: bool = False) -> PlanOut | None:
    row = await conn.fetchrow(f"{_PLANS} AND id = $2{' FOR UPDATE' if lock else ''}", county, plan_id)
    return _plan(row) if row else None


async def scheduled(conn: asyncpg.Connection, county: str, community: str) -> PlanOut | None:
    row = await conn.fetchrow(f"{_PLANS} AND area_code = $2 AND state = 'scheduled'", county, community)
    return _plan(row) if row else None


async def due(conn: asyncpg.Connection, county: str, day: date) -> list[PlanOut]:
    rows = await conn.fetch(
        f"{_PLANS} AND state = 'scheduled' AND effective_on <= $2 ORDER BY effective_on, id", county, day
    )
    return [_plan(row) for row in rows]


async def page(conn: asyncpg.Connection, county: str, area: str, page: PageParams) -> list[PlanOut]:
    """Return one plan more than a page, newest first."""
    after = "AND (received_at, id) < ($4, $5)" if page.after else ""
    rows = await conn.fetch(
        f"{_PLANS} AND area_code >= $2 AND area_code < $2 || ':' {after} ORDER BY received_at DESC, id DESC LIMIT $3",
        county, area, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [_plan(row) for row in rows]


async def add(conn: asyncpg.Connection, county: str, plan_id: UUID, body: PlanIn, **made: Any) -> None:
    """Store a plan; `made` names who made it, when, and its state."""
    await conn.execute(
        "INSERT INTO boundary_plan (county_code, id, area_code, rev, received_at, effective_on, reason, state, cells,"
        " closed, decisions, made_by, made_by_name, moved)"
        " VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, '{}', $10, $11, '{}')",
        county, plan_id, body.community_code, made["at"], body.effective_on, body.reason, made["state"], _cells(body),
        body.closed, made["by"], made["name"],
    )  # fmt: skip


async def change(conn: asyncpg.Connection, county: str, plan_id: UUID, body: PlanIn) -> None:
    await conn.execute(
        "UPDATE boundary_plan SET effective_on = $3, reason = $4, cells = $5, closed = $6, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2",
        county, plan_id, body.effective_on, body.reason, _cells(body), body.closed,
    )  # fmt: skip


def _cells(body: PlanIn) -> str:
    return orjson.dumps([cell.model_dump(mode="json") for cell in body.cells]).decode()


async def set_decisions(conn: asyncpg.Connection, county: str, plan_id: UUID, decisions: dict[str, str]) -> None:
    await conn.execute(
        "UPDATE boundary_plan SET decisions = decisions || $3, rev = rev + 1 WHERE county_code = $1 AND id = $2",
        county, plan_id, orjson.dumps(decisions).decode(),
    )  # fmt: skip


async def set_state(
    conn: asyncpg.Connection, county: str, plan_id: UUID, state: str, moved: dict[str, int] | None = None,
    at: Any = None,
) -> None:  # fmt: skip
    await conn.execute(
        "UPDATE boundary_plan SET state = $3, moved = coalesce($4, moved), applied_at = $5, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2",
        county, plan_id, state, orjson.dumps(moved).decode() if moved is not None else None, at,
    )  # fmt: skip


async def homes(conn: asyncpg.Connection, county: str, community: str, *, lock: bool) -> list[asyncpg.Record]:
    """Return the households of a community with their doors, in the order of their ids."""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"""
        SELECT h.id, h.area_code, h.head_name, h.dwelling_id, h.due_on, d.compound, d.building, d.unit, d.room,
               d.lon, d.lat
        FROM household h
        JOIN LATERAL (
            SELECT * FROM dwelling WHERE county_code = h.county_code AND id = h.dwelling_id OFFSET 0
        ) d ON true
        WHERE h.county_code = $1 AND h.area_code >= $2 AND h.area_code < $2 || ':'
        ORDER BY h.id {"FOR UPDATE OF h" if lock else ""}
        """,
        county, community,
    )  # fmt: skip
    return rows


async def requests(conn: asyncpg.Connection, county: str, community: str, *, lock: bool) -> list[asyncpg.Record]:
    """Return the requests of a community, ended ones too: they follow their household or their place."""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"""
        SELECT id, area_code, household_id, lon, lat, state IN ('closed', 'cancelled', 'rejected', 'done') AS ended
        FROM request WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'
        ORDER BY id {"FOR UPDATE" if lock else ""}
        """,
        county, community,
    )  # fmt: skip
    return rows


async def empty_doors(conn: asyncpg.Connection, county: str, community: str, *, lock: bool) -> list[asyncpg.Record]:
    """Return the doors of a community that nobody lives behind."""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"""
        SELECT d.id, d.area_code, d.lon, d.lat FROM dwelling d
        WHERE d.county_code = $1 AND d.area_code >= $2 AND d.area_code < $2 || ':' AND NOT d.id = ANY (ARRAY(
            SELECT dwelling_id FROM household WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'
        ))
        ORDER BY d.id {"FOR UPDATE" if lock else ""}
        """,
        county, community,
    )  # fmt: skip
    return rows


async def residents_of(conn: asyncpg.Connection, county: str, households: Sequence[UUID]) -> list[UUID]:
    rows = await conn.fetch(
        "SELECT id FROM resident WHERE county_code = $1 AND household_id = ANY($2::uuid[]) ORDER BY id",
        county, list(households),
    )  # fmt: skip
    return [row["id"] for row in rows]


async def open_offers(conn: asyncpg.Connection, county: str, requests: Sequence[UUID]) -> list[UUID]:
    rows = await conn.fetch(
        "SELECT id FROM offer WHERE county_code = $1 AND request_id = ANY($2::uuid[]) AND state = 'offered'"
        " ORDER BY id",
        county, list(requests),
    )  # fmt: skip
    return [row["id"] for row in rows]


async def move(
    conn: asyncpg.Connection, county: str, table: str, key: str, ids: Sequence[UUID], pair: tuple[str, str]
) -> list[UUID]:
    """Let rows of a table follow from one area to another and return their ids; `table` and `key` are ours.

    One statement for each pair of areas: joined with a list of all of them, the planner, who expects one row of any
    table under row-level security, would compare every row with every entry.
    """
    rows = await conn.fetch(
        f"UPDATE {table} SET area_code = $4 WHERE county_code = $1 AND {key} = ANY($2::uuid[]) AND area_code = $3"
        " RETURNING id",
        county, list(ids), *pair,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def move_stored(
    conn: asyncpg.Connection, county: str, table: str, key: str, ids: Sequence[UUID], pair: tuple[str, str],
    account: UUID, now: Any,
) -> list[UUID]:  # fmt: skip
    """The same for rows with a revision, which goes up, and with a note of who moved them."""
    rows = await conn.fetch(
        f"""
        WITH moved AS (
            UPDATE {table} SET area_code = $4, rev = rev + 1
            WHERE county_code = $1 AND {key} = ANY($2::uuid[]) AND area_code = $3 RETURNING id, rev
        ), noted AS (
            INSERT INTO edit (county_code, entity_id, rev, area_code, fields, account_id, at)
            SELECT $1, id, rev, $4, ARRAY['area_code'], $5, $6 FROM moved
        )
        SELECT id FROM moved
        """,
        county, list(ids), *pair, account, now,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def note_where_they_lay(
    conn: asyncpg.Connection, county: str, households: Sequence[UUID], left: str, day: date
) -> None:
    """Write down that households lay in a cell until a day: a visit of before may still be on its way."""
    await conn.execute(
        "UPDATE household SET lay_in = lay_in || jsonb_build_array(jsonb_build_object('area', $3::text, 'until',"
        " $4::date)) WHERE county_code = $1 AND id = ANY($2::uuid[])",
        county, list(households), left, day,
    )  # fmt: skip


async def move_keys(conn: asyncpg.Connection, county: str, entities: Sequence[UUID], pair: tuple[str, str]) -> None:
    await conn.execute(
        "UPDATE search_key SET area_code = $4 WHERE county_code = $1 AND area_code = $3"
        " AND entity_id = ANY($2::uuid[])",
        county, list(entities), *pair,
    )  # fmt: skip


async def end_duties(
    conn: asyncpg.Connection, county: str, households: Sequence[UUID], closed: Sequence[str], day: date
) -> None:
    """End who looked after households that have moved, and every role in a closed cell."""
    await conn.execute(
        "UPDATE household_duty SET until_day = greatest(from_day, $3) WHERE county_code = $1"
        " AND household_id = ANY($2::uuid[]) AND until_day > $3",
        county, list(households), day,
    )  # fmt: skip
    await conn.execute(
        "UPDATE cell_duty SET until_day = greatest(from_day, $3), rev = rev + 1 WHERE county_code = $1"
        " AND area_code = ANY($2::text[]) AND until_day > $3",
        county, list(closed), day,
    )  # fmt: skip


async def moves_into(
    conn: asyncpg.Connection, county: str, closed: Sequence[str], community: str
) -> list[tuple[UUID, str]]:
    """Let arrivals that a closed cell expects be expected by the community; return each with the cell it left."""
    rows = await conn.fetch(
        """
        WITH was AS (
            SELECT id, area_code FROM move WHERE county_code = $1 AND area_code = ANY($2::text[]) ORDER BY id FOR UPDATE
        )
        UPDATE move m SET area_code = $3, rev = m.rev + 1 FROM was WHERE m.county_code = $1 AND m.id = was.id
        RETURNING m.id, was.area_code
        """,
        county, list(closed), community,
    )  # fmt: skip
    return [tuple(row) for row in rows]


async def widen_duplicates(conn: asyncpg.Connection, county: str, left: Sequence[str], community: str) -> None:
    await conn.execute(
        "UPDATE duplicate SET area_code = $3, rev = rev + 1 WHERE county_code = $1 AND area_code = ANY($2::text[])",
        county, list(left), community,
    )  # fmt: skip
