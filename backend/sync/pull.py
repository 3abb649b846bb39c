"""Reading the feed: for phones and for other systems by the same code."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.feed import volunteer_stream
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.matching import service as matching
from backend.sync import cursors, queries, views
from backend.sync.versions import SPOKEN, Versions
from shared.auth import Role
from shared.errors import Code
from shared.sync import EntityKind, PullIn


async def changes(tx: Transaction, keys: Keys, word: str | None, limit: int) -> dict[str, Any]:
    """Return what changed after a cursor, as the caller may see it now: the values of a `ChangesOut`.

    Heads and rows are read in one snapshot. Nothing below a visible head can still be uncommitted, so moving the
    cursor to the head of an exhausted stream skips nothing.
    """
    epoch = await queries.epoch(tx.conn, tx.county)
    cursor = cursors.decode(word, epoch, county_day(tx.now))
    heads = await queries.heads(tx.conn, tx.county, tx.caller.scopes, _own_stream(tx.caller))
    since = {place: min(cursor.seqs.get(place, 0), head) for place, head in heads.items()}
    behind = [(*place, seq) for place, seq in sorted(since.items()) if seq < heads[place]]
    rows = await queries.changes(tx.conn, tx.county, behind, limit + 1) if behind else []
    more = len(rows) > limit
    rows = rows[:limit]
    reached = {place: _reached(place, rows, since[place], head, more) for place, head in heads.items()}
    return {
        "epoch": epoch,
        "items": await _present(tx, keys, rows),
        "scope_removed": cursors.lost(cursor.areas, tx.caller.scopes),
        "cursor": cursors.Cursor(epoch, county_day(tx.now), reached).encode(),
        "more": more,
    }


def _own_stream(caller: Caller) -> str | None:
    """Return the stream of a volunteer; an account whose volunteer grant has ended reads none."""
    if caller.volunteer_id and caller.holds(Role.volunteer):
        return volunteer_stream(caller.volunteer_id)
    return None


def _reached(place: cursors.Place, rows: Sequence[Any], since: int, head: int, more: bool) -> int:
    """Return how far a place has been read: rows come place by place, the last one is cut, later ones are unread."""
    if not more:
        return head
    last = (rows[-1]["area"], rows[-1]["stream"])
    if place == last:
        return int(rows[-1]["seq"])
    return head if place < last else since


async def _present(tx: Transaction, keys: Keys, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Join the present data. A row that the caller cannot see any more is gone for them."""
    wanted: dict[EntityKind, list[UUID]] = {}
    for row in rows:
        if not row["gone"]:
            wanted.setdefault(EntityKind(row["kind"]), []).append(row["id"])
    bodies = {kind: await views.load(tx, keys, kind, ids) for kind, ids in wanted.items()}
    return [_change(row, None if row["gone"] else bodies[EntityKind(row["kind"])].get(row["id"])) for row in rows]


def _change(row: Any, body: views.Body | None) -> dict[str, Any]:
    """The values of a `Change`: what came out of a model is not checked once more."""
    return {
        "kind": row["kind"], "id": row["id"], "area_code": row["area_code"], "gone": body is None, "body": body,
    }  # fmt: skip


async def pull(
    database: Database, keys: Keys, caller: Caller, body: PullIn, versions: Versions = SPOKEN
) -> dict[str, Any]:
    """Answer a phone with the values of a `PullOut`. Offers count as delivered now: the time to answer them runs from
    here."""
    versions.admit(body.schema_version)
    if (volunteer := caller.volunteer_id) and caller.holds(Role.volunteer):
        await database.run(caller, lambda tx: matching.waiting(tx, volunteer))

    async def read(tx: Transaction) -> dict[str, Any]:
        device = await queries.device(tx.conn, tx.county, body.device_id)
        if device is None:
            raise Refusal(Code.device_unknown)
        if device["revoked_at"] is not None:
            raise Refusal(Code.device_revoked)
        page = await changes(tx, keys, body.cursor, body.limit)
        return {**page, "settled_seq": device["settled_seq"], "server_time": tx.now}

    return await database.run(caller, read, snapshot=True)
