"""Households that a merge has left without anybody, folded into the household of the row that was kept.

Nothing of such a household is moved or rewritten but a pointer: no list shows it while nobody is in it, and who reads
the kept household reads its visits, contacts and doors as well. As soon as somebody is in it again, be it that the
merge was undone or that a newborn was registered there, it stands for itself again.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.transaction import Edited, Transaction
from backend.residents import queries, search
from shared.errors import Code
from shared.sync import EntityKind


async def fold(tx: Transaction, lost: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """Fold the household of a row that was just merged, if nobody is left in it. Both households are locked by now."""
    if lost["left_on"]:
        return  # they had left it long before: it is not the merge that emptied it
    rev = await tx.conn.fetchval(_FOLD, tx.county, lost["household_id"], kept["household_id"])
    if rev is None:
        return
    household, area = lost["household_id"], lost["area_code"]
    await queries.set_search_keys(tx.conn, tx.county, area, household, [])
    tx.edited(Edited(household, rev, area, ["folded_into"]))
    tx.changed(EntityKind.household, household, area, gone=True)
    tx.changed(EntityKind.household, kept["household_id"], kept["area_code"])
    tx.audit("household.folded", "household", household, area, into=str(kept["household_id"]))


# Never into one that is folded itself, so that no two point to each other.
_FOLD = """
UPDATE household SET folded_into = $3, rev = rev + 1
WHERE county_code = $1 AND id = $2 AND id <> $3 AND size = 0
  AND EXISTS (SELECT FROM household k WHERE k.county_code = $1 AND k.id = $3 AND k.folded_into IS NULL)
RETURNING rev
"""


async def unfold(tx: Transaction, household_id: UUID, area: str) -> None:
    """Let a household in which somebody is again be found by its door again. Its pointer is taken back by now."""
    home = await queries.household(tx.conn, tx.county, household_id)
    if home is not None:
        keys = search.door_keys(home.compound, home.building, home.unit, home.room)
        await queries.set_search_keys(tx.conn, tx.county, area, household_id, keys)
        tx.audit("household.unfolded", "household", household_id, area)


async def refusal(conn: asyncpg.Connection, county: str, household_id: UUID) -> Refusal:
    """Return why a household is not there: folded into another, to which the pointer leads, or unknown."""
    kept: UUID | None = await conn.fetchval(
        "SELECT folded_into FROM household WHERE county_code = $1 AND id = $2", county, household_id
    )
    return Refusal(Code.merged, pointer=f"/api/v1/households/{kept}") if kept else Refusal(Code.not_found)


async def standing(conn: asyncpg.Connection, county: str, household_id: UUID) -> UUID | None:
    """Return the household that this one is read with: itself, or the one it was folded into."""
    found: UUID | None = await conn.fetchval(_STANDING, county, household_id)
    return found


_STANDING = f"""
WITH RECURSIVE home AS (
    SELECT id, folded_into, size FROM household WHERE county_code = $1 AND id = $2
    UNION
    SELECT h.id, h.folded_into, h.size FROM household h JOIN home ON h.id = home.folded_into AND home.size = 0
    WHERE h.county_code = $1
)
SELECT id FROM home WHERE {queries.STANDS.format(row="home")}
"""

HOMES_OF = """
ARRAY(
    WITH RECURSIVE home AS (
        SELECT {id}::uuid AS id
        UNION
        SELECT h.id FROM household h JOIN home ON h.folded_into = home.id WHERE h.county_code = $1 AND h.size = 0
    )
    SELECT id FROM home
)
"""
"""SQL of a household's own id and those of all that are folded into it, whose past is its own too."""


async def folded_into(conn: asyncpg.Connection, county: str, homes: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return of those of these households that others are folded into which these are."""
    rows = await conn.fetch(_FOLDED_INTO, county, list(homes))
    return {row["root"]: row["folded"] for row in rows}


_FOLDED_INTO = """
WITH RECURSIVE folded AS (
    SELECT folded_into AS root, id FROM household
    WHERE county_code = $1 AND folded_into = ANY ($2::uuid[]) AND size = 0
    UNION
    SELECT f.root, h.id FROM household h JOIN folded f ON h.folded_into = f.id WHERE h.county_code = $1 AND h.size = 0
)
SELECT root, array_agg(id ORDER BY id) AS folded FROM folded GROUP BY root
"""


async def homes_of(conn: asyncpg.Connection, county: str, household_id: UUID) -> list[UUID]:
    """Return them."""
    found: list[UUID] = await conn.fetchval(f"SELECT {HOMES_OF.format(id='$2')}", county, household_id)
    return found
