"""SQL of what follows from visits: photos, links to what they led to, corrections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from shared.attachments import PhotoOut
from shared.visits import CorrectionKind, CorrectionOut, CorrectionState, FollowUpOut


async def add_photos(conn: asyncpg.Connection, county: str, rows: Sequence[Sequence[Any]]) -> None:
    """Announce photos as (id, area, visit, place, hash, size, width, height).

    One that the announcer may see already is there at once; who only knows a hash has to send the photo. What is
    written beyond their areas is no exception: the areas are asked for by name.
    """
    if rows:
        await conn.executemany(
            "INSERT INTO visit_photo (county_code, id, area_code, visit_id, place, sha256, size, width, height, state)"
            " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce((SELECT state FROM visit_photo"
            " WHERE county_code = $1 AND sha256 = $6 AND state <> 'missing' AND EXISTS ("
            "  SELECT FROM unnest(string_to_array(current_setting('app.scopes', true), ',')) AS p"
            "  WHERE area_code >= p AND area_code < p || ':') LIMIT 1), 'missing')",
            [(county, *row) for row in rows],
        )


async def photos(conn: asyncpg.Connection, county: str, visit_id: UUID) -> list[PhotoOut]:
    rows = await conn.fetch(
        "SELECT visit_id, sha256, size, width, height, state FROM visit_photo"
        " WHERE county_code = $1 AND visit_id = $2 ORDER BY place",
        county, visit_id,
    )  # fmt: skip
    return [PhotoOut.model_validate(dict(row)) for row in rows]


async def add_follow_ups(conn: asyncpg.Connection, county: str, rows: Sequence[Sequence[Any]]) -> None:
    """Link visits to what they led to, as (id, area, visit, kind, target, attached)."""
    if rows:
        await conn.executemany(
            "INSERT INTO visit_follow_up (county_code, id, area_code, visit_id, kind, target_id, attached)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            [(county, *row) for row in rows],
        )


async def follow_ups(conn: asyncpg.Connection, county: str, visit_id: UUID) -> list[FollowUpOut]:
    rows = await conn.fetch(
        "SELECT id, kind, target_id, attached FROM visit_follow_up WHERE county_code = $1 AND visit_id = $2"
        " ORDER BY id",
        county, visit_id,
    )  # fmt: skip
    return [FollowUpOut.model_validate(dict(row)) for row in rows]


_CORRECTIONS = (
    "SELECT id, area_code, household_id, resident_id, visit_id, what, said, noted_by, state, reason, settled_by, rev,"
    " received_at FROM correction WHERE county_code = $1"
)


async def open_correction(
    conn: asyncpg.Connection, county: str, household: UUID, resident: UUID | None, what: CorrectionKind, said: str
) -> UUID | None:
    """Return an open correction that says the same."""
    found: UUID | None = await conn.fetchval(
        "SELECT id FROM correction WHERE county_code = $1 AND household_id = $2 AND state = 'open' AND what = $4"
        " AND resident_id IS NOT DISTINCT FROM $3 AND ($5 = '' OR said = $5) ORDER BY received_at LIMIT 1",
        county, household, resident, what, said,
    )  # fmt: skip
    return found


async def add_correction(conn: asyncpg.Connection, county: str, now: datetime, row: Sequence[Any]) -> None:
    await conn.execute(
        "INSERT INTO correction (county_code, rev, received_at, state, reason, settled_by, id, area_code, household_id,"
        " resident_id, visit_id, what, said, noted_by)"
        " VALUES ($1, 1, $2, 'open', '', '', $3, $4, $5, $6, $7, $8, $9, $10)",
        county, now, *row,
    )  # fmt: skip


async def corrections_by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, CorrectionOut]:
    rows = await conn.fetch(f"{_CORRECTIONS} AND id = ANY($2::uuid[])", county, list(ids))
    return {row["id"]: CorrectionOut.model_validate(dict(row)) for row in rows}


async def page_of_corrections(
    conn: asyncpg.Connection, county: str, area: str, state: CorrectionState | None, page: PageParams
) -> list[CorrectionOut]:
    """Return one row more than a page of an area's corrections, newest first."""
    after = "AND (received_at, id) < ($5, $6)" if page.after else ""
    rows = await conn.fetch(
        f"{_CORRECTIONS} AND area_code >= $2 AND area_code < $2 || ':' AND ($3::text IS NULL OR state = $3) {after}"
        " ORDER BY received_at DESC, id DESC LIMIT $4",
        county, area, state, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return [CorrectionOut.model_validate(dict(row)) for row in rows]


async def settle_correction(
    conn: asyncpg.Connection, county: str, correction: UUID, state: CorrectionState, reason: str, by: str
) -> bool:
    """Settle a correction that is still open; False when it is not."""
    done: str = await conn.execute(
        "UPDATE correction SET state = $3, reason = $4, settled_by = $5, rev = rev + 1"
        " WHERE county_code = $1 AND id = $2 AND state = 'open'",
        county, correction, state, reason, by,
    )  # fmt: skip
    return done == "UPDATE 1"
