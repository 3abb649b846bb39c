"""Nobody is to be visited where nobody lives any more."""

from collections.abc import Sequence

from backend.core.transaction import Transaction
from backend.residents.events import Leaver
from backend.visits import queries
from shared.sync import EntityKind


async def nobody_left(tx: Transaction, leavers: Sequence[Leaver]) -> None:
    """End the due visit of a household that is empty now."""
    homes = sorted({one.household_id for one in leavers})
    for household_id, area in await queries.end_due(tx.conn, tx.county, homes):
        tx.changed(EntityKind.household, household_id, area)
