"""People on the register brought up to a corrected sheet, each by the edit that a person would have made."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.transaction import Transaction
from backend.imports import ids, staging
from backend.imports.known import Known, words_of
from backend.residents import changing, queries
from shared.imports import COLUMN_WORDS, Column, Grade
from shared.residents import Care, ResidentOut

RESTORED_AT_ONCE = 500


async def bring_up(tx: Transaction, batch: UUID, known: Sequence[Known]) -> set[int]:
    """Change who may be changed, and return the rows that did. Whom the register refuses to change stays listed."""
    wanted = {one.row: one for one in known if one.can_update}
    if not wanted:
        return set()
    await tx.conn.execute(staging.UNHASHED)
    rows = await tx.conn.fetch(_WANTED, list(wanted))
    present = await _locked(tx, [row["person"] for row in rows])
    changed: set[int] = set()
    for row in rows:
        person = present.get(row["person"])
        fields = wanted[row["row"]].can_update
        if person and await _changed(tx, person, {name: _value(person, row, name) for name in fields}):
            await _note(tx, batch, row["row"], person, fields)
            changed.add(row["row"])
    await tx.conn.execute(staging.HASHED)
    return changed


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
    """Keep how a person was, in the report that only those see who see the person, and announce them."""
    former = {
        "id": str(person.id), "rev": person.rev + 1,
        "fields": person.model_dump(mode="json", include=set(fields)),
    }  # fmt: skip
    await tx.conn.execute(
        _FORMER, tx.county, person.area_code, ids.of_row(ids.prefix_of(batch), ids.Kind.issue, _place(row)), row,
        Grade.changed.value, COLUMN_WORDS[Column.name], f"库里已有这个人，已按表更新：{words_of(fields)}。",
        json.dumps(former),
    )  # fmt: skip
    await tx.conn.execute("INSERT INTO told (kind, id, area) VALUES ('resident', $1, $2)", person.id, person.area_code)


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
    rows = await tx.conn.fetch(_TO_RESTORE, tx.county, *ids.range_of(batch, ids.Kind.issue), RESTORED_AT_ONCE)
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
SELECT DISTINCT ON (k.household_id, k.person) k.person, s.row, s.name, s.sex, s.birth AS birth_date, s.phone,
       s.relation, s.residency, s.care, s.ethnicity, s.marital, s.education, s.political, s.employment, s.occupation,
       s.registered_place
FROM known k JOIN staged s USING (row) WHERE k.row = ANY ($1::int[]) ORDER BY k.household_id, k.person, s.row
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
