"""The change feed: per stream a gap-free order that is the order of commits.

The head's row lock is held to commit, so nobody can see number n+1 before n is visible. A sequence or a timestamp
cannot promise that (tests/core/test_feed.py keeps such a cursor as the control that loses rows).
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.sync import EntityKind
from shared.types import community_of

Pending = Mapping[tuple[str, EntityKind, UUID, str], bool]


def stream_of(area_code: str) -> str:
    """Streams are communities; what has no community goes to the county's."""
    return community_of(area_code) if len(area_code) >= 12 else area_code[:6]


def volunteer_stream(volunteer_id: UUID) -> str:
    return f"v:{volunteer_id}"


class MissingHead(Exception):
    """A stream without a head row: heads are made with the community or volunteer they belong to."""


async def open_streams(conn: Any, county: str, streams: list[str]) -> None:
    """Make head rows. Called where a community or a volunteer comes into being."""
    await conn.execute(_NEW_HEADS, county, sorted(set(streams)))


_NEW_HEADS = """
INSERT INTO feed_head (county_code, stream, seq) SELECT $1, s, 0 FROM unnest($2::text[]) AS s ON CONFLICT DO NOTHING
"""
