"""SQL of register events."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from shared.register import EventIn, EventOut

_EVENTS = """
SELECT e.id, e.area_code, e.kind, e.on_day AS "on", e.note, e.noted_by, e.received_at, w.id IS NOT NULL AS withdrawn,
       coalesce(w.reason, '') AS withdrawn_reason,
       ARRAY(SELECT resident_id FROM register_event_person p
             WHERE p.county_code = e.county_code AND p.event_id = e.id ORDER BY place) AS resident_ids,
       ARRAY(SELECT name FROM register_event_person p
             WHERE p.county_code = e.county_code AND p.event_id = e.id ORDER BY place) AS names
FROM register_event e
LEFT JOIN register_withdrawal w ON w.county_code = e.county_code AND w.id = e.id
WHERE e.county_code = $1
"""

_OF_PERSON = (
    " AND e.id = ANY (ARRAY("
    "SELECT event_id FROM register_event_person WHERE county_code = $1 AND resident_id = ANY ($2::uuid[])))"
)
_OF_AREA = " AND e.area_code >= $2 AND e.area_code < $2 || ':'"


async def add(
    conn: asyncpg.Connection, county: str, event_id: UUID, area: str, body: EventIn, *, account: UUID, name: str,
    now: datetime, people: Sequence[tuple[UUID, str, Mapping[str, Any]]],
) -> None:  # fmt: skip
    """Store an event with the people it is about: (id, name, what was written)."""
    await conn.execute(
        "INSERT INTO register_event (county_code, id, area_code, kind, on_day, note, account_id, noted_by, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        county, event_id, area, body.kind, body.on, body.note, account, name, now,
    )  # fmt: skip
    await conn.execute(
        "INSERT INTO register_event_person (county_code, event_id, area_code, resident_id, name, written, place)"
        " SELECT $1, $2, $3, p.* FROM unnest($4::uuid[], $5::text[], $6::jsonb[]) WITH ORDINALITY AS p",
        county, event_id, area, [one[0] for one in people], [one[1] for one in people],
        [json.dumps(one[2]) for one in people],
    )  # fmt: skip


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, EventOut]:
    rows = await conn.fetch(f"{_EVENTS} AND e.id = ANY ($2::uuid[])", county, list(ids))
    return {row["id"]: EventOut.model_validate(dict(row)) for row in rows}


async def of_person(conn: asyncpg.Connection, county: str, rows_of: Sequence[UUID]) -> list[EventOut]:
    """Return the events of a person's rows: their own, and those that were merged into it."""
    rows = await conn.fetch(f"{_EVENTS} {_OF_PERSON} ORDER BY e.on_day, e.received_at", county, list(rows_of))
    return [EventOut.model_validate(dict(row)) for row in rows]


async def page(
    conn: asyncpg.Connection, county: str, area: str, rows_of: Sequence[UUID] | None, page: PageParams
) -> list[EventOut]:
    """Return one event more than a page, of a person's rows or of an area."""
    after = "AND (e.received_at, e.id) < ($4, $5)" if page.after else ""
    rows = await conn.fetch(
        f"{_EVENTS} {_OF_PERSON if rows_of else _OF_AREA} {after}"
        " ORDER BY e.received_at DESC, e.id DESC LIMIT $3",
        county, list(rows_of) if rows_of else area, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [EventOut.model_validate(dict(row)) for row in rows]


async def written(conn: asyncpg.Connection, county: str, event_id: UUID) -> dict[UUID, dict[str, Any]]:
    """Return what an event wrote, by person."""
    rows = await conn.fetch(
        "SELECT resident_id, written FROM register_event_person WHERE county_code = $1 AND event_id = $2",
        county, event_id,
    )  # fmt: skip
    return {row["resident_id"]: json.loads(row["written"]) for row in rows}


async def withdraw(
    conn: asyncpg.Connection, county: str, event: EventOut, reason: str, account: UUID, now: datetime
) -> None:
    await conn.execute(
        "INSERT INTO register_withdrawal (county_code, id, area_code, reason, account_id, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        county, event.id, event.area_code, reason, account, now,
    )  # fmt: skip
