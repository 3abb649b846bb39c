"""SQL of push and pull."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backend.sync.cursors import Place

# What changes when the database was restored: our own word, the cluster's identity and its timeline.
_EPOCH = """
SELECT epoch || '-' || (SELECT system_identifier FROM pg_control_system()) || '-' ||
       (SELECT timeline_id FROM pg_control_checkpoint()) FROM county WHERE county_code = $1
"""


async def epoch(conn: asyncpg.Connection, county: str) -> str:
    found: str = await conn.fetchval(_EPOCH, county)
    return found


async def heads(conn: asyncpg.Connection, county: str, scopes: Sequence[str], own: str | None) -> dict[Place, int]:
    """Return the last number of every stream that each scope reads, and of the volunteer's own."""
    rows = await conn.fetch(
        """
        SELECT s.area, f.stream, f.seq FROM unnest($2::text[]) AS s(area) JOIN feed_head f ON f.county_code = $1
          AND (CASE WHEN length(s.area) >= 12 THEN f.stream = left(s.area, 12)
                    ELSE f.stream >= s.area AND f.stream < s.area || ':' END)
        UNION ALL
        SELECT '', stream, seq FROM feed_head WHERE county_code = $1 AND stream = $3
        """,
        county, list(scopes), own,
    )  # fmt: skip
    return {(row["area"], row["stream"]): row["seq"] for row in rows}


async def changes(
    conn: asyncpg.Connection, county: str, since: Sequence[tuple[str, str, int]], limit: int
) -> list[asyncpg.Record]:
    """Return at most `limit` changes after each place's number, place by place in their order."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT p.area, p.stream, c.kind, c.id, c.area_code, c.seq, c.gone
        FROM unnest($2::text[], $3::text[], $4::bigint[]) WITH ORDINALITY AS p(area, stream, after, place)
        CROSS JOIN LATERAL (
            SELECT kind, id, area_code, seq, gone FROM change
            WHERE county_code = $1 AND stream = p.stream AND seq > p.after
              AND (p.area = '' OR (area_code >= p.area AND area_code < p.area || ':'))
            ORDER BY seq LIMIT $5
        ) c
        ORDER BY p.place, c.seq LIMIT $5
        """,
        county, *(list(column) for column in zip(*since, strict=True)), limit,
    )  # fmt: skip
    return rows


_DEVICE = """
settled_seq, revoked_at, ARRAY(SELECT account_id FROM device_login l
                               WHERE l.county_code = d.county_code AND l.device_id = d.id) AS authors
"""


async def device(conn: asyncpg.Connection, county: str, device_id: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(f"SELECT {_DEVICE} FROM device d WHERE county_code = $1 AND id = $2", county, device_id)


async def lock_device(conn: asyncpg.Connection, county: str, device_id: UUID) -> None:
    """One push of a phone at a time: a repeat that overtakes its original waits and finds it settled."""
    await conn.execute("SELECT 1 FROM device WHERE county_code = $1 AND id = $2 FOR UPDATE", county, device_id)


async def edits_since(conn: asyncpg.Connection, county: str, entity_id: UUID, rev: int) -> list[asyncpg.Record]:
    """Return which fields were changed after a revision, and by which phone."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT fields, device_id, device_seq FROM edit WHERE county_code = $1 AND entity_id = $2 AND rev > $3",
        county, entity_id, rev,
    )  # fmt: skip
    return rows


async def settle(conn: asyncpg.Connection, county: str, device_id: UUID, seq: int) -> asyncpg.Record | None:
    """Move the phone's settled number on, which locks it; return it as `device` does, with the number's epoch."""
    return await conn.fetchrow(
        f"UPDATE device d SET settled_seq = greatest(settled_seq, $3) WHERE county_code = $1 AND id = $2"
        f" RETURNING {_DEVICE}, ({_EPOCH}) AS epoch",
        county, device_id, seq,
    )  # fmt: skip


async def all_grants(conn: asyncpg.Connection, county: str, accounts: Sequence[UUID]) -> list[asyncpg.Record]:
    """Return accounts with what they may do, and what they once could."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT a.id, a.display_name, coalesce(array_agg(g.role) FILTER (WHERE g.id IS NOT NULL), '{}') AS roles,"
        " coalesce(array_agg(g.area_code) FILTER (WHERE g.id IS NOT NULL), '{}') AS areas"
        " FROM account a LEFT JOIN role_grant g ON g.county_code = a.county_code AND g.account_id = a.id"
        " WHERE a.county_code = $1 AND a.id = ANY($2::uuid[]) GROUP BY a.id, a.display_name",
        county, list(accounts),
    )  # fmt: skip
    return rows
