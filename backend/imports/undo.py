"""Taking a batch back: everybody it brought in, but for those whom somebody has worked with since."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from backend.core.db import Database
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.imports import ids, queries, staging, updating
from shared.imports import ImportState
from shared.residents import Care

SLICE: Final = 20_000
_OWNED: Final = ("period", "register_finding")
"""Tables whose rows go with the person, and of sealed facts those that the batch brought. A row of any other that
points to somebody keeps them."""
_SEALED: Final = "sealed_fact"
_NAMING_PERSON: Final = (("resident", "merged_into"), ("link", "person_id"), ("conflict", "entity_id"))
_NAMING_HOME: Final = (("household", "folded_into"), ("conflict", "entity_id"))
"""Columns that point to somebody, or to a household, under a name that does not say so."""


async def changed(conn: asyncpg.Connection, county: str, batch: UUID, limit: int) -> list[tuple[int, str]]:
    """Return (row, name) of people who are not as the batch left them, or to whom something else points."""
    pointed = await _worked_with(conn, batch)
    rows = await conn.fetch(
        f"SELECT id, name FROM resident r WHERE county_code = $1 AND id BETWEEN $2 AND $3 AND (rev > 1 OR {pointed})"
        " ORDER BY id LIMIT $4",
        county, *ids.range_of(batch, ids.Kind.resident), limit,
    )  # fmt: skip
    found = [(ids.row_of(row["id"]), row["name"]) for row in rows]
    return sorted(found + await updating.changed_since(conn, county, batch, limit))[:limit]


async def run(database: Database, caller: Caller, batch: UUID, watch: Callable[[int, int | None], None]) -> None:
    """Undo slice by slice; who was changed stays. A restart goes on with whoever is left."""
    gone = 0
    while (restored := await database.run(caller, partial(_restore, batch=batch))) is not None:
        gone += restored
        watch(gone, None)
    after: UUID | None = ids.range_of(batch, ids.Kind.resident)[0]
    while after is not None:
        removed, after = await database.run(caller, partial(_slice, batch=batch, after=after))
        gone += removed
        watch(gone, None)
    await database.run(caller, lambda tx: _finish(tx, batch))


async def _restore(tx: Transaction, batch: UUID) -> int | None:
    restored = await updating.restore(tx, batch)
    if restored:
        await _note(tx, batch, restored=restored)
    return restored


async def _slice(tx: Transaction, batch: UUID, after: UUID) -> tuple[int, UUID | None]:
    """Remove those of the next people who may go; return how many, and where to go on."""
    await tx.conn.execute(staging.HASHED + _TABLES)
    pointed = await _worked_with(tx.conn, batch)
    last = ids.range_of(batch, ids.Kind.resident)[1]
    until = await tx.conn.fetchval(_UNTIL, tx.county, after, last, SLICE)
    if until is None:
        return 0, None
    await tx.conn.execute(_DOOMED.format(pointed=pointed), tx.county, after, until)
    for table in (*_OWNED, _SEALED):
        await tx.conn.execute(
            f"DELETE FROM {table} t USING doomed WHERE t.county_code = $1 AND t.resident_id = doomed.id",
            tx.county,
        )
    await tx.conn.execute(_REMOVE, tx.county)
    await _remove_homes(tx, batch)
    removed = int(await tx.conn.fetchval("SELECT count(*) FROM doomed"))
    tx.audit("import.undone", "import", batch, await _note(tx, batch, undone=removed), people=removed)
    await tx.conn.execute(_CHANGED, tx.county)
    await staging.tell(tx)
    return removed, until


async def _remove_homes(tx: Transaction, batch: UUID) -> None:
    """Remove the batch's households that are empty and untouched; add up again those that go on."""
    first, last = ids.range_of(batch, ids.Kind.household)
    pointed = await _pointed(tx.conn, "household_id", "id", ())
    named = _named(_NAMING_HOME, "id")
    await tx.conn.execute(_EMPTY.format(pointed=f"{pointed} OR {named}"), tx.county, first, last)
    await tx.conn.execute(_EMPTIED, tx.county)
    await tx.conn.execute(staging.SUMS_OF.format(which="SELECT id FROM left_homes"), tx.county, [c.value for c in Care])


async def _note(tx: Transaction, batch: UUID, **more: int) -> str:
    """Count who went or was given back, and return the batch's area."""
    row = await queries.work(tx.conn, tx.county, batch)
    assert row is not None
    counts: dict[str, Any] = orjson.loads(row["counts"])
    counts |= {name: counts.get(name, 0) + number for name, number in more.items()}
    done = counts.get("undone", 0) + counts.get("restored", 0)
    await queries.change(tx.conn, tx.county, batch, counts=counts, done=done)
    area: str = row["area_code"]
    return area


async def _finish(tx: Transaction, batch: UUID) -> None:
    """Remove search keys in one pass: their index begins with the area and the key, and knows no person."""
    for kind in (ids.Kind.resident, ids.Kind.household):
        await tx.conn.execute(_KEYS.format(table=kind.name), tx.county, *ids.range_of(batch, kind))
    changed = await updating.forget(tx, batch)
    await queries.clear_issues(tx.conn, tx.county, batch)
    row = await queries.work(tx.conn, tx.county, batch)
    assert row is not None
    counts: dict[str, Any] = orjson.loads(row["counts"])
    counts["kept"] = changed + await tx.conn.fetchval(
        "SELECT count(*) FROM resident WHERE county_code = $1 AND id BETWEEN $2 AND $3",
        tx.county, *ids.range_of(batch, ids.Kind.resident),
    )  # fmt: skip
    await queries.change(tx.conn, tx.county, batch, counts=counts, state=ImportState.undone.value, finished_at=tx.now)


async def _worked_with(conn: asyncpg.Connection, batch: UUID) -> str:
    """Return a condition that says whether something was noted about the person `r`, or at their door."""
    person = await _pointed(conn, "resident_id", "id", (*_OWNED, _SEALED))
    first, last = ids.range_of(batch, ids.Kind.fact)
    sealed = (
        "EXISTS (SELECT FROM sealed_fact p WHERE p.county_code = r.county_code AND p.resident_id = r.id"
        f" AND (p.rev > 1 OR p.id NOT BETWEEN '{first}' AND '{last}'))"
    )
    home = await _pointed(conn, "household_id", "household_id", ("resident",))
    named = _named(_NAMING_PERSON, "id"), _named(_NAMING_HOME, "household_id")
    return " OR ".join((person, sealed, home, *named))


async def _pointed(conn: asyncpg.Connection, column: str, mine: str, besides: tuple[str, ...]) -> str:
    """Return a condition that says whether a row of any table points to `r`, read from the catalog: tables that come
    later are asked too, also those whose column is no foreign key."""
    tables = [row["name"] for row in await conn.fetch(_POINTERS, column, list(besides))]
    asked = 'EXISTS (SELECT FROM "{}" p WHERE p.county_code = r.county_code AND p.{} = r.{})'
    return " OR ".join(asked.format(table, column, mine) for table in tables) or "false"


def _named(columns: Sequence[tuple[str, str]], mine: str) -> str:
    """Return a condition that says whether one of these columns points to `r`."""
    asked = "EXISTS (SELECT FROM {0} p WHERE p.county_code = r.county_code AND p.{1} = r.{2} AND p.{1} IS NOT NULL)"
    return " OR ".join(asked.format(*column, mine) for column in columns)


_POINTERS = """
SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attname = $1 AND NOT a.attisdropped
  AND NOT c.relname = ANY ($2::text[]) ORDER BY 1
"""

_TABLES = """
CREATE TEMP TABLE doomed (id uuid PRIMARY KEY, household_id uuid) ON COMMIT DROP;
CREATE TEMP TABLE emptied (id uuid PRIMARY KEY, dwelling_id uuid) ON COMMIT DROP;
CREATE TEMP TABLE left_homes (id uuid PRIMARY KEY) ON COMMIT DROP;
CREATE TEMP TABLE told (kind text, id uuid, area text COLLATE "C", gone bool DEFAULT true) ON COMMIT DROP;
"""

_UNTIL = """
SELECT id FROM (
    SELECT id FROM resident WHERE county_code = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4
) AS next ORDER BY id DESC LIMIT 1
"""

_DOOMED = """
INSERT INTO doomed SELECT id, household_id FROM resident r
WHERE county_code = $1 AND id > $2 AND id <= $3 AND rev = 1 AND NOT ({pointed}) FOR UPDATE
"""

_REMOVE = """
WITH gone AS (
    DELETE FROM resident r USING doomed WHERE r.county_code = $1 AND r.id = doomed.id RETURNING r.id, r.area_code
)
INSERT INTO told (kind, id, area) SELECT 'resident', id, area_code FROM gone
"""

_EMPTIED = "DELETE FROM dwelling d USING emptied WHERE d.county_code = $1 AND d.id = emptied.dwelling_id"

_EMPTY = """
WITH gone AS (
    DELETE FROM household r USING (SELECT DISTINCT household_id FROM doomed) was, dwelling d
    WHERE r.county_code = $1 AND r.id = was.household_id AND r.id BETWEEN $2 AND $3 AND NOT ({pointed})
      AND d.county_code = $1 AND d.id = r.dwelling_id AND d.rev = 1
    RETURNING r.id, r.dwelling_id, r.area_code
), noted AS (
    INSERT INTO emptied SELECT id, dwelling_id FROM gone RETURNING 1
), still AS (
    INSERT INTO left_homes SELECT DISTINCT household_id FROM doomed WHERE household_id NOT IN (SELECT id FROM gone)
    RETURNING 1
)
INSERT INTO told (kind, id, area) SELECT 'household', id, area_code FROM gone
"""

_CHANGED = """
INSERT INTO told (kind, id, area, gone)
SELECT 'household', h.id, h.area_code, false FROM left_homes l JOIN household h ON h.county_code = $1 AND h.id = l.id
"""

_KEYS = """
DELETE FROM search_key k WHERE county_code = $1 AND entity_id BETWEEN $2 AND $3
  AND NOT EXISTS (SELECT FROM {table} r WHERE r.county_code = $1 AND r.id = k.entity_id)
"""
