"""The change feed: per stream a gap-free order that is the order of commits.

The head's row lock is held to commit, so nobody can see number n+1 before n is visible. A sequence or a timestamp
cannot promise that (tests/core/test_feed.py keeps such a cursor as the control that loses rows).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from shared.sync import EntityKind
from shared.types import community_of

Pending = Mapping[tuple[str, EntityKind, UUID, str], bool]


def stream_of(area_code: str) -> str:
    """Streams are communities; what has no community goes to the county's."""
    return community_of(area_code) if len(area_code) >= 12 else area_code[:6]


def volunteer_stream(volunteer_id: UUID) -> str:
    return f"v:{volunteer_id}"


async def publish(conn: asyncpg.Connection, county: str, now: datetime, pending: Pending) -> None:
    """Move each changed row to the next number of its stream. The caller's transaction writes nothing after this."""
    keys = sorted(pending)
    streams = sorted({key[0] for key in keys})
    if len(streams) > 1:
        await conn.fetch(_LOCK, county, streams)
    arguments = [*(list(column) for column in zip(*keys, strict=True)), [pending[key] for key in keys]]
    written = await conn.execute(_PUBLISH, county, now, *arguments)
    if written != f"INSERT 0 {len(keys)}":
        raise MissingHead(streams)


class MissingHead(Exception):
    """A stream without a head row: heads are made with the community or volunteer they belong to."""


async def open_streams(conn: Any, county: str, streams: list[str]) -> None:
    """Make head rows. Called where a community or a volunteer comes into being."""
    await conn.execute(_NEW_HEADS, county, sorted(set(streams)))


_LOCK = "SELECT 1 FROM feed_head WHERE county_code = $1 AND stream = ANY($2::text[]) ORDER BY stream FOR UPDATE"

_NEW_HEADS = """
INSERT INTO feed_head (county_code, stream, seq) SELECT $1, s, 0 FROM unnest($2::text[]) AS s ON CONFLICT DO NOTHING
"""

_PUBLISH = """
WITH want AS (
    SELECT * FROM unnest($3::text[], $4::text[], $5::uuid[], $6::text[], $7::bool[])
      WITH ORDINALITY AS w(stream, kind, id, area_code, gone, place)
), size AS (
    SELECT stream, count(*) AS n FROM want GROUP BY stream
), head AS (
    UPDATE feed_head f SET seq = f.seq + size.n FROM size
     WHERE f.county_code = $1 AND f.stream = size.stream
    RETURNING f.stream, f.seq - size.n AS base
)
INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)
SELECT $1, w.stream, w.kind, w.id, w.area_code,
       head.base + row_number() OVER (PARTITION BY w.stream ORDER BY w.place), w.gone, $2
FROM want w JOIN head USING (stream)
ON CONFLICT (county_code, stream, kind, id, area_code)
DO UPDATE SET seq = excluded.seq, gone = excluded.gone, at = excluded.at
"""
