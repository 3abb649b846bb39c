"""Moves between cells: expected by the one, settled by the other, and nobody falls between the two."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from backend.core import preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import queries as grid_queries
from backend.grid import service as grid
from backend.residents import history, history_queries, present, rules
from backend.residents import move_queries as queries
from backend.residents import queries as register
from backend.residents import service as residents
from shared.auth import STAFF
from shared.errors import Code
from shared.register import BackIn, EventIn, EventKind, HandoverContent, MoveOut, MoveSettleIn, MoveState
from shared.residents import Relation, Residency, ResidentIn
from shared.sync import EntityKind
from shared.texts import _


class Arrival(NamedTuple):
    """Somebody who has moved to another household, perhaps of another cell."""

    resident_id: UUID
    household_id: UUID
    from_area: str
    area_code: str


ArrivalHandler = Callable[[Transaction, Sequence[Arrival]], Awaitable[None]]
_followers: list[ArrivalHandler] = []


def when_arrived(handler: ArrivalHandler) -> None:
    """Register what goes with people who have arrived, in the same transaction. Called by main.py."""
    _followers.append(handler)


def leaves_county(tx: Transaction, body: EventIn) -> bool:
    to = body.to
    return to is not None and (to.leaves_county or to.county_code not in (None, tx.county))


async def expect(tx: Transaction, move_id: UUID, body: EventIn, people: Sequence[asyncpg.Record]) -> None:
    """Let the cell that people go to expect them. Without a cell of this county, the county itself does."""
    assert body.to is not None
    area = body.to.cell_code or tx.county
    if not area.startswith(tx.county):
        raise Refusal(Code.unknown_area, pointer="/to/cell_code")
    abroad = leaves_county(tx, body)
    row = {
        "id": move_id, "area_code": area, "from_area_code": people[0]["area_code"],
        "to_county_code": body.to.county_code if abroad else None,
        "movers": [_mover(person) for person in people], "out_on": body.on, "words": body.to.words, "note": body.note,
        "state": MoveState.left_county if abroad else MoveState.expected,
    }  # fmt: skip
    async with beyond_scope(tx, "move.expected", "move", move_id, area):
        if body.to.cell_code and await grid_queries.cell_rev(tx.conn, tx.county, area) is None:
            raise Refusal(Code.unknown_area, pointer="/to/cell_code")
        await queries.add(tx.conn, tx.county, tx.now, row)
    _tell(tx, row)


def _mover(person: asyncpg.Record) -> dict[str, Any]:
    born = person["birth_date"]
    return {
        "resident_id": str(person["id"]), "name": person["name"], "phone": person["phone"], "sex": person["sex"],
        "birth_date": str(born) if born else None, "relation": person["relation"],
    }  # fmt: skip


def _tell(tx: Transaction, move: dict[str, Any], *, gone: bool = False) -> None:
    for area in {move["area_code"], move["from_area_code"]}:
        if area.startswith(tx.county):
            tx.changed(EntityKind.move, move["id"], area, gone=gone)


async def take_in(tx: Transaction, content: HandoverContent, area: str) -> None:
    """Expect people whom another county has handed over."""
    row = {
        "id": content.move_id, "area_code": area, "from_area_code": content.from_area_code, "to_county_code": None,
        "movers": [one.model_dump(mode="json") for one in content.people], "out_on": content.out_on,
        "words": content.words, "note": "", "state": MoveState.expected,
    }  # fmt: skip
    try:
        await queries.add(tx.conn, tx.county, tx.now, row)
    except asyncpg.UniqueViolationError as error:
        raise Refusal(Code.id_taken) from error
    tx.audit("move.taken_in", "move", content.move_id, area, county=content.from_county)
    _tell(tx, row)


async def take_back(tx: Transaction, move_id: UUID) -> None:
    """Expect nobody any more, because the event was a mistake; a move that has been settled stays."""
    async with beyond_scope(tx, "move.taken_back", "move", move_id, tx.county):
        move = await queries.lock(tx.conn, tx.county, move_id)
        if move is None or move["state"] not in (MoveState.expected, MoveState.left_county):
            raise Refusal(Code.step_not_allowed, _("对方已经核实过，不能撤回。"))
        await queries.remove(tx.conn, tx.county, move_id)
    _tell(tx, move, gone=True)


async def get(tx: Transaction, move_id: UUID) -> MoveOut:
    found = (await queries.by_ids(tx.conn, tx.county, [move_id])).get(move_id)
    if found is None:
        raise Refusal(Code.not_found)
    return found


def seen_by(reader: Caller, move: MoveOut) -> MoveOut:
    """Only those who ring people up read the number."""
    if reader.holds(*STAFF):
        return move
    masked = [one.model_copy(update={"phone": rules.mask_phone(one.phone)}) for one in move.movers]
    return move.model_copy(update={"movers": masked})


async def listed(
    tx: Transaction, reader: Caller, area: str | None, state: MoveState | None, overdue: bool | None, page: PageParams
) -> Page[MoveOut]:
    """List moves into an area and out of it, newest first."""
    area = await grid.area_to_list(tx, reader, area)
    found = await queries.page(tx.conn, tx.county, area, state, overdue, page)
    return cut([seen_by(reader, move) for move in found], page.limit)


async def settle(
    tx: Transaction, keys: Keys, worker: Caller, move_id: UUID, body: MoveSettleIn, if_match: frozenset[str] | None
) -> MoveOut:
    """Write down what the receiving worker found. The same answer given again is answered as it stands."""
    present_move = await get(tx, move_id)
    if not worker.may_write_in(present_move.area_code):
        raise Refusal(Code.area_not_allowed)
    state = MoveState.arrived if body.arrived else MoveState.not_arrived
    if present_move.state is state and present_move.settled_on == body.on:
        return present_move
    preconditions.require(if_match, present_move.rev)
    await _refuse(tx, present_move, body)
    home = await _home_told(tx, worker, body) if body.arrived else None
    async with beyond_scope(tx, f"move.{state}", "move", move_id, present_move.area_code):
        move = await queries.lock(tx.conn, tx.county, move_id)
        if move is None or move["rev"] != present_move.rev:
            raise Refusal(Code.stale)
        people = await history_queries.lock_people(
            tx.conn, tx.county, [UUID(one["resident_id"]) for one in move["movers"]]
        )
        waiting = [row for row in people if row["left_by"] == EventKind.move_out]
        if home:
            await _arrive(tx, waiting, home, body.residency, body.on)
        else:
            await _stay(tx, waiting, move["out_on"])
        await queries.settle(tx.conn, tx.county, move_id, state, body.on, worker.name, body.note)
    if home:
        await _tell_arrived(tx, waiting, home)
    if home and not present_move.from_area_code.startswith(tx.county):
        await _register(tx, keys, worker, move, {row["id"] for row in people}, home, body)
    _tell(tx, move)
    return await get(tx, move_id)


async def forward(
    tx: Transaction, worker: Caller, move_id: UUID, cell: str, if_match: frozenset[str] | None
) -> MoveOut:
    """Let another cell expect the people: nobody knew which, the one that did was closed, or they live next door to it.

    Only cells send somebody to a door; what waits at the county or a community waits for this.
    """
    found = await get(tx, move_id)
    if not worker.may_write_in(found.area_code):
        raise Refusal(Code.area_not_allowed)
    if found.area_code == cell:
        return found
    preconditions.require(if_match, found.rev)
    if found.state is not MoveState.expected:
        raise Refusal(Code.step_not_allowed)
    async with beyond_scope(tx, "move.forwarded", "move", move_id, found.area_code, to=cell):
        if not cell.startswith(tx.county) or await grid_queries.cell_rev(tx.conn, tx.county, cell) is None:
            raise Refusal(Code.unknown_area, pointer="/cell_code")
        move = await queries.lock(tx.conn, tx.county, move_id)
        if move is None or move["rev"] != found.rev:
            raise Refusal(Code.stale)
        await queries.forward(tx.conn, tx.county, move_id, cell)
        forwarded = await get(tx, move_id)
    if found.area_code != found.from_area_code:
        tx.changed(EntityKind.move, move_id, found.area_code, gone=True)
    _tell(tx, {**move, "area_code": cell})
    return forwarded


async def _refuse(tx: Transaction, move: MoveOut, body: MoveSettleIn) -> None:
    if move.state is not MoveState.expected:
        raise Refusal(Code.step_not_allowed)
    if body.on > county_day(tx.now):
        raise Refusal(Code.in_the_future, pointer="/on")
    if body.on < move.out_on:
        raise Refusal(Code.too_old, _("到达不能早于迁出。"), pointer="/on")


class _Home(NamedTuple):
    id: UUID
    area_code: str
    empty: bool


async def _home_told(tx: Transaction, worker: Caller, body: MoveSettleIn) -> _Home:
    if body.household_id is None:
        raise Refusal(Code.malformed, _("到了的要写住进哪一户。"), pointer="/household_id")
    return await _home(tx, worker, body.household_id, "/household_id")


async def _home(tx: Transaction, worker: Caller, household_id: UUID, pointer: str) -> _Home:
    """Lock the household that the people join: any door of the worker's own."""
    area = await register.lock_household(tx.conn, tx.county, household_id)
    if area is None:
        raise Refusal(Code.household_not_here, pointer=pointer)
    if not worker.may_write_in(area):
        raise Refusal(Code.area_not_allowed, pointer=pointer)
    return _Home(household_id, area, not await register.members(tx.conn, tx.county, household_id))


async def come_back(
    tx: Transaction, worker: Caller, people: Sequence[asyncpg.Record], back: BackIn, on: date
) -> tuple[str, history.Book, dict[UUID, history.Tracks]]:
    """Let people who had moved away belong to a household again; return its area, and what was known of them before
    and is now."""
    home = await _home(tx, worker, back.household_id, "/back/household_id")
    book, wanted = await _arrive(tx, people, home, back.residency, on)
    await _tell_arrived(tx, people, home)
    return home.area_code, book, wanted


async def _tell_arrived(tx: Transaction, people: Sequence[asyncpg.Record], home: _Home) -> None:
    arrivals = [Arrival(row["id"], home.id, row["area_code"], home.area_code) for row in people]
    for follow in _followers:
        await follow(tx, arrivals)


async def _arrive(
    tx: Transaction, people: Sequence[asyncpg.Record], home: _Home, residency: Residency, on: date
) -> tuple[history.Book, dict[UUID, history.Tracks]]:
    """Let people belong to their new household from the day they were found there; return their past and what it is
    now."""
    book = await history.read(tx, [row["id"] for row in people])
    wanted, headed = {}, set[UUID]()
    for row in people:
        # Whose head is somebody else is related to that one in a way that nobody has said yet.
        relation = _one_head(row["relation"], home.id, headed) if home.empty else Relation.other
        there = present.of_row(row)._replace(
            area_code=home.area_code, household_id=home.id, residency=residency, relation=relation
        )
        wanted[row["id"]] = _and(book.tracks(row["id"]), present.entering(there, on))
    await present.follow(tx, people, book, wanted)
    return book, wanted


async def _stay(tx: Transaction, people: Sequence[asyncpg.Record], out_on: date) -> None:
    """Keep who did not arrive on the books they came from, as away since they left, until somebody decides."""
    book = await history.read(tx, [row["id"] for row in people])
    wanted, headed = {}, await register.headed(tx.conn, tx.county, [row["household_id"] for row in people])
    for row in people:
        relation = _one_head(row["relation"], row["household_id"], headed)
        away = present.of_row(row)._replace(residency=Residency.away, relation=relation)
        wanted[row["id"]] = _and(book.tracks(row["id"]), present.entering(away, out_on))
    await present.follow(tx, people, book, wanted)


def _one_head(relation: str, household_id: UUID, headed: set[UUID]) -> str:
    """Return what somebody is to the head of a household that may have got one meanwhile; `headed` learns of theirs."""
    if relation != Relation.head:
        return relation
    if household_id in headed:
        return Relation.other
    headed.add(household_id)
    return relation


def _and(past: history.Tracks, following: history.Tracks) -> history.Tracks:
    return {track: [*past.get(track, []), *following.get(track, [])] for track in {*past, *following}}


async def _register(
    tx: Transaction, keys: Keys, worker: Caller, move: dict[str, Any], known: set[UUID], home: _Home, body: MoveSettleIn
) -> None:
    """Put people of another county on the register, by what its document says of them."""
    headed = await register.headed(tx.conn, tx.county, [home.id])
    for one in move["movers"]:
        if (resident_id := UUID(one["resident_id"])) not in known:
            fields = {name: one[name] for name in ("name", "phone", "sex", "birth_date")}
            relation = Relation(_one_head(one["relation"], home.id, headed)) if home.empty else Relation.other
            new = ResidentIn(household_id=home.id, relation=relation, residency=body.residency, **fields)
            await residents.register(tx, keys, worker, resident_id, new, since=body.on)
