"""What a transaction owes at its end: ledger, audit trail and feed, in one statement and with the feed heads last.

Heads are what everybody waits for. Locked last and in one order they last the shortest time and cannot deadlock.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.core.feed import MissingHead, Pending


def document(rows: Sequence[Any]) -> str:
    """Rows as one JSON parameter: the driver takes four times as long for an array per column."""
    return orjson.dumps(rows, default=_plain).decode()


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


async def write(
    conn: asyncpg.Connection, county: str, now: datetime, changes: Pending, *, account: UUID | None = None,
    request_id: str = "", settled: Sequence[Any] = (), audits: Sequence[Any] = (),
) -> None:  # fmt: skip
    """Write everything owed. The caller's transaction writes nothing after this."""
    streams = sorted({stream for stream, *_ in changes})
    if len(streams) > 1:
        await conn.fetch(_LOCK, county, streams)
    moved = [{**dict(zip(_CHANGED, key, strict=True)), "gone": gone} for key, gone in changes.items()]
    documents = document(settled), document(audits), document(moved)
    written = await conn.execute(_WRITE, county, account, now, request_id, *documents)
    if written != f"INSERT 0 {len(changes)}":
        raise MissingHead(streams)


_CHANGED = ("stream", "kind", "id", "area_code")

_LOCK = "SELECT 1 FROM feed_head WHERE county_code = $1 AND stream = ANY($2::text[]) ORDER BY stream FOR UPDATE"

_WRITE = """
WITH settled AS (
    INSERT INTO operation (county_code, id, account_id, device_id, device_seq, kind, entity_id, outcome, code, rev,
                           content_hmac, received_at)
    SELECT $1, op_id, coalesce(account_id, $2), device_id, device_seq, kind, entity_id, outcome, code, rev,
           decode(content_hmac, 'hex'), $3
    FROM json_to_recordset($5::json)
      AS o(op_id uuid, kind text, entity_id uuid, outcome text, content_hmac text, code text, rev int, device_id uuid,
           device_seq bigint, account_id uuid)
    RETURNING 1
), noted AS (
    INSERT INTO audit (county_code, id, area_code, at, account_id, action, entity_kind, entity_id, detail, request_id)
    SELECT $1, id, area_code, $3, $2, action, kind, entity_id, detail, $4
    FROM json_to_recordset($6::json)
      AS a(id uuid, area_code text, action text, kind text, entity_id uuid, detail jsonb)
    RETURNING 1
), want AS (
    SELECT * FROM json_to_recordset($7::json) AS w(stream text, kind text, id uuid, area_code text, gone bool)
), size AS (
    SELECT stream, count(*) AS n FROM want GROUP BY stream
), head AS (
    UPDATE feed_head f SET seq = f.seq + size.n
      FROM size, (SELECT (SELECT count(*) FROM settled) + (SELECT count(*) FROM noted) AS before) AS written
     WHERE f.county_code = $1 AND f.stream = size.stream AND written.before >= 0  -- unread, it would not be waited for
    RETURNING f.stream, f.seq - size.n AS base
)
INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)
SELECT $1, w.stream, w.kind, w.id, w.area_code,
       head.base + row_number() OVER (PARTITION BY w.stream), w.gone, $3
FROM want w JOIN head USING (stream)
ON CONFLICT (county_code, stream, kind, id, area_code)
DO UPDATE SET seq = excluded.seq, gone = excluded.gone, at = excluded.at
"""
