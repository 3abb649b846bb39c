"""Moving whoever and whatever stands on ground that has changed hands, set by set."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from backend.core.clock import county_day
from backend.core.transaction import Transaction
from backend.redrawing import queries
from backend.residents import history
from shared.sync import EntityKind

Pair = tuple[str, str]

FOLLOW: Final[dict[str, tuple[tuple[str, str, EntityKind | None], ...]]] = {
    "household": (
        ("occupancy", "household_id", None),
        ("link", "household_id", EntityKind.link),
        ("correction", "household_id", EntityKind.correction),
        ("conflict", "entity_id", EntityKind.conflict),
    ),
    "resident": (
        ("sealed_fact", "resident_id", None),
        ("register_finding", "resident_id", None),
        ("conflict", "entity_id", EntityKind.conflict),
    ),
    "visit": (("visit_photo", "visit_id", None), ("visit_follow_up", "visit_id", None)),
    "request": (
        ("request_event", "request_id", None),
        ("request_photo", "request_id", None),
        ("service_record", "request_id", EntityKind.service_record),
    ),
}
"""Rows that go where their household, person, visit or request goes, by the column that names it."""

STAYS: Final = {
    "audit": "it says what was done there",
    "edit": "it says what was changed there",
    "change": "the feed itself: gone in the old area, new in the other",
    "cell": "it is the area",
    "cell_boundary": "it belongs to its cell",
    "cell_duty": "ends with a closed cell",
    "household_duty": "ends: whoever looked after a household may have no part in its new cell",
    "boundary_plan": "belongs to the community",
    "volunteer": "belongs to the community",
    "volunteer_skill": "belongs to its volunteer",
    "volunteer_slot": "belongs to its volunteer",
    "period": "goes on in the new cell from the day on (history.relocate)",
    "move": "stays expected, by the community when its cell is closed",
    "register_event": "it happened there",
    "register_event_person": "it happened there",
    "register_withdrawal": "it was said there",
    "duplicate": "falls to the community: its two people may have gone two ways",
    "import_batch": "belongs to whoever brought it in",
    "import_issue": "belongs to its batch",
    "round_trial": "what a rule would have found there",
    "import_mapping": "belongs to whoever made it",
}
"""Tables with an area whose rows do not follow, and why."""


async def homes(tx: Transaction, pair: Pair, households: Sequence[UUID], dwellings: Sequence[UUID]) -> dict[str, int]:
    """Move households with their doors, people, visits and whatever hangs on these. They are locked by now."""
    await _stored(tx, "household", "id", households, pair, EntityKind.household)
    await queries.note_where_they_lay(tx.conn, tx.county, households, pair[0], county_day(tx.now))
    await _stored(tx, "dwelling", "id", dwellings, pair, None)
    residents = await _stored(tx, "resident", "household_id", households, pair, EntityKind.resident)
    visits = await _follow(tx, "visit", "household_id", households, pair, EntityKind.visit)
    for owner, ids in (("household", households), ("resident", residents), ("visit", visits)):
        for table, key, kind in FOLLOW[owner]:
            await _follow(tx, table, key, ids, pair, kind)
    await queries.move_keys(tx.conn, tx.county, [*households, *residents], pair)
    for household in households:
        tx.audit("household.moved", "household", household, pair[1], left=pair[0])
    return {"households": len(households), "residents": len(residents), "visits": len(visits)}


async def doors(tx: Transaction, pair: Pair, dwellings: Sequence[UUID]) -> dict[str, int]:
    """Move doors that nobody lives behind, so that who moves in finds them in their own cell."""
    return {"doors": len(await _stored(tx, "dwelling", "id", dwellings, pair, None))}


async def people_go_on(tx: Transaction, areas: Mapping[str, Sequence[UUID]], day: date) -> None:
    """Let the periods of everybody who has moved go on in their new cells."""
    moved: dict[UUID, str] = {}
    for area, households in areas.items():
        moved |= dict.fromkeys(await queries.residents_of(tx.conn, tx.county, households), area)
    await history.relocate(tx, moved, day)


async def requests(tx: Transaction, pair: Pair, ids: Sequence[UUID]) -> dict[str, int]:
    """Move requests with their steps, offers, tasks and minutes; where they happened never changes."""
    await _stored(tx, "request", "id", ids, pair, EntityKind.request)
    offers = await _stored(tx, "offer", "request_id", ids, pair, EntityKind.offer)
    await _stored(tx, "task_card", "id", offers, pair, EntityKind.task)
    for table, key, kind in FOLLOW["request"]:
        await _follow(tx, table, key, ids, pair, kind)
    return {"requests": len(ids), "offers": len(offers)}


async def _stored(
    tx: Transaction, table: str, key: str, ids: Sequence[UUID], pair: Pair, kind: EntityKind | None
) -> list[UUID]:
    if not ids:
        return []
    moved = await queries.move_stored(tx.conn, tx.county, table, key, ids, pair, tx.caller.account_id, tx.now)
    tell(tx, kind, moved, pair)
    return moved


async def _follow(
    tx: Transaction, table: str, key: str, ids: Sequence[UUID], pair: Pair, kind: EntityKind | None
) -> list[UUID]:
    if not ids:
        return []
    moved = await queries.move(tx.conn, tx.county, table, key, ids, pair)
    tell(tx, kind, moved, pair)
    return moved


def tell(tx: Transaction, kind: EntityKind | None, ids: Sequence[UUID], pair: Pair) -> None:
    """Gone in the old area, new in the other."""
    if kind is not None:
        for one in ids:
            tx.changed(kind, one, pair[0], gone=True)
            tx.changed(kind, one, pair[1])
