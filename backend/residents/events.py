"""The six events: what they change, what they end, and how a wrong one is taken back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core import operations
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.residents import event_queries as queries
from backend.residents import history, history_queries, merging, moves, periods, present
from backend.residents import service as residents
from backend.residents.history import Tracks
from backend.residents.periods import Span
from backend.residents.present import Left
from shared.errors import Code
from shared.register import EventIn, EventKind, EventOut, Track
from shared.residents import Residency
from shared.sync import EntityKind
from shared.texts import _

KIND = "register.event"
WITHDRAWN = "withdrawn"
"""Left by having been registered in error."""

_ENTERING = (EventKind.birth, EventKind.move_in)
_RESIDENCY = {EventKind.settle: Residency.living, EventKind.float: Residency.floating}


class Leaver(NamedTuple):
    """Somebody who has just left the register here."""

    resident_id: UUID
    household_id: UUID
    area_code: str
    reason: str
    """Why what is open for them ends; empty when it waits for them to arrive elsewhere in the county."""
    died: bool = False


LeaveHandler = Callable[[Transaction, Sequence[Leaver]], Awaitable[None]]
_followers: list[LeaveHandler] = []


def when_left(handler: LeaveHandler) -> None:
    """Register what must end in the same transaction when people leave. Called by main.py."""
    _followers.append(handler)


async def record(tx: Transaction, keys: Keys, worker: Caller, event_id: UUID, body: EventIn) -> EventOut:
    """Record an event; sending the same again answers with what is stored."""
    op_id = operations.of_put(KIND, event_id)
    content = operations.fingerprint(keys.ledger, KIND, event_id, body)
    if not await operations.repeated(tx, op_id, content, Code.id_taken):
        if body.on > county_day(tx.now):
            raise Refusal(Code.in_the_future, pointer="/on")
        await _way_of(body)(tx, keys, worker, event_id, body)
        tx.settled(operations.applied(op_id, KIND, event_id, content))
    return await get(tx, event_id)


async def get(tx: Transaction, event_id: UUID) -> EventOut:
    found = (await queries.by_ids(tx.conn, tx.county, [event_id])).get(event_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(
    tx: Transaction, reader: Caller, area: str | None, resident_id: UUID | None, page: PageParams
) -> Page[EventOut]:
    area = await grid.area_to_list(tx, reader, area)
    rows = await merging.rows_of(tx.conn, tx.county, resident_id) if resident_id else None
    found = await queries.page(tx.conn, tx.county, area, rows, page)
    return cut(found, page.limit)


def _way_of(body: EventIn) -> Callable[..., Awaitable[None]]:
    if body.back:
        return _come_back
    return _enter if body.kind in _ENTERING else _change


async def _enter(tx: Transaction, keys: Keys, worker: Caller, event_id: UUID, body: EventIn) -> None:
    """A birth or a move in: the person comes with the event."""
    assert body.new_resident is not None
    assert body.new_resident_id is not None
    new = body.new_resident
    if body.kind is EventKind.birth:
        if new.birth_date not in (None, body.on):
            raise Refusal(Code.malformed, _("出生日期和变动日期不一样。"), pointer="/new_resident/birth_date")
        new = new.model_copy(update={"birth_date": body.on})
    _refuse_before_birth(body, [new.birth_date])
    stored = await residents.register(tx, keys, worker, body.new_resident_id, new, since=body.on)
    book = await history.read(tx, [stored.id])
    written = {"before": {}, "after": _plain(book.tracks(stored.id))}
    await _store(tx, worker, event_id, stored.area_code, body, [(stored.id, stored.name, written)])


async def _come_back(tx: Transaction, _keys: Keys, worker: Caller, event_id: UUID, body: EventIn) -> None:
    """A move in of people who had moved away: their rows, with number and past, and not new ones beside them."""
    assert body.back is not None
    people = await _who_may_be_written(tx, worker, body.resident_ids)
    if any(row["left_by"] != EventKind.move_out for row in people):
        raise Refusal(Code.step_not_allowed, _("只有迁出了的人才能这样迁回来。"), pointer="/resident_ids")
    if any(body.on < row["left_on"] for row in people):
        raise Refusal(Code.too_old, _("迁回来不能早于迁出。"), pointer="/on")
    area, book, wanted = await moves.come_back(tx, worker, people, body.back, body.on)
    written = [
        (row["id"], row["name"], {"before": _plain(book.tracks(row["id"])), "after": _plain(wanted[row["id"]])})
        for row in people
    ]
    await _store(tx, worker, event_id, area, body, written)


async def _change(tx: Transaction, _keys: Keys, worker: Caller, event_id: UUID, body: EventIn) -> None:
    people = await _people(tx, worker, body.resident_ids)
    _refuse_before_birth(body, [row["birth_date"] for row in people])
    book = await history.read(tx, [row["id"] for row in people])
    before = {row["id"]: book.tracks(row["id"]) for row in people}
    wanted = {row["id"]: _after(before[row["id"]], row, body) for row in people}
    leaving = body.kind in (EventKind.death, EventKind.move_out)
    await present.follow(tx, people, book, wanted, Left(body.on, body.kind) if leaving else None)
    written = [
        (row["id"], row["name"], {"before": _plain(before[row["id"]]), "after": _plain(wanted[row["id"]])})
        for row in people
    ]
    area = people[0]["area_code"]
    await _store(tx, worker, event_id, area, body, written)
    if body.to:
        await moves.expect(tx, event_id, body, people)
    if leaving:
        await _tell_left(tx, people, _why(tx, body), died=body.kind is EventKind.death)


def _refuse_before_birth(body: EventIn, born: Sequence[date | None]) -> None:
    if any(day and body.on < day for day in born):
        raise Refusal(Code.malformed, _("变动日期比出生日期还早，请核对其中一个。"), pointer="/on")


async def _people(tx: Transaction, worker: Caller, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    people = await _who_may_be_written(tx, worker, ids)
    if any(row["left_on"] for row in people):
        raise Refusal(Code.has_left, pointer="/resident_ids")
    if len({row["area_code"] for row in people}) > 1:
        raise Refusal(Code.step_not_allowed, _("不在同一个网格的人要分开登记。"), pointer="/resident_ids")
    return people


async def _who_may_be_written(tx: Transaction, worker: Caller, ids: Sequence[UUID]) -> list[asyncpg.Record]:
    people = await history_queries.lock_people(tx.conn, tx.county, ids)
    if len(people) < len(set(ids)):
        raise Refusal(Code.resident_not_here, pointer="/resident_ids")
    if not all(worker.may_write_in(row["area_code"]) for row in people):
        raise Refusal(Code.area_not_allowed, pointer="/resident_ids")
    return people


def _after(tracks: Tracks, row: asyncpg.Record, body: EventIn) -> Tracks:
    if body.kind not in _RESIDENCY:
        return {track: periods.ended(spans, body.on) for track, spans in tracks.items()}
    # The register knows nobody from before they came to it: what began earlier begins with it.
    known = tracks[Track.residency]
    day = max(body.on, min(span.from_day for span in known))
    changed = periods.from_day_on(known, _RESIDENCY[body.kind], row["area_code"], day)
    return {**tracks, Track.residency: changed}


async def _store(
    tx: Transaction, worker: Caller, event_id: UUID, area: str, body: EventIn,
    people: Sequence[tuple[UUID, str, Mapping[str, Any]]],
) -> None:  # fmt: skip
    await queries.add(
        tx.conn, tx.county, event_id, area, body, account=worker.account_id, name=worker.name, now=tx.now, people=people
    )
    tx.changed(EntityKind.register_event, event_id, area)
    tx.audit("register.event", "register_event", event_id, area, event=body.kind)


def _why(tx: Transaction, body: EventIn) -> str:
    if body.kind is EventKind.death:
        return _("本人已去世")
    return _("已迁出本县") if moves.leaves_county(tx, body) else ""


async def _tell_left(tx: Transaction, people: Sequence[asyncpg.Record], reason: str, *, died: bool = False) -> None:
    leavers = [Leaver(row["id"], row["household_id"], row["area_code"], reason, died) for row in people]
    for follow in _followers:
        await follow(tx, leavers)


async def withdraw(tx: Transaction, worker: Caller, event_id: UUID, reason: str) -> EventOut:
    """Take an event back while the periods are still as it left them; afterwards it would undo what others noted.

    What it ended (requests, offers) stays ended: those who were told so cannot be untold.
    """
    event = await get(tx, event_id)
    if not worker.may_write_in(event.area_code):
        raise Refusal(Code.area_not_allowed)
    if event.withdrawn:
        return event
    if event.kind is EventKind.move_out:
        await moves.take_back(tx, event_id)
    people = await history_queries.lock_people(tx.conn, tx.county, event.resident_ids)
    book = await history.read(tx, event.resident_ids)
    written = await queries.written(tx.conn, tx.county, event_id)
    if len(people) < len(written) or any(_plain(book.tracks(i)) != said["after"] for i, said in written.items()):
        raise Refusal(Code.step_not_allowed, _("之后又有变动，不能直接撤回；请用更正。"))
    before = {person: _spans(said["before"]) for person, said in written.items()}
    left = Left(event.on, WITHDRAWN) if event.kind in _ENTERING else None
    for row in people:
        tracks = before[row["id"]]
        await present.follow(tx, [row], book, {row["id"]: tracks}, _gone_again(tracks) if left and tracks else left)
    await queries.withdraw(tx.conn, tx.county, event, reason, worker.account_id, tx.now)
    tx.changed(EntityKind.register_event, event_id, event.area_code)
    tx.audit("register.withdrawn", "register_event", event_id, event.area_code, reason=reason)
    if left:
        await _tell_left(tx, people, _("登记有误，已撤回"))
    return await get(tx, event_id)


def _gone_again(tracks: Tracks) -> Left:
    """Whoever had not come back after all had left on the day their last period ended."""
    return Left(max(span.until_day for span in tracks[Track.residency]), EventKind.move_out)


def _plain(tracks: Tracks) -> dict[str, list[list[str]]]:
    return {
        track: [[span.value, span.area, str(span.from_day), str(span.until_day)] for span in spans]
        for track, spans in sorted(tracks.items())
        if spans
    }


def _spans(plain: Mapping[str, Sequence[Sequence[str]]]) -> Tracks:
    return {
        track: [
            Span(value, area, date.fromisoformat(first), date.fromisoformat(last)) for value, area, first, last in spans
        ]
        for track, spans in plain.items()
    }
