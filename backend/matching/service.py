"""Offers: a volunteer's yes or no, spoken or tapped, and what follows a request that staff move.

Everybody locks the request first, then its offers in the order of their ids: that is what makes one winner.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from backend.core.clock import COUNTY_ZONE, county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.matching import queries, rules, wake
from backend.matching.queries import Touched
from backend.requests import queries as requests
from backend.requests.queries import Stepped
from shared.errors import Code
from shared.matching import CallOut, DeclineIn, DeclineReason, OfferOut, OfferState, SpokenIn, TaskOut, TaskState
from shared.requests import RequestKind, RequestState
from shared.residents import Care
from shared.sync import EntityKind
from shared.types import is_within


@dataclass(frozen=True, slots=True)
class _Offer:
    """As much of an offer as an answer to it needs."""

    id: UUID
    request_id: UUID
    volunteer_id: UUID
    state: OfferState
    area_code: str


async def accept(tx: Transaction, volunteer_id: UUID, offer_id: UUID) -> TaskOut:
    """Say yes. The first wins and gets the door and the phone; saying it again gives the winner the same."""
    offer = await _offer(tx, offer_id, volunteer_id)
    await _take(tx, offer)
    return await _task(tx, offer_id)


async def decline(tx: Transaction, volunteer_id: UUID, offer_id: UUID, body: DeclineIn) -> OfferOut:
    """Say no. It costs nothing, and somebody else is asked at once."""
    await _refuse(tx, await _offer(tx, offer_id, volunteer_id), body.reason)
    return await _offer_out(tx, offer_id)


async def spoken(tx: Transaction, worker: Caller, offer_id: UUID, body: SpokenIn) -> OfferOut:
    """Write down what a volunteer said on the phone; the worker's account stays beside the answer."""
    offer = await _offer(tx, offer_id)
    if not worker.may_write_in(offer.area_code):
        raise Refusal(Code.area_not_allowed)
    if body.accepts:
        await _take(tx, offer)
    else:
        await _refuse(tx, offer, body.reason)
    return await _offer_out(tx, offer_id)


async def _offer(tx: Transaction, offer_id: UUID, volunteer_id: UUID | None = None) -> _Offer:
    row = await queries.offer_row(tx.conn, tx.county, offer_id)
    if row is None or (volunteer_id is not None and row["volunteer_id"] != volunteer_id):
        raise Refusal(Code.not_found)
    return _Offer(row["id"], row["request_id"], row["volunteer_id"], OfferState(row["state"]), row["area_code"])


async def _offer_out(tx: Transaction, offer_id: UUID) -> OfferOut:
    return (await queries.offers_by_ids(tx.conn, tx.county, [offer_id]))[offer_id]


async def _task(tx: Transaction, task_id: UUID) -> TaskOut:
    return (await queries.tasks_by_ids(tx.conn, tx.county, [task_id]))[task_id]


async def _take(tx: Transaction, offer: _Offer) -> None:
    if offer.state is OfferState.accepted:
        return
    async with beyond_scope(tx, "offer.accepted", "offer", offer.id, offer.area_code):
        refused = await _compete(tx, offer)
    if refused:
        raise Refusal(refused)


async def _compete(tx: Transaction, offer: _Offer) -> Code | None:
    """Lock the request, then look: whoever comes second finds it taken. Nothing is written for a loser."""
    stands = RequestState(await queries.lock_request(tx.conn, tx.county, offer.request_id))
    row = await queries.lock_offer(tx.conn, tx.county, offer.id)
    state = OfferState(row["state"])
    if state is OfferState.accepted:
        return None  # a double tap: the first of the two has won
    if refused := rules.no_to_yes(state, row["expires_at"], stands, tx.now):
        return refused
    step = await requests.step(
        tx.conn, tx.county, offer.request_id, by=tx.caller.account_id, at=tx.now, volunteer=offer.volunteer_id,
        from_state=RequestState.open, to_state=RequestState.taken,
    )  # fmt: skip
    if step is None:
        return Code.offer_taken
    await queries.answer(tx.conn, tx.county, offer.id, OfferState.accepted, by=tx.caller.account_id, at=tx.now)
    await _deal(tx, offer)
    recalled = await queries.close_offers(
        tx.conn, tx.county, [offer.request_id], OfferState.offered, OfferState.recalled
    )
    tell_offers(tx, [Touched(offer.id, offer.volunteer_id, offer.area_code), *recalled])
    tx.changed(EntityKind.request, step.id, step.area_code)
    return None


async def _deal(tx: Transaction, offer: _Offer) -> None:
    """Give the winner the card with name, door and phone."""
    person = await queries.person_of(tx.conn, tx.county, offer.request_id)
    age = _age(person["birth_date"], county_day(tx.now))
    note = rules.care_note([Care(flag) for flag in person["care"]])
    await queries.deal_card(tx.conn, tx.county, offer.id, tx.now, age, note)
    tell_tasks(tx, [Touched(offer.id, offer.volunteer_id, offer.area_code)])


def _age(born: date | None, today: date) -> int | None:
    if born is None:
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


async def _refuse(tx: Transaction, offer: _Offer, reason: DeclineReason | None) -> None:
    if offer.state is OfferState.declined:
        return
    written = await queries.answer(
        tx.conn, tx.county, offer.id, OfferState.declined, by=tx.caller.account_id, at=tx.now, reason=reason
    )
    if not written:
        raise Refusal(Code.offer_over)
    await wake.ask_for_tick(tx, offer.request_id)
    async with beyond_scope(tx, "offer.declined", "offer", offer.id, offer.area_code):
        tell_offers(tx, [Touched(offer.id, offer.volunteer_id, offer.area_code)])


async def mark_delivered(tx: Transaction, offer_ids: Sequence[UUID]) -> None:
    """Note, as the volunteer, that these offers have reached the phone: from now on the time to answer runs."""
    volunteer_id = tx.caller.volunteer_id
    if volunteer_id is None or not offer_ids:
        return
    for offer_id in await queries.mark_delivered(tx.conn, tx.county, volunteer_id, offer_ids, tx.now):
        tx.changed_for_volunteer(EntityKind.offer, offer_id, volunteer_id)


async def waiting(tx: Transaction, volunteer_id: UUID) -> list[OfferOut]:
    """Return the volunteer's open offers; seeing them counts as delivery."""
    found = await queries.waiting_offers(tx.conn, tx.county, volunteer_id, tx.now)
    await mark_delivered(tx, [offer.id for offer in found])
    return await queries.waiting_offers(tx.conn, tx.county, volunteer_id, tx.now)


async def calls(tx: Transaction, worker: Caller, area_code: str | None, page: PageParams) -> Page[CallOut]:
    """List whom to ring, most urgent first. Volunteers of other communities are among them, so the look is audited."""
    if area_code and not any(is_within(area_code, s) or is_within(s, area_code) for s in worker.scopes):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    area = area_code or tx.county
    rows = await queries.calls(tx.conn, tx.county, area, tx.now, page.limit)
    if not rows:
        return Page(items=[], next_cursor=None)
    async with beyond_scope(tx, "calls.read", "account", worker.account_id, area):
        people = await queries.names(tx.conn, tx.county, [row["volunteer_id"] for row in rows])
    return Page(items=[_call(tx, row, people[row["volunteer_id"]]) for row in rows], next_cursor=None)


def _call(tx: Transaction, row: asyncpg.Record, person: asyncpg.Record) -> CallOut:
    """A line of the list. What was offered in time may still wait in the hours somebody keeps quiet: it says so."""
    quiet = rules.is_quiet(tx.now, COUNTY_ZONE, person["quiet_from"], person["quiet_until"])
    return queries.call_out(row, person, quiet=quiet)


async def withdraw(tx: Transaction, volunteer_id: UUID, community_code: str) -> None:
    """Take back what a volunteer who pauses has been asked, and ask others; what they have said yes to stays theirs."""
    async with beyond_scope(tx, "offers.withdrawn", "volunteer", volunteer_id, community_code):
        requests_left, recalled = await queries.recall_offers(tx.conn, tx.county, volunteer_id)
        tell_offers(tx, recalled)
    if requests_left:
        await wake.ask_for_tick(tx, requests_left[0])  # one tick looks at all of them


async def follow(tx: Transaction, steps: Sequence[Stepped]) -> None:
    """Keep offers and tasks in step with requests that staff have opened, ended or taken over."""
    helps = [step for step in steps if step.kind == RequestKind.help]
    if opened := [step.id for step in helps if step.to_state == RequestState.open]:
        await wake.ask_for_tick(tx, opened[0])  # one tick looks at all of them
    for step in helps:
        if step.from_state != "new" and step.to_state != RequestState.closed:
            async with beyond_scope(tx, "offers.followed", "request", step.id, step.area_code):
                await _follow(tx, step)


async def _follow(tx: Transaction, step: Stepped) -> None:
    tell_offers(tx, await queries.close_offers(tx.conn, tx.county, [step.id], OfferState.offered, OfferState.recalled))
    await end_tasks(tx, step.id, _ENDS.get(step.to_state, TaskState.cancelled))
    if step.to_state == RequestState.open:
        await release_winner(tx, step.id)


_ENDS: dict[str, TaskState] = {RequestState.open: TaskState.handed_back, RequestState.done: TaskState.finished}


async def release_winner(tx: Transaction, request_id: UUID) -> None:
    """Let a request that is open again have another winner."""
    tell_offers(
        tx, await queries.close_offers(tx.conn, tx.county, [request_id], OfferState.accepted, OfferState.handed_back)
    )


async def end_tasks(tx: Transaction, request_id: UUID, state: TaskState) -> None:
    tell_tasks(tx, await queries.end_cards(tx.conn, tx.county, [request_id], state))


def tell_offers(tx: Transaction, touched: Sequence[Touched]) -> None:
    """Tell the community and each volunteer; the caller has stepped beyond its scope."""
    for one in touched:
        tx.changed(EntityKind.offer, one.id, one.area_code)
        tx.changed_for_volunteer(EntityKind.offer, one.id, one.volunteer_id)


def tell_tasks(tx: Transaction, touched: Sequence[Touched]) -> None:
    for one in touched:
        tx.changed(EntityKind.task, one.id, one.area_code)
        tx.changed_for_volunteer(EntityKind.task, one.id, one.volunteer_id)
