"""SQL of roles in a cell and of the households that a worker looks after."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from backend.core.clock import FOREVER
from backend.duties.rules import Days
from shared.auth import Role
from shared.duties import DutyIn, DutyOut, HouseholdListOut

_DUTIES = """
SELECT d.id, d.area_code AS cell_code, d.role, d.account_id, a.display_name AS name, d.from_day,
       CASE WHEN d.until_day < '9999-12-31' THEN d.until_day END AS until_day,
       d.stand_in_id, s.display_name AS stand_in, d.stand_in_from, d.stand_in_until, d.rev
FROM cell_duty d
JOIN account a ON a.county_code = d.county_code AND a.id = d.account_id
LEFT JOIN account s ON s.county_code = d.county_code AND s.id = d.stand_in_id
WHERE d.county_code = $1
"""


def _duty(row: asyncpg.Record) -> DutyOut:
    stand_in = row["stand_in_id"] and {
        "account_id": row["stand_in_id"], "name": row["stand_in"], "from_day": row["stand_in_from"],
        "until_day": row["stand_in_until"],
    }  # fmt: skip
    return DutyOut.model_validate({**row, "stand_in": stand_in})


async def duties_on(conn: asyncpg.Connection, county: str, cell: str, day: date) -> list[DutyOut]:
    rows = await conn.fetch(
        f"{_DUTIES} AND d.area_code = $2 AND d.from_day <= $3 AND d.until_day > $3"
        " ORDER BY array_position(ARRAY['in_charge', 'informed', 'serving'], d.role), d.from_day, d.id",
        county, cell, day,
    )  # fmt: skip
    return [_duty(row) for row in rows]


async def of_cells(
    conn: asyncpg.Connection, county: str, cells: Sequence[str], day: date
) -> tuple[dict[str, list[DutyOut]], dict[str, list[HouseholdListOut]]]:
    """Return who answers for these cells on a day or a later one, and who looks after which households."""
    duties: dict[str, list[DutyOut]] = {}
    for row in await conn.fetch(
        f"{_DUTIES} AND d.area_code = ANY ($2::text[]) AND d.until_day > $3"
        " ORDER BY array_position(ARRAY['in_charge', 'informed', 'serving'], d.role), d.from_day, d.id",
        county, list(cells), day,
    ):  # fmt: skip
        duties.setdefault(row["cell_code"], []).append(_duty(row))
    lists: dict[str, list[HouseholdListOut]] = {}
    for row in await conn.fetch(
        "SELECT d.area_code, d.account_id, a.display_name AS name,"
        " array_agg(d.household_id ORDER BY d.household_id) AS household_ids"
        " FROM household_duty d JOIN account a ON a.county_code = d.county_code AND a.id = d.account_id"
        " WHERE d.county_code = $1 AND d.area_code = ANY ($2::text[]) AND d.from_day <= $3 AND d.until_day > $3"
        " GROUP BY d.area_code, d.account_id, a.display_name ORDER BY d.area_code, d.account_id",
        county, list(cells), day,
    ):  # fmt: skip
        lists.setdefault(row["area_code"], []).append(HouseholdListOut.model_validate(dict(row)))
    return duties, lists


async def cells_of(conn: asyncpg.Connection, county: str, codes: Sequence[str]) -> list[tuple[UUID, str]]:
    """Return the ids of the cells of these codes."""
    rows = await conn.fetch(
        "SELECT id, area_code FROM cell WHERE county_code = $1 AND area_code = ANY ($2::text[])", county, list(codes)
    )
    return [(row["id"], row["area_code"]) for row in rows]


async def duty(conn: asyncpg.Connection, county: str, duty_id: UUID) -> DutyOut | None:
    row = await conn.fetchrow(f"{_DUTIES} AND d.id = $2", county, duty_id)
    return _duty(row) if row else None


async def in_charge(conn: asyncpg.Connection, county: str, cell: str, but: UUID) -> list[Days]:
    """Return when somebody is in charge of a cell, besides one duty; whoever assigns waits for the other to finish."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('duties ' || $1, 0))", cell)
    rows = await conn.fetch(
        "SELECT from_day, least(until_day, '9999-12-31') AS until_day FROM cell_duty"
        " WHERE county_code = $1 AND area_code = $2 AND role = 'in_charge' AND id <> $3",
        county, cell, but,
    )  # fmt: skip
    return [Days(*row) for row in rows]


async def put_duty(
    conn: asyncpg.Connection, county: str, duty_id: UUID, cell: str, body: DutyIn, now: datetime
) -> None:
    """Store a role, or change the one of this id."""
    standing = body.stand_in
    await conn.execute(
        """
        INSERT INTO cell_duty (county_code, id, area_code, rev, received_at, role, account_id, from_day, until_day,
                               stand_in_id, stand_in_from, stand_in_until)
        VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (county_code, id) DO UPDATE SET role = $5, account_id = $6, from_day = $7, until_day = $8,
            stand_in_id = $9, stand_in_from = $10, stand_in_until = $11, rev = cell_duty.rev + 1
        """,
        county, duty_id, cell, now, body.role, body.account_id, body.from_day, body.until_day or FOREVER,
        standing and standing.account_id, standing and standing.from_day, standing and standing.until_day,
    )  # fmt: skip


async def grants_on(conn: asyncpg.Connection, county: str, account: UUID, day: date) -> list[tuple[Role, str]] | None:
    """Return the grants of an active account in force on a day; None when there is no such account."""
    rows = await conn.fetch(
        "SELECT g.role, g.area_code FROM account a LEFT JOIN role_grant g ON g.county_code = a.county_code"
        " AND g.account_id = a.id AND g.from_day <= $3 AND g.until_day > $3"
        " WHERE a.county_code = $1 AND a.id = $2 AND a.active ORDER BY g.area_code",
        county, account, day,
    )  # fmt: skip
    return [(Role(row["role"]), row["area_code"]) for row in rows if row["role"]] if rows else None


async def household_lists(conn: asyncpg.Connection, county: str, cell: str, day: date) -> list[HouseholdListOut]:
    rows = await conn.fetch(
        "SELECT d.account_id, a.display_name AS name,"
        " array_agg(d.household_id ORDER BY d.household_id) AS household_ids"
        " FROM household_duty d JOIN account a ON a.county_code = d.county_code AND a.id = d.account_id"
        " WHERE d.county_code = $1 AND d.area_code = $2 AND d.from_day <= $3 AND d.until_day > $3"
        " GROUP BY d.account_id, a.display_name ORDER BY d.account_id",
        county, cell, day,
    )  # fmt: skip
    return [HouseholdListOut.model_validate(dict(row)) for row in rows]


async def lock_households(conn: asyncpg.Connection, county: str, cell: str, ids: Sequence[UUID]) -> set[UUID]:
    """Lock those of these households that are in the cell."""
    rows = await conn.fetch(
        "SELECT id FROM household WHERE county_code = $1 AND id = ANY($3::uuid[]) AND area_code = $2"
        " ORDER BY id FOR UPDATE",
        county, cell, sorted(set(ids)),
    )  # fmt: skip
    return {row["id"] for row in rows}


async def set_households(
    conn: asyncpg.Connection, county: str, cell: str, account: UUID, ids: Sequence[UUID], day: date
) -> None:
    """Let a worker look after just these households of a cell from a day on; a household has one worker."""
    await conn.execute(
        "UPDATE household_duty SET until_day = greatest(from_day, $5) WHERE county_code = $1 AND until_day > $5"
        " AND (area_code = $2 AND account_id = $3 AND household_id <> ALL($4::uuid[])"
        "      OR household_id = ANY($4::uuid[]) AND account_id <> $3)",
        county, cell, account, list(ids), day,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO household_duty (county_code, id, area_code, household_id, account_id, from_day, until_day)"
        " SELECT $1, gen_random_uuid(), $2, h, $3, $5, $6 FROM unnest($4::uuid[]) AS h WHERE NOT EXISTS"
        " (SELECT 1 FROM household_duty o WHERE o.county_code = $1 AND o.household_id = h AND o.until_day > $5)",
        county, cell, account, list(ids), day, FOREVER,
    )  # fmt: skip


async def name_of(conn: asyncpg.Connection, county: str, account: UUID) -> str | None:
    found: str | None = await conn.fetchval(
        "SELECT display_name FROM account WHERE county_code = $1 AND id = $2", county, account
    )
    return found
