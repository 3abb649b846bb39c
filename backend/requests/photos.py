"""Photos of requests: announced with the request, sent afterwards."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from shared.attachments import PhotoIn, PhotoOut, PhotoState
from shared.auth import STAFF
from shared.types import uuid7


async def announce(tx: Transaction, request_id: UUID, area_code: str, photos: Sequence[PhotoIn]) -> None:
    """Note what will follow. A photo that the announcer may see already is there at once."""
    rows = [
        (tx.county, uuid7(), area_code, request_id, tx.caller.account_id, place, one.sha256, one.size, one.width,
         one.height, list(tx.caller.scopes))
        for place, one in enumerate(photos)
    ]  # fmt: skip
    if rows:
        await tx.conn.executemany(_ANNOUNCE, rows)


async def of_request(tx: Transaction, request_id: UUID) -> list[PhotoOut]:
    rows = await tx.conn.fetch(
        "SELECT request_id, sha256, size, width, height, state FROM request_photo"
        " WHERE county_code = $1 AND request_id = $2 ORDER BY place",
        tx.county, request_id,
    )  # fmt: skip
    return [PhotoOut.model_validate(dict(row)) for row in rows]


async def own_announced(tx: Transaction, caller: Caller, sha256: str) -> list[asyncpg.Record]:
    """Return where this worker announced a photo, in whatever cell: what was seen across the street has photos too."""
    if not caller.holds(*STAFF):
        return []
    async with beyond_scope(tx, "photo.read", "account", caller.account_id, tx.county, sha256=sha256):
        rows: list[asyncpg.Record] = await tx.conn.fetch(
            "SELECT area_code, size, state FROM request_photo"
            " WHERE county_code = $1 AND sha256 = $2 AND account_id = $3",
            tx.county, sha256, caller.account_id,
        )  # fmt: skip
    return rows


async def set_own_state(tx: Transaction, caller: Caller, sha256: str, state: PhotoState) -> None:
    """Note that a photo has come wherever this worker announced it."""
    async with beyond_scope(tx, "photo.received", "account", caller.account_id, tx.county, sha256=sha256):
        await tx.conn.execute(
            "UPDATE request_photo SET state = $4 WHERE county_code = $1 AND sha256 = $2 AND account_id = $3"
            " AND state = 'missing'",
            tx.county, sha256, caller.account_id, state,
        )  # fmt: skip


# A request may be written beyond the announcer's areas. What they may see is not: who only knows a hash would read it.
_ANNOUNCE = """
INSERT INTO request_photo (county_code, id, area_code, request_id, account_id, place, sha256, size, width, height,
                           state)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce(
    (SELECT state FROM (
        SELECT state, area_code, account_id FROM request_photo WHERE county_code = $1 AND sha256 = $7
        UNION ALL SELECT state, area_code, NULL FROM visit_photo WHERE county_code = $1 AND sha256 = $7
     ) AS known WHERE state <> 'missing' AND (account_id = $5 OR EXISTS (
        SELECT FROM unnest($11::text[]) AS p WHERE area_code >= p AND area_code < p || ':'
     )) LIMIT 1), 'missing')
"""
