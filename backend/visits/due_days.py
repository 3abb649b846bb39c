"""A county's own intervals between visits: one row, which phones get by the feed and count with as the server does."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import asyncpg

from backend.core import preconditions
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from shared.errors import Code
from shared.sync import EntityKind
from shared.visiting import USUAL, DueDaysIn, DueDaysOut, Intervals


def id_of(county: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"urn:gridhood:due-days:{county}")


def read(stored: str | None) -> Intervals:
    """Read what is stored, as it comes from the database."""
    return USUAL if stored is None else Intervals.model_validate_json(stored)


async def get(tx: Transaction) -> DueDaysOut:
    row = await tx.conn.fetchrow("SELECT days, rev FROM due_days WHERE county_code = $1", tx.county)
    return _out(tx.county, row)


def _out(county: str, row: asyncpg.Record | None) -> DueDaysOut:
    days = read(row["days"] if row else None)
    known: dict[str, Any] = {"id": id_of(county), "area_code": county, "rev": row["rev"] if row else 0}
    return DueDaysOut(**days.model_dump(), **known)


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, DueDaysOut]:
    row = await conn.fetchrow("SELECT days, rev FROM due_days WHERE county_code = $1", county)
    return {one: _out(county, row) for one in ids if row and one == id_of(county)}


async def put(tx: Transaction, admin: Caller, body: DueDaysIn, if_match: frozenset[str] | None) -> DueDaysOut:
    """Set the intervals, on the revision that the caller names. They hold from the next visit on: a day that somebody
    was promised or told is not moved."""
    if not admin.may_write_in(tx.county):
        raise Refusal(Code.area_not_allowed)
    present = await get(tx)
    if body.model_dump() == present.model_dump(include=set(Intervals.model_fields)):
        return present
    preconditions.require(if_match, present.rev)
    days = body.model_dump(mode="json")
    if await tx.conn.fetchval(_PUT, tx.county, json.dumps(days), present.rev) is None:
        raise Refusal(Code.stale)
    await _tell(tx)
    before = present.model_dump(mode="json", include=set(Intervals.model_fields))
    tx.audit("due_days.set", "county", id_of(tx.county), tx.county, before=before, after=days)
    return await get(tx)


_PUT = """
INSERT INTO due_days AS d (county_code, days, rev) VALUES ($1, $2, 1)
ON CONFLICT (county_code) DO UPDATE SET days = $2, rev = d.rev + 1 WHERE d.rev = $3
RETURNING rev
"""


async def _tell(tx: Transaction) -> None:
    """Tell every cell: a phone follows its own, and hears nothing of what is wider."""
    for cell in await tx.conn.fetch("SELECT area_code FROM cell WHERE county_code = $1", tx.county):
        tx.changed(EntityKind.due_days, id_of(tx.county), cell["area_code"])


async def tell_new_cell(tx: Transaction, code: str) -> None:
    """Bring to a cell that was just founded what holds in its county."""
    if (await get(tx)).rev:
        tx.changed(EntityKind.due_days, id_of(tx.county), code)
