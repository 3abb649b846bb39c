"""People on the register brought up to a corrected sheet, each by the edit that a person would have made."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.transaction import Transaction
from backend.imports import ids
from backend.imports.known import Known, words_of
from backend.residents import changing, queries
from shared.imports import COLUMN_WORDS, Column, Grade
from shared.residents import Care, ResidentOut
from shared.texts import _

AT_ONCE = 500
"""People changed in one transaction: their households are locked to its end, and whoever is at a door waits."""


async def wanted(tx: Transaction, batch: UUID, known: Sequence[Known]) -> list[asyncpg.Record]:
    """Return what a slice says of the people whom it may change, once each, household by household.

    Whom another row of the slice has changed already is left out: a slice that begins anew does not go on to what a
    second row says.
    """
    rows = [one.row for one in known if one.can_update]
    if not rows:
        return []
    fields = [",".join(one.can_update) for one in known if one.can_update]
    return list(await tx.conn.fetch(_WANTED, rows, fields, tx.county, *ids.range_of(batch, ids.Kind.issue)))


async def bring_up(tx: Transaction, batch: UUID, rows: Sequence[asyncpg.Record]) -> None:
    """Change the next people. Whom the register refuses to change, or who left meanwhile, stays listed."""
    present = await _locked(tx, [row["person"] for row in rows])
    for row in rows:
        person = present.get(row["person"])
        if person and person.left_on is None:
            values = {name: _value(person, row, name) for name in row["fields"].split(",")}
            if await _changed(tx, person, values):
                await _note(tx, batch, row["row"], person, list(values))


async def brought_up(conn: asyncpg.Connection, county: str, batch: UUID) -> set[int]:
    """Return the rows of the staged slice by which the batch has changed somebody."""
    rows = await conn.fetch(_BROUGHT_UP, county, *ids.range_of(batch, ids.Kind.issue))
    return {row["row_no"] for row in rows}


async def _locked(tx: Transaction, people: Sequence[UUID]) -> dict[UUID, ResidentOut]:
    """Read people whose households are locked: an edit locks its household first, so nobody is ahead of us."""
    await tx.conn.execute(_LOCK, tx.county, list(people))
    return await queries.residents_by_ids(tx.conn, tx.county, people)


def _value(person: ResidentOut, row: asyncpg.Record, field: str) -> Any:
    """Return what a field shall be. Labels are added and never taken off: a sheet that is silent denies nothing."""
    if field != "care":
        return row[field]
    given = {*person.care, *filter(None, row["care"].split(","))}
    return [label for label in Care if label in given]


async def _changed(tx: Transaction, person: ResidentOut, values: dict[str, Any]) -> bool:
    wanted = ResidentOut.model_validate(person.model_dump() | values)
    try:
        async with tx.savepoint():
            await changing.change(tx, person, wanted, list(values))
    except Refusal:
        return False
    return True


async def _note(tx: Transaction, batch: UUID, row: int, person: ResidentOut, fields: Sequence[str]) -> None:
    """Keep how a person was, in the report that only those see who see the person."""
    former = {
        "id": str(person.id), "rev": person.rev + 1,
        "fields": person.model_dump(mode="json", include=set(fields)),
    }  # fmt: skip
    await tx.conn.execute(
        _FORMER,
        tx.county,
        person.area_code,
        ids.of_row(ids.prefix_of(batch), ids.Kind.issue, _place(row)),
        row,
        Grade.changed.value,
        COLUMN_WORDS[Column.name],
        _("库里已有这个人，已按表更新：{fields}。").format(fields=words_of(fields)),
        json.dumps(former),
    )


def _place(row: int) -> int:
    """Return what the id of a row's change ends with: behind everything else that is said about the row."""
    return row << 20 | 0xFFFFF


async def changed_since(conn: asyncpg.Connection, county: str, batch: UUID, limit: int) -> list[tuple[int, str]]:
    """Return (row, name) of people whom the batch has changed and somebody else since."""
    rows = await conn.fetch(_CHANGED_SINCE, county, *ids.range_of(batch, ids.Kind.issue), limit)
    return [(row["row_no"], row["name"]) for row in rows]


async def restore(tx: Transaction, batch: UUID) -> int | None:
    """Give the next people back what they were before the batch, but for those whom somebody has changed since.

    Returns how many, or None when nobody is left. A restart goes on with those who are not settled.
    """
    rows = await tx.conn.fetch(_TO_RESTORE, tx.county, *ids.range_of(batch, ids.Kind.issue), AT_ONCE)
    if not rows:
        return None
    former = {row["id"]: json.loads(row["former"]) for row in rows}
    present = await _locked(tx, [UUID(was["id"]) for was in former.values()])
    restored = []
    for issue, was in former.items():
        person = present.get(UUID(was["id"]))
        if person and person.rev == was["rev"] and await _changed(tx, person, was["fields"]):
            restored.append(issue)
    await tx.conn.execute(_SETTLED, tx.county, restored)
    await tx.conn.execute(_KEPT, tx.county, [issue for issue in former if issue not in restored])
    return len(restored)


async def forget(tx: Transaction, batch: UUID) -> int:
    """Let go of how people were who are not given back, and return how many they are."""
    found = ids.range_of(batch, ids.Kind.issue)
    kept: int = await tx.conn.fetchval(f"SELECT count(*) FROM import_issue i WHERE {_HERE}", tx.county, *found)
    await tx.conn.execute(f"UPDATE import_issue i SET former = NULL WHERE {_HERE}", tx.county, *found)
    return kept


_WANTED = """
SELECT DISTINCT ON (k.household_id, k.person) k.person, s.row, w.fields, s.name, s.sex, s.birth AS birth_date, s.phone,
       s.relation, s.residency, s.care, s.ethnicity, s.marital, s.education, s.political, s.employment, s.occupation,
       s.registered_place
FROM unnest($1::int[], $2::text[]) AS w(row, fields) JOIN known k USING (row) JOIN staged s USING (row)
WHERE NOT EXISTS (
    SELECT FROM import_issue i JOIN staged o ON o.row = i.row_no
    WHERE i.county_code = $3 AND i.id BETWEEN $4 AND $5 AND i.grade = 'changed'
      AND (i.former ->> 'id')::uuid = k.person AND i.row_no <> k.row
)
ORDER BY k.household_id, k.person, s.row
"""

_BROUGHT_UP = """
SELECT i.row_no FROM import_issue i JOIN staged s ON s.row = i.row_no
WHERE i.county_code = $1 AND i.id BETWEEN $2 AND $3 AND i.grade = 'changed' AND i.former IS NOT NULL
"""

_LOCK = """
SELECT 1 FROM household WHERE county_code = $1 AND id = ANY (ARRAY(
    SELECT household_id FROM resident WHERE county_code = $1 AND id = ANY ($2::uuid[])
)) ORDER BY id FOR UPDATE
"""

# A person whom a batch that began anew has changed twice goes back to how the second time found them.
_FORMER = """
INSERT INTO import_issue (county_code, area_code, id, row_no, grade, header, words, value, former)
VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8)
ON CONFLICT (county_code, id) DO UPDATE SET area_code = excluded.area_code, words = excluded.words,
    former = excluded.former
"""

_HERE = "i.county_code = $1 AND i.id BETWEEN $2 AND $3 AND i.grade = 'changed' AND i.former IS NOT NULL"

_CHANGED_SINCE = f"""
SELECT i.row_no, r.name FROM import_issue i
JOIN resident r ON r.county_code = $1 AND r.id = (i.former ->> 'id')::uuid
WHERE {_HERE} AND r.rev <> (i.former ->> 'rev')::int ORDER BY i.id LIMIT $4
"""

_TO_RESTORE = (
    f"SELECT i.id, i.former FROM import_issue i WHERE {_HERE} AND NOT i.former ? 'kept' ORDER BY i.id LIMIT $4"
)

_SETTLED = "UPDATE import_issue SET former = NULL WHERE county_code = $1 AND id = ANY ($2::uuid[])"

_KEPT = """
UPDATE import_issue SET former = former || '{"kept": true}' WHERE county_code = $1 AND id = ANY ($2::uuid[])
"""
