"""Writing an edit of a person: the row, and whatever follows from it."""

from backend.core.errors import Refusal
from backend.core.transaction import Edited, Transaction
from backend.residents import history, households, queries, search
from backend.residents.one_head import one_head
from shared.errors import Code
from shared.residents import ResidentOut
from shared.sync import EntityKind

_SUMMED = frozenset({"name", "relation", "care"})
_SEARCHED = frozenset({"name", "phone"})
_DATED = frozenset({"residency", "relation", "care"})


async def change(tx: Transaction, present: ResidentOut, wanted: ResidentOut, fields: list[str]) -> None:
    """Change these fields of a person's row, and with it search keys, household sums, periods and feed."""
    await queries.lock_household(tx.conn, tx.county, present.household_id)
    with one_head():
        rev = await queries.change_resident(tx.conn, tx.county, present.id, present.rev, wanted)
    if rev is None:
        raise Refusal(Code.stale)
    area = present.area_code
    if _SEARCHED & set(fields):
        keys = search.person_keys(wanted.name, wanted.phone)
        await queries.set_search_keys(tx.conn, tx.county, area, present.id, keys)
    if _SUMMED & set(fields):
        await households.add_up(tx, present.household_id, area)
    if _DATED & set(fields):
        values = {name: str(getattr(wanted, name)) for name in _DATED & set(fields) - {"care"}}
        await history.note_edit(tx, present.id, area, values, wanted.care if "care" in fields else None)
    tx.edited(Edited(present.id, rev, area, fields))
    tx.changed(EntityKind.resident, present.id, area)
    tx.audit("resident.changed", "resident", present.id, area, fields=fields)
