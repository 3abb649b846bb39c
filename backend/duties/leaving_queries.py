"""SQL of leaving a post. What belongs to an area is read and written by the transfer role: somebody's open work may lie
where neither they nor whoever hands it over may look."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from backend.core.clock import FOREVER
from backend.duties.rules import ENDING


class Successor(NamedTuple):
    """Who leaves, who comes, and when."""

    leaver: UUID
    leaver_name: str
    to: UUID
    to_name: str
    day: date
    now: datetime


async def open_requests(conn: asyncpg.Connection, county: str, account: UUID) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT id, number, area_code, state, handler_id = $2 AS handles, owner_id = $2 AS owns FROM request"
        " WHERE county_code = $1 AND state NOT IN ('closed', 'cancelled', 'rejected')"
        " AND (handler_id = $2 OR owner_id = $2) ORDER BY id FOR UPDATE",
        county, account,
    )  # fmt: skip
    return rows


async def take_requests(
    conn: asyncpg.Connection, county: str, who: Successor, ids: Sequence[UUID], by: UUID, note: str
) -> list[asyncpg.Record]:
    """Give requests to the successor, with a step in each that says so."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        WITH taken AS (
            UPDATE request SET rev = rev + 1,
                handler_id = CASE WHEN handler_id = $3 THEN $4 ELSE handler_id END,
                handler_name = CASE WHEN handler_id = $3 THEN $5 ELSE handler_name END,
                owner_id = CASE WHEN owner_id = $3 THEN $4 ELSE owner_id END,
                owner_name = CASE WHEN owner_id = $3 THEN $5 ELSE owner_name END
            WHERE county_code = $1 AND id = ANY($2::uuid[]) RETURNING id, area_code, state, rev
        ), noted AS (
            INSERT INTO request_event (county_code, id, area_code, request_id, at, account_id, from_state, to_state,
                                       reason)
            SELECT $1, gen_random_uuid(), area_code, id, $6, $7, state, state, $8 FROM taken
        )
        SELECT id, area_code, rev FROM taken ORDER BY id
        """,
        county, list(ids), who.leaver, who.to, who.to_name, who.now, by, note,
    )  # fmt: skip
    return rows


async def open_duties(conn: asyncpg.Connection, county: str, who: Successor) -> list[asyncpg.Record]:
    """Lock the roles that somebody holds or stands in for."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT id, area_code, role, account_id = $2 AS holds FROM cell_duty"
        " WHERE county_code = $1 AND until_day > $3 AND (account_id = $2 OR stand_in_id = $2) ORDER BY id FOR UPDATE",
        county, who.leaver, who.day,
    )  # fmt: skip
    return rows


async def end_duties(conn: asyncpg.Connection, county: str, who: Successor) -> None:
    """End the roles of whoever leaves, and let nobody be stood in for by them."""
    await conn.execute(
        "UPDATE cell_duty SET until_day = greatest(from_day, $3), rev = rev + 1"
        " WHERE county_code = $1 AND account_id = $2 AND until_day > $3",
        county, who.leaver, who.day,
    )  # fmt: skip
    await conn.execute(
        "UPDATE cell_duty SET stand_in_id = NULL, stand_in_from = NULL, stand_in_until = NULL, rev = rev + 1"
        " WHERE county_code = $1 AND stand_in_id = $2 AND until_day > $3",
        county, who.leaver, who.day,
    )  # fmt: skip


async def take_duties(conn: asyncpg.Connection, county: str, who: Successor, ids: Sequence[UUID]) -> list[UUID]:
    """Let the successor hold these roles from the day on, as long as they were to be held. Before they are ended."""
    rows = await conn.fetch(
        "INSERT INTO cell_duty (county_code, id, area_code, rev, received_at, role, account_id, from_day, until_day,"
        " stand_in_id, stand_in_from, stand_in_until)"
        " SELECT $1, gen_random_uuid(), area_code, 1, $5, role, $3, greatest(from_day, $4), until_day,"
        " CASE WHEN keeps THEN stand_in_id END, CASE WHEN keeps THEN stand_in_from END,"
        " CASE WHEN keeps THEN stand_in_until END"
        " FROM (SELECT *, stand_in_id <> $3 AS keeps FROM cell_duty) d"
        " WHERE county_code = $1 AND id = ANY($2::uuid[]) RETURNING id",
        county, list(ids), who.to, who.day, who.now,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def household_areas(conn: asyncpg.Connection, county: str, who: Successor) -> dict[str, int]:
    """Return in which cells somebody looks after how many households."""
    rows = await conn.fetch(
        "SELECT area_code, count(*) AS n FROM household_duty"
        " WHERE county_code = $1 AND account_id = $2 AND until_day > $3 GROUP BY area_code ORDER BY area_code",
        county, who.leaver, who.day,
    )  # fmt: skip
    return {row["area_code"]: row["n"] for row in rows}


async def take_households(conn: asyncpg.Connection, county: str, who: Successor, areas: Sequence[str]) -> None:
    """End all lists of whoever leaves, and open those in these cells for the successor."""
    ended = await conn.fetch(
        "UPDATE household_duty SET until_day = greatest(from_day, $3)"
        " WHERE county_code = $1 AND account_id = $2 AND until_day > $3 RETURNING area_code, household_id",
        county, who.leaver, who.day,
    )  # fmt: skip
    taken = [(row["area_code"], row["household_id"]) for row in ended if row["area_code"] in areas]
    await conn.executemany(
        "INSERT INTO household_duty (county_code, id, area_code, household_id, account_id, from_day, until_day)"
        " VALUES ($1, gen_random_uuid(), $2, $3, $4, $5, $6)",
        [(county, *one, who.to, who.day, FOREVER) for one in taken],
    )


async def end_grants(conn: asyncpg.Connection, county: str, account: UUID, day: date) -> int:
    tag: str = await conn.execute(
        "UPDATE role_grant SET until_day = $3 WHERE county_code = $1 AND account_id = $2 AND until_day > $3"
        " AND role = ANY($4::text[])",
        county, account, day, sorted(ENDING),
    )  # fmt: skip
    return int(tag.rpartition(" ")[2])


async def other_admins(conn: asyncpg.Connection, county: str, account: UUID, day: date) -> int:
    """Count the other accounts that administer the county on a day."""
    found: int = await conn.fetchval(
        "SELECT count(DISTINCT a.id) FROM role_grant g JOIN account a ON a.county_code = g.county_code"
        " AND a.id = g.account_id WHERE g.county_code = $1 AND g.role = 'county_admin' AND g.from_day <= $3"
        " AND g.until_day > $3 AND a.active AND a.id <> $2",
        county, account, day,
    )  # fmt: skip
    return found


async def revoke_devices(conn: asyncpg.Connection, county: str, account: UUID, now: datetime) -> list[UUID]:
    """Revoke the phones that only this account has used: a shared one goes on serving the others."""
    rows = await conn.fetch(
        "UPDATE device d SET revoked_at = $3 WHERE county_code = $1 AND revoked_at IS NULL AND EXISTS"
        " (SELECT 1 FROM device_login l WHERE l.county_code = $1 AND l.device_id = d.id AND l.account_id = $2)"
        " AND NOT EXISTS (SELECT 1 FROM device_login l WHERE l.county_code = $1 AND l.device_id = d.id"
        " AND l.account_id <> $2) RETURNING id",
        county, account, now,
    )  # fmt: skip
    return sorted(row["id"] for row in rows)


async def end_tokens(conn: asyncpg.Connection, county: str, account: UUID, now: datetime) -> None:
    await conn.execute(
        "UPDATE refresh_token SET ended_at = $3 WHERE county_code = $1 AND account_id = $2 AND ended_at IS NULL",
        county, account, now,
    )  # fmt: skip
