"""SQL of pairs that may be one person."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core.paging import PageParams
from backend.core.transaction import Transaction
from backend.residents.likeness import Traits, door
from backend.residents.queries import by_column
from backend.residents.rules import mask_phone
from backend.residents.search import LAST, spelling
from shared.links import DuplicateOut, DuplicateState, HomeFate, Sketch

_SLICE = 5_000
MOST = 20_000
_NEAR = 200

_TRAITS = """
SELECT r.id, r.area_code, r.household_id, r.name, r.birth_date, r.phone, r.id_index IS NOT NULL AS id_on_file,
       d.id AS dwelling_id, d.compound, d.building, d.unit, d.room
FROM resident r
JOIN LATERAL (SELECT * FROM household WHERE county_code = r.county_code AND id = r.household_id OFFSET 0) h ON true
JOIN LATERAL (SELECT * FROM dwelling WHERE county_code = h.county_code AND id = h.dwelling_id OFFSET 0) d ON true
WHERE r.county_code = $1 AND r.merged_into IS NULL
"""

_SKETCH = """
SELECT r.id, r.area_code, r.household_id, r.name, r.birth_date, r.phone, r.id_index IS NOT NULL AS id_on_file,
       r.received_at, r.merged_into, r.left_on, h.folded_into IS NOT NULL AS folded,
       EXISTS (SELECT FROM resident o WHERE o.county_code = $1 AND o.household_id = r.household_id AND o.id <> r.id
                 AND o.left_on IS NULL AND o.merged_into IS NULL) AS with_others,
       concat_ws(' ', nullif(d.compound, ''), nullif(d.building, ''), nullif(d.unit, ''), nullif(d.room, '')) AS door
FROM resident r
JOIN household h ON h.county_code = r.county_code AND h.id = r.household_id
JOIN dwelling d ON d.county_code = h.county_code AND d.id = h.dwelling_id
WHERE r.county_code = $1 AND r.id = ANY ($2::uuid[])
"""

_PAIR = """
SELECT p.id, p.area_code, p.first_id, p.second_id, p.reasons, p.score, p.state, p.kept_id, p.reason,
       a.display_name AS settled_by, p.settled_at, p.rev, p.received_at
FROM duplicate p LEFT JOIN account a ON a.county_code = p.county_code AND a.id = p.settled_by
WHERE p.county_code = $1
"""

# Of rows that were merged or taken over by another decision there is nothing to decide any more.
_STANDS = """
 AND (p.state <> 'open' OR NOT EXISTS (
     SELECT FROM resident m WHERE m.county_code = $1 AND m.id IN (p.first_id, p.second_id) AND m.merged_into IS NOT NULL
 ))
"""


class Found(NamedTuple):
    """A pair to be stored."""

    id: UUID
    area_code: str
    first_id: UUID
    second_id: UUID
    reasons: Sequence[str]
    score: int


def _traits(row: asyncpg.Record) -> Traits:
    parts = (row["compound"], row["building"], row["unit"], row["room"])
    return Traits(
        row["id"], row["area_code"], row["household_id"], row["name"], spelling(row["name"]), row["birth_date"],
        row["phone"], door(row["dwelling_id"], row["area_code"], parts), row["id_on_file"],
    )  # fmt: skip


async def traits(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Traits]:
    rows = await tx.conn.fetch(f"{_TRAITS} AND r.id = ANY ($2::uuid[])", tx.county, list(ids))
    return {row["id"]: _traits(row) for row in rows}


async def near(tx: Transaction, area: str, keys: Sequence[str]) -> list[UUID]:
    """Return people of an area whom a search for any of these keys finds."""
    rows = await tx.conn.fetch(_NEAR_BY, tx.county, area, list(keys), [key + LAST for key in keys])
    return [row["entity_id"] for row in rows]


_NEAR_BY = f"""
SELECT DISTINCT hit.entity_id FROM unnest($3::text[], $4::text[]) AS t(low, high)
CROSS JOIN LATERAL (
    SELECT entity_id FROM search_key WHERE county_code = $1 AND area_code >= $2 AND area_code < $2 || ':'
       AND key >= t.low AND key < t.high ORDER BY area_code, key LIMIT {_NEAR}
) AS hit
"""


async def alike(tx: Transaction) -> list[tuple[UUID, UUID]]:
    """Return pairs of the whole county that share what any of the rules looks at.

    In a table of its own, read once: joined under row-level security, a county with itself takes minutes.
    """
    await tx.conn.execute(_LOOK)
    async for rows in _county(tx):
        await tx.conn.copy_records_to_table("look", records=rows, columns=["id", "spelling", "birth", "phone"])
    await tx.conn.execute("ANALYZE look")
    found = await tx.conn.fetch(f"{_ALIKE} LIMIT {MOST}")
    return [(row["one"], row["other"]) for row in found]


async def _county(tx: Transaction) -> AsyncIterator[list[tuple[UUID, str, date | None, str | None]]]:
    cursor = await tx.conn.cursor(
        "SELECT id, name, birth_date, phone FROM resident WHERE county_code = $1 AND merged_into IS NULL", tx.county
    )
    while rows := await cursor.fetch(_SLICE):
        yield [(row["id"], spelling(row["name"]), row["birth_date"], row["phone"]) for row in rows]


_LOOK = "CREATE TEMP TABLE look (id uuid, spelling text, birth date, phone text) ON COMMIT DROP"
_ALIKE = """
SELECT a.id AS one, b.id AS other FROM look a JOIN look b USING (spelling, birth) WHERE a.id < b.id
UNION SELECT a.id, b.id FROM look a JOIN look b USING (spelling, phone) WHERE a.id < b.id
UNION SELECT a.id, b.id FROM look a JOIN look b USING (birth, phone) WHERE a.id < b.id
"""


async def note(tx: Transaction, pairs: Sequence[Found]) -> list[asyncpg.Record]:
    """Store pairs; return those that are new or have changed, with the area they were in before, if any.

    One that was decided stays as it was decided.
    """
    rows = [(p.id, p.area_code, p.first_id, p.second_id, ",".join(p.reasons), p.score) for p in pairs]
    noted: list[asyncpg.Record] = await tx.conn.fetch(_NOTE, tx.county, tx.now, *by_column(rows, 6))
    return noted


_NOTE = """
WITH noted AS (
INSERT INTO duplicate AS p (county_code, id, area_code, rev, received_at, first_id, second_id, reasons, score, state,
                            reason, seen_at)
SELECT $1, id, area_code, 1, $2, first_id, second_id, string_to_array(reasons, ','), score, 'open', '', $2
FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::int[])
  AS f(id, area_code, first_id, second_id, reasons, score)
ON CONFLICT (county_code, id) DO UPDATE
SET area_code = excluded.area_code, score = excluded.score, seen_at = excluded.seen_at,
    reasons = excluded.reasons || CASE WHEN 'by_hand' = ANY (p.reasons) THEN ARRAY['by_hand'] ELSE '{}' END
WHERE p.state = 'open'
RETURNING p.id, p.area_code, p.reasons, p.score
)
SELECT n.id, n.area_code, p.area_code AS was FROM noted n LEFT JOIN duplicate p ON p.county_code = $1 AND p.id = n.id
WHERE (n.area_code, n.reasons, n.score) IS DISTINCT FROM (p.area_code, p.reasons, p.score)
"""


async def propose(tx: Transaction, pair: Found) -> DuplicateState:
    """Store a pair that somebody has named, or note on an open one that somebody did; return how it stands."""
    state: str = await tx.conn.fetchval(
        """
        WITH named AS (
            INSERT INTO duplicate AS p (county_code, id, area_code, rev, received_at, first_id, second_id, reasons,
                                        score, state, reason, seen_at)
            VALUES ($1, $3, $4, 1, $2, $5, $6, $7, $8, 'open', '', $2)
            ON CONFLICT (county_code, id) DO UPDATE SET reasons = p.reasons || excluded.reasons, rev = p.rev + 1
            WHERE p.state = 'open' AND NOT p.reasons @> excluded.reasons
            RETURNING state
        )
        SELECT state FROM named
        UNION ALL SELECT state FROM duplicate WHERE county_code = $1 AND id = $3
        """,
        tx.county, tx.now, pair.id, pair.area_code, pair.first_id, pair.second_id, list(pair.reasons), pair.score,
    )  # fmt: skip
    return DuplicateState(state)


async def forget_unseen(tx: Transaction) -> list[asyncpg.Record]:
    """Remove open pairs that this look no longer found, because somebody has corrected one of them; not what
    somebody has named."""
    forgotten: list[asyncpg.Record] = await tx.conn.fetch(
        "DELETE FROM duplicate WHERE county_code = $1 AND state = 'open' AND seen_at < $2"
        " AND NOT 'by_hand' = ANY (reasons) RETURNING id, area_code",
        tx.county, tx.now,
    )  # fmt: skip
    return forgotten


async def page_of_pairs(
    conn: asyncpg.Connection, county: str, area: str, state: DuplicateState, page: PageParams
) -> list[asyncpg.Record]:
    """Return one pair more than a page."""
    after = " AND (p.received_at, p.id) < ($5, $6)" if page.after else ""
    rows: list[asyncpg.Record] = await conn.fetch(
        f"{_PAIR} AND p.area_code >= $2 AND p.area_code < $2 || ':' AND p.state = $3{after}{_STANDS}"
        " ORDER BY p.received_at DESC, p.id DESC LIMIT $4",
        county, area, state, page.limit + 1, *(page.after or ()),
    )  # fmt: skip
    return rows


async def pairs_of(conn: asyncpg.Connection, county: str, resident_id: UUID) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await conn.fetch(
        f"{_PAIR} AND (p.first_id = $2 OR p.second_id = $2) AND p.state = 'open'{_STANDS} ORDER BY p.score DESC, p.id",
        county, resident_id,
    )  # fmt: skip
    return rows


async def by_ids(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, DuplicateOut]:
    """Return the pairs of these ids for who covers both sides: the feed brings them to nobody else."""
    rows = await conn.fetch(f"{_PAIR} AND p.id = ANY ($2::uuid[]){_STANDS}", county, list(ids))
    people = await sketches(conn, county, [row[side] for row in rows for side in ("first_id", "second_id")])
    return {
        row["id"]: DuplicateOut(
            first=sketch(people[row["first_id"]], people[row["second_id"]]),
            second=sketch(people[row["second_id"]], people[row["first_id"]]), **row,
        )
        for row in rows
        if row["first_id"] in people and row["second_id"] in people
    }  # fmt: skip


def sketch(person: Mapping[str, Any], other: Mapping[str, Any] | None = None) -> Sketch:
    """Return somebody as who covers them sees them, beside the other one of a pair."""
    fate = home_fate(person, other) if other else None
    known = {**person, "in_scope": True, "phone": mask_phone(person["phone"]), "home_fate": fate}
    return Sketch.model_validate(known)


def home_fate(person: Mapping[str, Any], other: Mapping[str, Any]) -> HomeFate:
    """Say what becomes of a person's household when the person is merged into the other one."""
    if person["household_id"] == other["household_id"]:
        return HomeFate.shared
    if person["with_others"] or person["left_on"] or other["folded"]:
        return HomeFate.stays
    return HomeFate.folded if person["folded"] else HomeFate.folds


async def open_beside(tx: Transaction, pair_id: UUID, people: Sequence[UUID]) -> list[asyncpg.Record]:
    """Return the other open pairs of these people, which stand or fall with what is decided about one."""
    rows: list[asyncpg.Record] = await tx.conn.fetch(
        "SELECT id, area_code FROM duplicate WHERE county_code = $1 AND state = 'open' AND id <> $2"
        " AND (first_id = ANY ($3::uuid[]) OR second_id = ANY ($3::uuid[]))",
        tx.county, pair_id, list(people),
    )  # fmt: skip
    return rows


async def pair(conn: asyncpg.Connection, county: str, pair_id: UUID) -> asyncpg.Record | None:
    return await conn.fetchrow(f"{_PAIR} AND p.id = $2", county, pair_id)


async def lock_pair(tx: Transaction, pair_id: UUID) -> asyncpg.Record | None:
    return await tx.conn.fetchrow(
        "SELECT area_code, first_id, second_id, state, kept_id, added, settled_at FROM duplicate"
        " WHERE county_code = $1 AND id = $2 FOR UPDATE",
        tx.county, pair_id,
    )  # fmt: skip


async def decide(tx: Transaction, pair_id: UUID, row: Mapping[str, Any]) -> int:
    """Write a decision, given by column, and return the revision."""
    columns = ", ".join(f"{name} = ${at}" for at, name in enumerate(row, 3))
    rev: int = await tx.conn.fetchval(
        f"UPDATE duplicate SET {columns}, rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING rev",
        tx.county, pair_id, *row.values(),
    )  # fmt: skip
    return rev


async def sketches(conn: asyncpg.Connection, county: str, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    return {row["id"]: dict(row) for row in await conn.fetch(_SKETCH, county, list(ids))}


async def holder(conn: asyncpg.Connection, county: str, index: bytes) -> asyncpg.Record | None:
    """Return the row that a number is on file for, or the one that it was merged into."""
    return await conn.fetchrow(
        """
        WITH RECURSIVE way AS (
            SELECT id, area_code, merged_into FROM resident WHERE county_code = $1 AND id_index = $2
            UNION ALL
            SELECT r.id, r.area_code, r.merged_into FROM resident r JOIN way w ON r.id = w.merged_into
            WHERE r.county_code = $1
        )
        SELECT id, area_code FROM way WHERE merged_into IS NULL
        """,
        county, index,
    )  # fmt: skip
