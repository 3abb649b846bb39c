"""What a visit leads to: requests, corrections of the register, photos. All in the visit's own transaction."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.visits import follow_up_queries, queries
from shared.attachments import PhotoOut
from shared.errors import Code
from shared.sync import EntityKind
from shared.types import uuid7
from shared.visits import CorrectionFollowUp, FollowUp, FollowUpOut, RequestFollowUp, VisitIn

RequestOpener = Callable[[Transaction, Caller, UUID, UUID, RequestFollowUp], Awaitable[tuple[UUID, bool]]]
"""Opens a request of (visit, household), or finds the open one of its category; says which, and if it was there."""

_openers: list[RequestOpener] = []


def when_found(opener: RequestOpener) -> None:
    """Register who opens requests: their room is no lower than this one. Called by main.py."""
    _openers[:] = [opener]


@dataclass(frozen=True, slots=True)
class Kept:
    """A visit that has just been stored, with its household's area."""

    id: UUID
    area_code: str
    body: VisitIn


def residents_of(body: VisitIn) -> set[UUID]:
    """Return everybody that a visit names."""
    named = {body.resident_id, *(one.resident_id for one in body.follow_ups)}
    return {resident for resident in named if resident is not None}


async def keep(tx: Transaction, worker: Caller, visits: Iterable[Kept]) -> None:
    """Do what the visits lead to. Their households are locked: two visits cannot both open the same request."""
    photos: list[tuple[Any, ...]] = []
    links: list[tuple[Any, ...]] = []
    for visit in visits:
        for place, photo in enumerate(visit.body.photos):
            size = photo.size, photo.width, photo.height
            photos.append((uuid7(), visit.area_code, visit.id, place, photo.sha256, *size))
        for one in visit.body.follow_ups:
            target, attached = await _follow(tx, worker, visit, one)
            links.append((one.id, visit.area_code, visit.id, one.kind, target, attached))
    await follow_up_queries.add_photos(tx.conn, tx.county, photos)
    await follow_up_queries.add_follow_ups(tx.conn, tx.county, links)


async def _follow(tx: Transaction, worker: Caller, visit: Kept, one: FollowUp) -> tuple[UUID, bool]:
    if isinstance(one, RequestFollowUp):
        return await _openers[0](tx, worker, visit.id, visit.body.household_id, one)
    return await _correct(tx, worker, visit, one)


async def _correct(tx: Transaction, worker: Caller, visit: Kept, one: CorrectionFollowUp) -> tuple[UUID, bool]:
    household = visit.body.household_id
    known = await follow_up_queries.open_correction(tx.conn, tx.county, household, one.resident_id, one.what, one.said)
    if known:
        return known, True
    row = (one.id, visit.area_code, household, one.resident_id, visit.id, one.what, one.said, worker.name)
    await follow_up_queries.add_correction(tx.conn, tx.county, tx.now, row)
    tx.changed(EntityKind.correction, one.id, visit.area_code)
    tx.audit("correction.noted", "correction", one.id, visit.area_code, what=one.what)
    return one.id, False


async def open_later(tx: Transaction, worker: Caller, visit_id: UUID, one: FollowUp) -> None:
    """Open what a visit leads to after it was recorded, where its household lives by now."""
    visit = await queries.by_id(tx.conn, tx.county, visit_id)
    if visit is None:
        raise Refusal(Code.not_found)
    home = (await queries.lock_households(tx.conn, tx.county, [visit["household_id"]])).get(visit["household_id"])
    if home is None:
        raise Refusal(Code.household_not_here)
    if not worker.may_write_in(home["area_code"]):
        raise Refusal(Code.area_not_allowed)
    if one.resident_id and not await queries.known_residents(tx.conn, tx.county, [one.resident_id]):
        raise Refusal(Code.resident_not_here, pointer="/follow_up/resident_id")
    body = VisitIn(
        household_id=visit["household_id"], outcome=visit["outcome"], visited_at=visit["visited_at"], follow_ups=[one]
    )
    await keep(tx, worker, [Kept(visit_id, home["area_code"], body)])


async def of_visit(tx: Transaction, visit_id: UUID) -> list[FollowUpOut]:
    await _require(tx, visit_id)
    return await follow_up_queries.follow_ups(tx.conn, tx.county, visit_id)


async def photos_of(tx: Transaction, visit_id: UUID) -> list[PhotoOut]:
    await _require(tx, visit_id)
    return await follow_up_queries.photos(tx.conn, tx.county, visit_id)


async def _require(tx: Transaction, visit_id: UUID) -> None:
    if await queries.by_id(tx.conn, tx.county, visit_id) is None:
        raise Refusal(Code.not_found)
