"""Mistakes that others have made in earnest, each as a context in which the project makes it too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from backend.core import operations, owed
from backend.core.transaction import Settled, Transaction
from backend.sync import push, queries
from backend.sync.cursors import Place
from backend.visits import service as visits
from mobile.store.outbox import Outbox
from mobile.store.store import Store
from shared.types import uuid7


@contextmanager
def double_apply() -> Iterator[None]:
    """The server makes the ids, and finds no operation in its ledger."""

    async def nothing(*_: object) -> tuple[dict[UUID, Any], dict[UUID, Any]]:
        return {}, {}

    record_many = visits.record_many

    async def under_new_ids(tx: Transaction, worker: Any, drafts: Sequence[visits.Draft]) -> Any:
        renamed = {uuid7(): draft for draft in drafts}
        stored, refused = await record_many(tx, worker, [replace(draft, id=new) for new, draft in renamed.items()])
        return stored, {renamed[new].id: no for new, no in refused.items()}

    settled = push._settled

    def anonymous(*about: Any) -> Settled:
        return replace(settled(*about), op_id=uuid7())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "remembered_either", nothing)
        patch.setattr(visits, "record_many", under_new_ids)
        patch.setattr(push, "_settled", anonymous)
        yield


@contextmanager
def acknowledge_before_store() -> Iterator[None]:
    """The phone calls an operation accepted as soon as it has been sent."""
    take_batch = Outbox.take_batch

    def take_and_forget(outbox: Outbox, limit: int, after: int = 0) -> list[dict[str, Any]]:
        batch = take_batch(outbox, limit, after)
        for operation in batch:
            outbox._db.execute("UPDATE outbox SET state='accepted' WHERE op_id=?", operation["op_id"])
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Outbox, "take_batch", take_and_forget)
        yield


@contextmanager
def cursor_gap() -> Iterator[None]:
    """The feed is numbered by a sequence instead of by heads that are locked to the commit."""

    async def heads(conn: asyncpg.Connection, county: str, scopes: Sequence[str], own: str | None) -> dict[Place, int]:
        rows = await conn.fetch(_NAIVE_HEADS, county, list(scopes), own)
        return {(row["area"], row["stream"]): row["seq"] for row in rows}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owed, "_WRITE", _NAIVE_WRITE)
        patch.setattr(queries, "heads", heads)
        yield


@contextmanager
def cursor_before_rows() -> Iterator[None]:
    """The same gap made on the phone: the cursor is on the disk before the rows it covers."""
    take_page = Store.take_page

    def cursor_first(store: Store, page: Any, seen: list[int]) -> bool:
        store._db.put_meta("cursor", page.cursor)
        return take_page(store, page, seen)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "take_page", cursor_first)
        yield


@contextmanager
def restore_without_epoch() -> Iterator[None]:
    """A restored server looks like the one before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(queries, "_EPOCH", "SELECT 'always the same'::text WHERE $1 = $1")
        yield


BUGS = {
    "double apply": double_apply,
    "acknowledge before store": acknowledge_before_store,
    "cursor gap on the server": cursor_gap,
    "cursor gap on the phone": cursor_before_rows,
    "restore without epoch": restore_without_epoch,
}

MAKE_NAIVE = "CREATE SEQUENCE naive START 1000; GRANT ALL ON SEQUENCE naive TO gridhood_app, gridhood_transfer"

_NAIVE_WRITE = owed._WRITE.replace(
    """head AS (
    UPDATE feed_head f SET seq = f.seq + size.n
      FROM size, (SELECT (SELECT count(*) FROM settled) + (SELECT count(*) FROM noted) AS before) AS written
     WHERE f.county_code = $1 AND f.stream = size.stream AND written.before >= 0  -- unread, it would not be waited for
    RETURNING f.stream, f.seq - size.n AS base
)""",
    """head AS (
    SELECT f.stream, (SELECT count(*) FROM settled) + (SELECT count(*) FROM noted) AS written
      FROM feed_head f JOIN size ON f.stream = size.stream WHERE f.county_code = $1
)""",
).replace("head.base + row_number() OVER (PARTITION BY w.stream)", "nextval('naive')")
assert "nextval" in _NAIVE_WRITE
assert "head.base" not in _NAIVE_WRITE
assert "UPDATE feed_head" not in _NAIVE_WRITE

_NAIVE_HEADS = """
SELECT s.area, f.stream,
       coalesce((SELECT max(c.seq) FROM change c WHERE c.county_code = $1 AND c.stream = f.stream), 0) AS seq
FROM unnest($2::text[]) AS s(area) JOIN feed_head f ON f.county_code = $1 AND f.stream = left(s.area, 12)
UNION ALL
SELECT '', stream, seq FROM feed_head WHERE county_code = $1 AND stream = $3
"""
