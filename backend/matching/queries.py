"""SQL of offers and tasks, as the people concerned meet them. What a tick reads and writes is in tick_queries.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from backend.core.paging import PageParams
from shared.matching import CallOut, ForgottenOut, OfferOut, TaskOut
from shared.requests import CATEGORIES

_OFFER = "SELECT id, request_id, volunteer_id, state, made_at, expires_at, rev, card FROM offer WHERE county_code = $1"

_TASK = """
SELECT id, request_id, volunteer_id, state, category, starts_at, ends_at, minutes, person_name, person_age, person_note,
       door, phone, lon, lat, accepted_at, checked_in_at, checked_out_at, late, rev, received_at, area_code
FROM task_card WHERE county_code = $1
"""


@dataclass(frozen=True, slots=True)
class Touched:
    """An offer or a task that has just changed: who and where must be told."""

    id: UUID
    volunteer_id: UUID
    area_code: str


def offer_out(row: asyncpg.Record) -> OfferOut:
    return OfferOut.model_validate({**orjson.loads(row["card"]), **row})


def task_out(row: asyncpg.Record) -> TaskOut:
    return TaskOut.model_validate({**row, "title": CATEGORIES[row["category"]].title})


async def offers_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, OfferOut]:
    rows = await conn.fetch(f"{_OFFER} AND id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: offer_out(row) for row in rows}


async def tasks_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, TaskOut]:
    return {row["id"]: task_out(row) for row in await task_rows(conn, county, ids)}


async def task_rows(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(f"{_TASK} AND id = ANY($2::uuid[])", county, list(ids))
    return rows


async def page_of_tasks(
    conn: asyncpg.Connection, county: str, volunteer: UUID, page: PageParams
) -> list[asyncpg.Record]:
    """Return one row more than a page, newest first."""
    after = "AND (received_at, id) < ($4, $5)" if page.after else ""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"{_TASK} AND volunteer_id = $2 {after} ORDER BY received_at DESC, id DESC LIMIT $3",
        county, volunteer, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return rows


async def waiting_offers(conn: asyncpg.Connection, county: str, volunteer: UUID, now: datetime) -> list[OfferOut]:
    rows = await conn.fetch(
        f"{_OFFER} AND volunteer_id = $2 AND state = 'offered' AND expires_at > $3 ORDER BY made_at DESC, id",
        county, volunteer, now,
    )  # fmt: skip
    return [offer_out(row) for row in rows]


async def offer_row(conn: asyncpg.Connection, county: str, offer: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(
        "SELECT id, request_id, volunteer_id, state, area_code FROM offer WHERE county_code = $1 AND id = $2",
        county, offer,
    )  # fmt: skip


async def mark_delivered(
    conn: asyncpg.Connection, county: str, volunteer: UUID, offers: Sequence[UUID], now: datetime
) -> list[UUID]:
    """Start the time to answer of offers that have now reached a phone. It never runs past the hour of the help."""
    rows = await conn.fetch(
        """
        UPDATE offer SET delivered_at = $4, rev = rev + 1,
            expires_at = least($4 + (expires_at - made_at), (card->>'starts_at')::timestamptz)
        WHERE county_code = $1 AND volunteer_id = $2 AND id = ANY($3::uuid[]) AND state = 'offered'
          AND delivered_at IS NULL AND expires_at > $4
        RETURNING id
        """,
        county, volunteer, sorted(offers), now,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def lock_request(conn: asyncpg.Connection, county: str, request: UUID) -> str:
    """Lock a request before its offers, as everybody does, and return its state."""
    state: str = await conn.fetchval(
        "SELECT state FROM request WHERE county_code = $1 AND id = $2 FOR NO KEY UPDATE", county, request
    )
    return state


async def lock_offer(conn: asyncpg.Connection, county: str, offer: UUID) -> asyncpg.Record:
    return await conn.fetchrow(
        "SELECT state, expires_at FROM offer WHERE county_code = $1 AND id = $2 FOR NO KEY UPDATE", county, offer
    )


async def answer(
    conn: asyncpg.Connection, county: str, offer: UUID, state: str, *, by: UUID, at: datetime, reason: str | None = None
) -> bool:
    """Write down a volunteer's word on an offer that is still open."""
    tag: str = await conn.execute(
        "UPDATE offer SET state = $3, answered_by = $4, answered_at = $5, decline_reason = $6, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2 AND state = 'offered'",
        county, offer, state, by, at, reason,
    )  # fmt: skip
    return tag == "UPDATE 1"


async def close_offers(
    conn: asyncpg.Connection, county: str, requests: Sequence[UUID], from_state: str, to_state: str
) -> list[Touched]:
    """Move every offer of these requests that is in one state to another, locked in the order of their ids."""
    rows = await conn.fetch(
        """
        UPDATE offer o SET state = $4, rev = o.rev + 1
        FROM (SELECT id FROM offer WHERE county_code = $1 AND request_id = ANY($2::uuid[]) AND state = $3
              ORDER BY id FOR NO KEY UPDATE) locked
        WHERE o.county_code = $1 AND o.id = locked.id
        RETURNING o.id, o.volunteer_id, o.area_code
        """,
        county, list(requests), from_state, to_state,
    )  # fmt: skip
    return [Touched(**row) for row in rows]


async def recall_offers(conn: asyncpg.Connection, county: str, volunteer: UUID) -> tuple[list[UUID], list[Touched]]:
    """Recall the open offers of a volunteer, locked in the order of their ids; return their requests and them."""
    rows = await conn.fetch(
        """
        UPDATE offer o SET state = 'recalled', rev = o.rev + 1
        FROM (SELECT id FROM offer WHERE county_code = $1 AND volunteer_id = $2 AND state = 'offered'
              ORDER BY id FOR NO KEY UPDATE) locked
        WHERE o.county_code = $1 AND o.id = locked.id
        RETURNING o.id, o.volunteer_id, o.area_code, o.request_id
        """,
        county, volunteer,
    )  # fmt: skip
    touched = [Touched(row["id"], row["volunteer_id"], row["area_code"]) for row in rows]
    return [row["request_id"] for row in rows], touched


async def deal_card(
    conn: asyncpg.Connection, county: str, offer: UUID, now: datetime, age: int | None, note: str
) -> None:
    """Copy for the winner what they need at the door, and nothing else."""
    await conn.execute(_DEAL, county, offer, now, age, note)


async def person_of(conn: asyncpg.Connection, county: str, request: UUID) -> asyncpg.Record:
    """Return the birthday and the care flags behind a request; both empty when nobody is named."""
    return await conn.fetchrow(
        """
        SELECT p.birth_date, coalesce(p.care, h.care, '{}') AS care
        FROM request r
        LEFT JOIN household h ON h.county_code = r.county_code AND h.id = r.household_id
        LEFT JOIN resident p ON p.county_code = r.county_code AND p.id = r.resident_id
        WHERE r.county_code = $1 AND r.id = $2
        """,
        county, request,
    )  # fmt: skip


async def arrive(conn: asyncpg.Connection, county: str, task: UUID, at: datetime) -> None:
    await conn.execute(
        "UPDATE task_card SET state = 'serving', checked_in_at = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2",
        county, task, at,
    )  # fmt: skip


async def leave(conn: asyncpg.Connection, county: str, task: UUID, at: datetime) -> None:
    await conn.execute("UPDATE task_card SET checked_out_at = $3 WHERE county_code = $1 AND id = $2", county, task, at)


async def say_late(conn: asyncpg.Connection, county: str, task: UUID) -> None:
    await conn.execute(
        "UPDATE task_card SET late = true, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2 AND state IN ('accepted', 'serving')",
        county, task,
    )  # fmt: skip


async def end_cards(conn: asyncpg.Connection, county: str, requests: Sequence[UUID], state: str) -> list[Touched]:
    """End the tasks of these requests and take back what their volunteers could see."""
    rows = await conn.fetch(
        """
        UPDATE task_card SET state = $3, person_name = '', person_age = NULL, person_note = '', door = '', phone = '',
               lon = NULL, lat = NULL, rev = rev + 1
        WHERE county_code = $1 AND request_id = ANY($2::uuid[]) AND state IN ('accepted', 'serving')
        RETURNING id, volunteer_id, area_code
        """,
        county, list(requests), state,
    )  # fmt: skip
    return [Touched(**row) for row in rows]


async def calls(conn: asyncpg.Connection, county: str, area: str, now: datetime, limit: int) -> list[asyncpg.Record]:
    """Return open offers that no phone has taken, most urgent first.

    A volunteer without an account is rung at once; a silent phone has a third of the time to answer.
    """
    rows: list[asyncpg.Record] = await conn.fetch(
        """
        SELECT o.id AS offer_id, o.area_code, o.volunteer_id, o.card, o.expires_at
        FROM offer o
        WHERE o.county_code = $1 AND o.area_code >= $2 AND o.area_code < $2 || ':' AND o.state = 'offered'
          AND o.expires_at > $3 AND o.delivered_at IS NULL
          AND (o.made_at + (o.expires_at - o.made_at) / 3 <= $3 OR NOT EXISTS (
            SELECT 1 FROM account a WHERE a.county_code = $1 AND a.volunteer_id = o.volunteer_id AND a.active))
        ORDER BY o.card->>'urgency' DESC, o.expires_at, o.id LIMIT $4
        """,
        county, area, now, limit,
    )  # fmt: skip
    return rows


async def names(conn: asyncpg.Connection, county: str, volunteers: Sequence[UUID]) -> dict[UUID, asyncpg.Record]:
    rows = await conn.fetch(
        "SELECT id, name AS volunteer_name, phone AS volunteer_phone, quiet_from, quiet_until FROM volunteer"
        " WHERE county_code = $1 AND id = ANY($2::uuid[])",
        county, list(volunteers),
    )  # fmt: skip
    return {row["id"]: row for row in rows}


async def forgotten(
    conn: asyncpg.Connection, county: str, area: str, begun_before: datetime, limit: int
) -> list[asyncpg.Record]:
    """Return tasks that have been served since before then, the oldest first."""
    rows: list[asyncpg.Record] = await conn.fetch(
        "SELECT id AS task_id, area_code, volunteer_id, category, checked_in_at, minutes FROM task_card"
        " WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':' AND state = 'serving'"
        " AND checked_in_at < $3 ORDER BY checked_in_at, id LIMIT $4",
        county, area, begun_before, limit,
    )  # fmt: skip
    return rows


def forgotten_out(row: asyncpg.Record, person: asyncpg.Record) -> ForgottenOut:
    return ForgottenOut.model_validate({**row, **person, "title": CATEGORIES[row["category"]].title})


def call_out(row: asyncpg.Record, person: asyncpg.Record, *, quiet: bool) -> CallOut:
    return CallOut.model_validate({**orjson.loads(row["card"]), **row, **person, "quiet": quiet})


_DEAL = """
INSERT INTO task_card (county_code, id, area_code, rev, received_at, request_id, volunteer_id, state, category,
                       starts_at, ends_at, minutes, person_name, person_age, person_note, door, phone, lon, lat,
                       accepted_at, late)
SELECT $1, o.id, r.area_code, 1, $3, r.id, o.volunteer_id, 'accepted', r.category, r.starts_at, r.ends_at, r.minutes,
       coalesce(p.name, h.head_name, ''), $4, $5,
       trim(concat_ws(' ', nullif(d.compound, ''), nullif(d.building || d.unit, ''), nullif(d.room, ''))),
       coalesce(r.contact_phone, p.phone, ''), r.lon, r.lat, $3, false
FROM offer o
JOIN request r ON r.county_code = o.county_code AND r.id = o.request_id
LEFT JOIN household h ON h.county_code = r.county_code AND h.id = r.household_id
LEFT JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
LEFT JOIN resident p ON p.county_code = r.county_code AND p.id = r.resident_id
WHERE o.county_code = $1 AND o.id = $2
"""
