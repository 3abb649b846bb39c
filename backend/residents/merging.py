"""Two rows of one person: one points to the other, and points nowhere again when it was a mistake.

Nothing of the row that is merged is rewritten but the pointer, and no visit, request, period or link is moved: whoever
reads a person's history reads the rows that point to them as well. The row that is kept is given what it lacks and
people must go on knowing: the labels of care, for which somebody is visited, telephone and birthday. What it was given
is written down with the decision. That is what makes a merge exactly undoable. A household that it leaves without
anybody is folded into the one of the kept row; one in which others live stays, because nobody has said who they are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.transaction import Edited, Transaction
from backend.residents import changing, folding, history, households, queries, rules
from backend.residents.history import CARE
from backend.residents.one_head import one_head
from backend.residents.periods import FOREVER
from shared.errors import Code
from shared.residents import MergedRow, ResidentOut
from shared.sync import EntityKind
from shared.texts import _

Row = Mapping[str, Any]


async def rows_of(conn: asyncpg.Connection, county: str, resident_id: UUID) -> list[UUID]:
    """Return a person's own row and all that were merged into it, whose history is theirs too."""
    rows = await conn.fetch(_ROWS_OF, county, resident_id)
    return [row["id"] for row in rows]


_ROWS_OF = """
WITH RECURSIVE rows AS (
    SELECT $2::uuid AS id
    UNION
    SELECT r.id FROM resident r JOIN rows ON r.merged_into = rows.id WHERE r.county_code = $1
)
SELECT id FROM rows
"""


async def merged_into(
    conn: asyncpg.Connection, county: str, resident_ids: Sequence[UUID]
) -> dict[UUID, list[MergedRow]]:
    """Return of those of these people that others were merged into which these are, as far as the caller sees them."""
    found: dict[UUID, list[MergedRow]] = {}
    for row in await conn.fetch(_MERGED_INTO, county, list(resident_ids)):
        found.setdefault(row["kept"], []).append(MergedRow(id=row["id"], household_id=row["household_id"]))
    return found


_MERGED_INTO = """
WITH RECURSIVE merged AS (
    SELECT merged_into AS kept, id, household_id FROM resident
    WHERE county_code = $1 AND merged_into = ANY ($2::uuid[])
    UNION
    SELECT m.kept, r.id, r.household_id FROM resident r JOIN merged m ON r.merged_into = m.id WHERE r.county_code = $1
)
SELECT kept, id, household_id FROM merged ORDER BY kept, id
"""


async def standing(conn: asyncpg.Connection, county: str, resident_id: UUID) -> Row | None:
    """Return the row that a person is kept under: their own, or the one it was merged into."""
    found: Row | None = await conn.fetchrow(_STANDING, county, resident_id)
    return found


_STANDING = """
WITH RECURSIVE row AS (
    SELECT id, area_code, merged_into FROM resident WHERE county_code = $1 AND id = $2
    UNION
    SELECT r.id, r.area_code, r.merged_into FROM resident r JOIN row ON r.id = row.merged_into WHERE r.county_code = $1
)
SELECT id, area_code FROM row WHERE merged_into IS NULL
"""


async def refusal(conn: asyncpg.Connection, county: str, resident_id: UUID) -> Refusal:
    """Return why a person is not there: merged into another, to whom the pointer leads, or unknown."""
    kept: UUID | None = await conn.fetchval(
        "SELECT merged_into FROM resident WHERE county_code = $1 AND id = $2", county, resident_id
    )
    return Refusal(Code.merged, pointer=f"/api/v1/residents/{kept}") if kept else Refusal(Code.not_found)


async def lock_both(tx: Transaction, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Lock two people, their households first as everybody does, and return the rows that the caller sees."""
    homes = await tx.conn.fetch(
        "SELECT household_id FROM resident WHERE county_code = $1 AND id = ANY ($2::uuid[])", tx.county, list(ids)
    )
    for home in sorted({row["household_id"] for row in homes}):
        await queries.lock_household(tx.conn, tx.county, home)
    rows = await tx.conn.fetch(_LOCK, tx.county, list(ids))
    return {row["id"]: row for row in rows}


_LOCK = """
SELECT id, area_code, household_id, merged_into, left_on, id_index IS NOT NULL AS id_on_file FROM resident
WHERE county_code = $1 AND id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE
"""


async def merge(tx: Transaction, keep: Row, lose: Row) -> list[str]:
    """Let one row point to the other and leave lists, search and its household's sums; return what was added there."""
    if keep["merged_into"] or lose["merged_into"]:
        raise Refusal(Code.step_not_allowed, _("其中一条已经合并过了。"))
    if keep["id_on_file"] and lose["id_on_file"]:
        raise Refusal(Code.step_not_allowed, _("两条登记了不同的身份号码，请先核对证件，更正错的那一条。"))
    if lose["id_on_file"]:
        raise Refusal(Code.step_not_allowed, _("请保留登记了身份号码的那一条。"), pointer="/keep")
    await _point(tx, lose, keep["id"])
    await folding.fold(tx, lose, keep)
    tx.changed(EntityKind.resident, keep["id"], keep["area_code"])
    tx.audit("resident.merged", "resident", lose["id"], lose["area_code"], into=str(keep["id"]))
    return await _pass_on(tx, keep, lose)


_FILLED = ("phone", "birth_date")


async def _pass_on(tx: Transaction, keep: Row, lose: Row) -> list[str]:
    """Give the kept row what it lacks of the other. Who has left the register passes on no labels and takes nothing."""
    kept, lost = await _both(tx, keep, lose)
    if kept.left_on:
        return []
    labels = [] if lost.left_on else [label for label in lost.care if label not in kept.care]
    fields: dict[str, Any] = {
        name: getattr(lost, name) for name in _FILLED if getattr(kept, name) is None and getattr(lost, name) is not None
    }
    added = [*(CARE + label for label in labels), *fields]
    if labels:
        fields["care"] = rules.in_order([*kept.care, *labels])
    if added:
        await changing.change(tx, kept, kept.model_copy(update=fields), list(fields))
    return added


async def _both(tx: Transaction, one: Row, other: Row) -> tuple[ResidentOut, ResidentOut]:
    found = await queries.merged_too(tx.conn, tx.county, [one["id"], other["id"]])
    return found[one["id"]], found[other["id"]]


async def unmerge(tx: Transaction, kept: Row, lost: Row, added: Sequence[str], merged_at: datetime) -> None:
    """Take the pointer back; all else that is known of the row, its search keys too, is still there.

    The kept row loses again what it was given, except for what somebody has changed since.
    """
    await _point(tx, lost, None)
    await _take_back(tx, kept, lost, added, merged_at)
    tx.audit("resident.unmerged", "resident", lost["id"], lost["area_code"], out_of=str(lost["merged_into"]))


async def _take_back(tx: Transaction, keep: Row, lose: Row, added: Sequence[str], merged_at: datetime) -> None:
    kept, lost = await _both(tx, keep, lose)
    fields: dict[str, Any] = {
        name: None for name in _FILLED if name in added and getattr(kept, name) == getattr(lost, name)
    }
    if labels := await _unnoted(tx, kept.id, [track for track in added if track.startswith(CARE)], merged_at):
        fields["care"] = [label for label in kept.care if label not in labels]
    if fields:
        await changing.change(tx, kept, kept.model_copy(update=fields), list(fields))
    if keep["merged_into"]:
        tx.changed(EntityKind.resident, kept.id, kept.area_code, gone=True)
    if row := await standing(tx.conn, tx.county, kept.id):
        tx.changed(EntityKind.resident, row["id"], row["area_code"])
    tx.changed(EntityKind.household, kept.household_id, kept.area_code)


async def _unnoted(tx: Transaction, resident_id: UUID, added: Sequence[str], merged_at: datetime) -> list[str]:
    """Take the open periods away that a merge wrote, as if they had never been; return their labels.

    A label that was taken off and noted again has a period of its own, and stays.
    """
    book = await history.read(tx, [resident_id])
    tracks, labels = book.tracks(resident_id), []
    for track in added:
        last = book.rows.get(resident_id, {}).get(track, [])[-1:]
        if last and last[0]["noted_at"] == merged_at and last[0]["until_day"] == FOREVER:
            tracks[track] = tracks[track][:-1]
            labels.append(track.removeprefix(CARE))
    await history.write(tx, book, {resident_id: tracks})
    return labels


async def _point(tx: Transaction, row: Row, to: UUID | None) -> None:
    with one_head():
        rev: int = await tx.conn.fetchval(
            "UPDATE resident SET merged_into = $3, rev = rev + 1 WHERE county_code = $1 AND id = $2 RETURNING rev",
            tx.county, row["id"], to,
        )  # fmt: skip
    await households.add_up(tx, row["household_id"], row["area_code"])
    tx.edited(Edited(row["id"], rev, row["area_code"], ["merged_into"]))
    tx.changed(EntityKind.resident, row["id"], row["area_code"], gone=to is not None)
