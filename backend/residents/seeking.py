"""Looking for rows that may be one person: around a new one at once, through the whole county at night."""

from collections.abc import Iterable
from uuid import UUID

from backend.core.transaction import Transaction
from backend.residents import duplicate_queries as queries
from backend.residents import likeness, search
from shared.sync import EntityKind
from shared.types import community_of


async def look_around(tx: Transaction, resident_id: UUID) -> int:
    """Look for a new person's twin in the part of their community that the caller sees; the night looks everywhere."""
    own = (await queries.traits(tx, [resident_id])).get(resident_id)
    if own is None:
        return 0
    keys = [key for key in (own.spelling, search.normalise(own.phone or "")) if key]
    near = await queries.near(tx, community_of(own.area_code), keys)
    others = (await queries.traits(tx, [one for one in near if one != resident_id])).values()
    return await _note(tx, ((own, other) for other in others))


async def look_everywhere(tx: Transaction) -> int:
    """Look through the county for pairs; an open one that is alike no more is dropped. Return how many there are."""
    await tx.conn.execute("SET LOCAL statement_timeout = '10min'")
    alike = await queries.alike(tx)
    known = await queries.traits(tx, list({one for pair in alike for one in pair}))
    found = await _note(tx, ((known[one], known[other]) for one, other in alike if one in known and other in known))
    if len(alike) < queries.MOST:  # else some were not looked at
        for pair in await queries.forget_unseen(tx):
            tx.changed(EntityKind.duplicate, pair["id"], pair["area_code"], gone=True)
    return found


async def _note(tx: Transaction, pairs: Iterable[tuple[likeness.Traits, likeness.Traits]]) -> int:
    found = [_found(one, other, why) for one, other in pairs if (why := likeness.likely(one, other))]
    if found:
        for pair in await queries.note(tx, found):
            _tell(tx, pair["id"], pair["area_code"], pair["was"])
    return len(found)


def _tell(tx: Transaction, pair_id: UUID, area: str, was: str | None) -> None:
    if was and was != area:
        tx.changed(EntityKind.duplicate, pair_id, was, gone=True)
    tx.changed(EntityKind.duplicate, pair_id, area)


def _found(one: likeness.Traits, other: likeness.Traits, why: likeness.Likely) -> queries.Found:
    pair = likeness.pair(one.id, other.id)
    return queries.Found(pair.id, likeness.area_of_both(one.area_code, other.area_code), *pair, *why)
