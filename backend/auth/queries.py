"""SQL of accounts, tokens, keys and devices."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg


async def account_by_username(conn: asyncpg.Connection, username: str) -> list[asyncpg.Record]:
    """Return accounts of this name, one a county."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT county_code, id, password_hash FROM account WHERE username = $1 AND active", username
    )
    return rows


async def count_failure(conn: asyncpg.Connection, key: str, now: datetime) -> int | None:
    """Count a failed attempt and return how many there were, or None while blocked; a day without one starts anew.

    Whoever counts at the same moment waits for the commit, and sees the block that came of it.
    """
    count: int | None = await conn.fetchval(
        """
        INSERT INTO login_counter (key, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (key) DO UPDATE SET last_at = $2,
          failures = CASE WHEN login_counter.last_at < $2 - interval '1 day' THEN 1 ELSE login_counter.failures + 1 END
          WHERE login_counter.blocked_until IS NULL OR login_counter.blocked_until <= $2
        RETURNING failures
        """,
        key, now,
    )  # fmt: skip
    return count


async def block(conn: asyncpg.Connection, key: str, until: datetime) -> None:
    await conn.execute("UPDATE login_counter SET blocked_until = $2 WHERE key = $1", key, until)


async def forget_failures(conn: asyncpg.Connection, key: str) -> None:
    await conn.execute("DELETE FROM login_counter WHERE key = $1", key)


async def add_refresh(
    conn: asyncpg.Connection, county: str, row_id: UUID, account: UUID, family: UUID, digest: bytes,
    now: datetime, expires: datetime, device: UUID | None,
) -> None:  # fmt: skip
    await conn.execute(
        "INSERT INTO refresh_token (county_code, id, account_id, family_id, token_hash, made_at, expires_at, device_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        county, row_id, account, family, digest, now, expires, device,
    )  # fmt: skip


async def refresh_by_hash(conn: asyncpg.Connection, digest: bytes) -> asyncpg.Record | None:
    """Return the token's row, its family locked until the transaction ends.

    `left_behind`: another token of the family was first used after this one was made, so the family moved on without
    it. Its forebears were first used before, or at the very moment, it was made.
    """
    family = await conn.fetchval("SELECT family_id FROM refresh_token WHERE token_hash = $1", digest)
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('family ' || $1::text, 0))", str(family))
    return await conn.fetchrow(
        """
        SELECT t.*, EXISTS (SELECT 1 FROM device d WHERE d.county_code = t.county_code AND d.id = t.device_id
                              AND d.revoked_at IS NOT NULL) AS shut_out,
               EXISTS (SELECT 1 FROM refresh_token o WHERE o.county_code = t.county_code
                              AND o.family_id = t.family_id AND o.id <> t.id AND o.used_at > t.made_at) AS left_behind
        FROM refresh_token t WHERE t.token_hash = $1
        """,
        digest,
    )  # fmt: skip


async def use_refresh(conn: asyncpg.Connection, county: str, row_id: UUID, now: datetime) -> None:
    await conn.execute(
        "UPDATE refresh_token SET used_at = coalesce(used_at, $3) WHERE county_code = $1 AND id = $2",
        county, row_id, now,
    )  # fmt: skip


async def end_family(conn: asyncpg.Connection, county: str, family: UUID, now: datetime) -> None:
    await conn.execute(
        "UPDATE refresh_token SET ended_at = $3 WHERE county_code = $1 AND family_id = $2 AND ended_at IS NULL",
        county, family, now,
    )  # fmt: skip


async def me(conn: asyncpg.Connection, county: str, account: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT a.username, c.name AS county_name FROM account a JOIN county c USING (county_code)"
        " WHERE a.county_code = $1 AND a.id = $2",
        county, account,
    )  # fmt: skip


async def sign_in_on_device(
    conn: asyncpg.Connection, county: str, device: UUID, account: UUID, name: str, now: datetime
) -> asyncpg.Record | None:
    """Register the phone and that this account is used on it; a revoked phone gives None."""
    row = await conn.fetchrow(
        """
        INSERT INTO device (county_code, id, name, settled_seq, registered_at) VALUES ($1, $2, $3, 0, $4)
        ON CONFLICT (county_code, id) DO UPDATE
          SET name = CASE WHEN $3 = '' OR device.revoked_at IS NOT NULL THEN device.name ELSE $3 END
        RETURNING id, name, settled_seq, registered_at, revoked_at
        """,
        county, device, name, now,
    )  # fmt: skip
    if row["revoked_at"] is None:
        await conn.execute(
            "INSERT INTO device_login (county_code, device_id, account_id, at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (county_code, device_id, account_id) DO UPDATE SET at = $4",
            county, device, account, now,
        )  # fmt: skip
        return row
    return None


_DEVICES = """
SELECT d.id, d.name, d.settled_seq, d.registered_at, d.revoked_at,
       ARRAY(SELECT a.display_name FROM device_login l JOIN account a ON a.county_code = l.county_code
             AND a.id = l.account_id WHERE l.county_code = d.county_code AND l.device_id = d.id ORDER BY l.at) AS users
FROM device d WHERE d.county_code = $1
"""


async def devices(conn: asyncpg.Connection, county: str, account: UUID | None) -> list[asyncpg.Record]:
    """Return phones, the latest first; those that an account has signed in on, when one is named."""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"{_DEVICES} AND ($2::uuid IS NULL OR EXISTS (SELECT 1 FROM device_login l WHERE l.county_code = d.county_code"
        " AND l.device_id = d.id AND l.account_id = $2)) ORDER BY d.registered_at DESC LIMIT 500",
        county, account,
    )  # fmt: skip
    return rows


async def revoked_devices(conn: asyncpg.Connection, county: str) -> frozenset[UUID]:
    rows = await conn.fetch("SELECT id FROM device WHERE county_code = $1 AND revoked_at IS NOT NULL", county)
    return frozenset(row["id"] for row in rows)


async def set_revoked(
    conn: asyncpg.Connection, county: str, device: UUID, at: datetime | None
) -> asyncpg.Record | None:
    """Shut a phone out, keeping the first time when it was already, or let it in again."""
    await conn.execute(
        "UPDATE device SET revoked_at = CASE WHEN $3::timestamptz IS NULL THEN NULL ELSE coalesce(revoked_at, $3) END"
        " WHERE county_code = $1 AND id = $2",
        county, device, at,
    )  # fmt: skip
    return await conn.fetchrow(f"{_DEVICES} AND d.id = $2", county, device)


async def add_account(conn: asyncpg.Connection, row: dict[str, Any]) -> None:
    await conn.execute(
        "INSERT INTO account (county_code, id, username, display_name, password_hash, volunteer_id, active, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, true, $7)",
        row["county_code"], row["id"], row["username"], row["display_name"], row["password_hash"],
        row["volunteer_id"], row["created_at"],
    )  # fmt: skip


async def add_grant(
    conn: asyncpg.Connection, county: str, row_id: UUID, account: UUID, role: str, area: str, now: datetime
) -> None:
    await conn.execute(
        "INSERT INTO role_grant (county_code, id, account_id, role, area_code, from_day, until_day)"
        " VALUES ($1, $2, $3, $4, $5, ($6::timestamptz AT TIME ZONE 'Asia/Shanghai')::date, '9999-12-31')",
        county, row_id, account, role, area, now,
    )  # fmt: skip


async def add_api_key(
    conn: asyncpg.Connection,
    county: str,
    row_id: UUID,
    account: UUID,
    name: str,
    area: str,
    digest: bytes,
    now: datetime,
) -> None:
    await conn.execute(
        "INSERT INTO api_key (county_code, id, account_id, name, area_code, key_hash, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        county, row_id, account, name, area, digest, now,
    )  # fmt: skip


async def revoke_api_key(conn: asyncpg.Connection, county: str, row_id: UUID, now: datetime) -> bool:
    tag: str = await conn.execute(
        "UPDATE api_key SET revoked_at = $3 WHERE county_code = $1 AND id = $2 AND revoked_at IS NULL",
        county, row_id, now,
    )  # fmt: skip
    return tag == "UPDATE 1"
