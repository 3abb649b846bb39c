"""SQL of a tick: all that is open, everybody who could help, and what was asked before, each in one statement."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from backend.core.clock import county_day
from backend.matching.queries import Touched
from shared.volunteers import CERTIFICATES

HISTORY = timedelta(days=180)
REST_AFTER_SILENCE = timedelta(hours=2)
"""An offer that reached no phone was no refusal: the same pair may be tried again after this long."""


@dataclass(frozen=True, slots=True)
class NewOffer:
    """An offer about to be stored; contributions and card are JSON text."""

    id: UUID
    area_code: str
    request_id: UUID
    volunteer_id: UUID
    expires_at: datetime
    score: float
    contributions: str
    card: str


async def lock_open_help(conn: asyncpg.Connection, county: str) -> list[asyncpg.Record]:
    """Return open help requests, locked; one that is being answered at this moment is left to the next tick."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT id, area_code, category, household_id, lon, lat, starts_at, ends_at, minutes, urgency, language,
               received_at
        FROM request WHERE county_code = $1 AND state = 'open' AND kind = 'help'
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
        """,
        county,
    )
    return rows


async def expire(conn: asyncpg.Connection, county: str, requests: Sequence[UUID], now: datetime) -> list[Touched]:
    """End the offers of these requests whose time is over, by the server's clock."""
    rows = await conn.fetch(
        """
        UPDATE offer o SET state = 'expired', rev = o.rev + 1
        FROM (SELECT id FROM offer WHERE county_code = $1 AND request_id = ANY($2::uuid[]) AND state = 'offered'
                AND expires_at <= $3 ORDER BY id FOR NO KEY UPDATE) late
        WHERE o.county_code = $1 AND o.id = late.id
        RETURNING o.id, o.volunteer_id, o.area_code
        """,
        county, list(requests), now,
    )  # fmt: skip
    return [Touched(**row) for row in rows]


async def people(conn: asyncpg.Connection, county: str, now: datetime) -> list[asyncpg.Record]:
    """Return active volunteers with the skills that count, their week, their load and how they answered before.

    An offer that was neither delivered nor spoken of did not bother anybody and says nothing of anybody.
    """
    rows: list[asyncpg.Record] = await conn.fetch(
        _PEOPLE, county, now, now - HISTORY, [skill.value for skill in CERTIFICATES], county_day(now)
    )
    return rows


async def asked_before(
    conn: asyncpg.Connection, county: str, requests: Sequence[UUID], now: datetime
) -> list[asyncpg.Record]:
    """Return the pairs not to be made again, and whether the offer is still open."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT request_id, volunteer_id, bool_or(state = 'offered') AS waiting
        FROM offer WHERE county_code = $1 AND request_id = ANY($2::uuid[]) AND state <> 'recalled'
          AND (state <> 'expired' OR delivered_at IS NOT NULL OR made_at > $3)
        GROUP BY request_id, volunteer_id
        """,
        county, list(requests), now - REST_AFTER_SILENCE,
    )  # fmt: skip
    return rows


async def helped_before(conn: asyncpg.Connection, county: str, households: Sequence[UUID]) -> dict[UUID, UUID]:
    """Return, for each household, the volunteer who helped there last."""
    rows = await conn.fetch(
        """
        SELECT DISTINCT ON (r.household_id) r.household_id, t.volunteer_id
        FROM request r JOIN task_card t ON t.county_code = r.county_code AND t.request_id = r.id
        WHERE r.county_code = $1 AND r.household_id = ANY($2::uuid[]) AND t.state = 'finished'
        ORDER BY r.household_id, t.checked_out_at DESC NULLS LAST
        """,
        county, list(households),
    )  # fmt: skip
    return {row["household_id"]: row["volunteer_id"] for row in rows}


async def times_done(conn: asyncpg.Connection, county: str, volunteers: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """Count the services of each volunteer by category; those in doubt are not boasted of."""
    rows = await conn.fetch(
        "SELECT volunteer_id, category, count(*) AS n FROM service_record WHERE county_code = $1"
        " AND volunteer_id = ANY($2::uuid[]) AND state <> 'unverified' GROUP BY volunteer_id, category",
        county, list(volunteers),
    )  # fmt: skip
    return {(row["volunteer_id"], row["category"]): row["n"] for row in rows}


async def doors(conn: asyncpg.Connection, county: str, communities: Sequence[str]) -> list[asyncpg.Record]:
    """Return, for each community, its name and the position of every household's door that has one."""
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT c.code, (SELECT name FROM division WHERE code = c.code) AS name,
               coalesce(array_agg(ARRAY[d.lon, d.lat]) FILTER (WHERE d.lon IS NOT NULL), '{}') AS doors
        FROM unnest($2::text[]) AS c(code)
        JOIN household h ON h.county_code = $1 AND h.area_code >= c.code AND h.area_code < c.code || ':'
        JOIN dwelling d ON d.county_code = $1 AND d.id = h.dwelling_id
        GROUP BY c.code
        """,
        county, list(communities),
    )  # fmt: skip
    return rows


async def add_offers(conn: asyncpg.Connection, county: str, now: datetime, offers: Sequence[NewOffer]) -> list[Touched]:
    """Store offers and return those stored: somebody who has paused, or is pausing now, is not asked.

    The volunteers stay locked to commit, so that who pauses a moment later finds the offer and takes it back.
    """
    columns = [list(column) for column in zip(*map(astuple, offers), strict=True)]
    return [Touched(**row) for row in await conn.fetch(_ADD, county, now, *columns)]


_PEOPLE = """
SELECT v.id, v.lon, v.lat, v.languages, v.radius_m, v.capacity, v.trust, v.quiet_from, v.quiet_until,
       ARRAY(SELECT said FROM unnest(v.skills) AS said WHERE said <> ALL($4::text[]) OR EXISTS (
           SELECT 1 FROM volunteer_skill k WHERE k.county_code = v.county_code AND k.volunteer_id = v.id
             AND k.skill = said AND k.checked_on IS NOT NULL AND coalesce(k.valid_until >= $5, true))) AS skills,
       coalesce(w.week, '{}') AS week, t.active, t.month, o.day, o.answered, o.accepted, o.waiting
FROM volunteer v
CROSS JOIN LATERAL (
    SELECT array_agg(ARRAY[s.weekday, s.from_minute, s.until_minute]::int[]) AS week
    FROM volunteer_slot s WHERE s.county_code = v.county_code AND s.volunteer_id = v.id
) w
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE c.state IN ('accepted', 'serving')) AS active,
           count(*) FILTER (WHERE c.state IN ('accepted', 'serving', 'finished')
                              AND c.accepted_at > $2::timestamptz - interval '30 days') AS month
    FROM task_card c WHERE c.county_code = v.county_code AND c.volunteer_id = v.id
) t
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE f.made_at > $2::timestamptz - interval '1 day') AS day,
           count(*) FILTER (WHERE f.state IN ('accepted', 'declined', 'expired', 'handed_back')) AS answered,
           count(*) FILTER (WHERE f.state IN ('accepted', 'handed_back')) AS accepted,
           count(*) FILTER (WHERE f.state = 'offered') AS waiting
    FROM offer f WHERE f.county_code = v.county_code AND f.volunteer_id = v.id AND f.made_at > $3
      AND (f.delivered_at IS NOT NULL OR f.answered_at IS NOT NULL OR f.state = 'offered')
) o
WHERE v.county_code = $1 AND v.active
ORDER BY v.id
"""

_ADD = """
WITH there AS (
    SELECT id FROM volunteer WHERE county_code = $1 AND id = ANY($6::uuid[]) AND active
    ORDER BY id FOR SHARE SKIP LOCKED
)
INSERT INTO offer (county_code, made_at, received_at, rev, state, id, area_code, request_id, volunteer_id, expires_at,
                   score, contributions, card)
SELECT $1, $2, $2, 1, 'offered', n.* FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[],
                                                $8::float8[], $9::jsonb[], $10::jsonb[])
  AS n(id, area_code, request_id, volunteer_id, expires_at, score, contributions, card)
JOIN there ON there.id = n.volunteer_id
RETURNING id, volunteer_id, area_code
"""
