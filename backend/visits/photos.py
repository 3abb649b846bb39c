"""Photos of visits whose household has gone to another cell: whoever took them still has them on the phone."""

import asyncpg

from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from shared.attachments import PhotoState
from shared.auth import STAFF

_OWN = (
    "p.county_code = $1 AND p.sha256 = $2 AND EXISTS (SELECT FROM visit AS v"
    " WHERE v.county_code = p.county_code AND v.id = p.visit_id AND v.worker_id = $3)"
)


async def own_announced(tx: Transaction, caller: Caller, sha256: str) -> list[asyncpg.Record]:
    """Return where a visit of this worker announced a photo, in whatever cell."""
    if not caller.holds(*STAFF):
        return []
    async with beyond_scope(tx, "photo.read", "account", caller.account_id, tx.county, sha256=sha256):
        rows: list[asyncpg.Record] = await tx.conn.fetch(
            f"SELECT p.area_code, p.size, p.state FROM visit_photo AS p WHERE {_OWN}",
            tx.county, sha256, caller.account_id,
        )  # fmt: skip
    return rows


async def set_own_state(tx: Transaction, caller: Caller, sha256: str, state: PhotoState) -> None:
    """Note that a photo has come wherever a visit of this worker announced it."""
    async with beyond_scope(tx, "photo.received", "account", caller.account_id, tx.county, sha256=sha256):
        await tx.conn.execute(
            f"UPDATE visit_photo AS p SET state = $4 WHERE {_OWN} AND p.state = 'missing'",
            tx.county, sha256, caller.account_id, state,
        )  # fmt: skip
