"""Use cases of pairs that may be one person: shown to who covers both, decided by a person, once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, encode_cursor
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.grid import service as grid
from backend.residents import duplicate_queries as queries
from backend.residents import identity, likeness, merging, service
from shared.auth import STAFF
from shared.errors import Code
from shared.links import DuplicateOut, DuplicateState, HolderOut, Likeness, ProposeIn, SettleIn, Sketch
from shared.residents import IdLook
from shared.sync import EntityKind
from shared.texts import _

NAMED = 90
"""How sure somebody is who names a pair, between the likeness of a door and certainty."""


async def listed(
    tx: Transaction, worker: Caller, area: str | None, state: DuplicateState, page: PageParams
) -> Page[DuplicateOut]:
    """List pairs of which the caller covers both sides."""
    found = await queries.page_of_pairs(tx.conn, tx.county, await grid.area_to_list(tx, worker, area), state, page)
    rows = found[: page.limit]
    more = encode_cursor(rows[-1]["received_at"], rows[-1]["id"]) if len(found) > page.limit else None
    return Page(items=await _shown(tx, worker, rows), next_cursor=more)


async def of_person(tx: Transaction, worker: Caller, resident_id: UUID) -> list[DuplicateOut]:
    """List the open pairs of a person. Of somebody in another area the worker reads name and door."""
    person = await service.get(tx, resident_id)
    if not worker.may_write_in(person.area_code):
        raise Refusal(Code.area_not_allowed)
    async with beyond_scope(tx, "duplicate.looked", "resident", resident_id, person.area_code):
        rows = await queries.pairs_of(tx.conn, tx.county, resident_id)
        return await _shown(tx, worker, rows)


async def _shown(tx: Transaction, worker: Caller, rows: Sequence[asyncpg.Record]) -> list[DuplicateOut]:
    ids = [row[side] for row in rows for side in ("first_id", "second_id")]
    people = await queries.sketches(tx.conn, tx.county, ids)
    # A side that has moved out of sight since takes its pair along until the next look.
    seen = [row for row in rows if row["first_id"] in people and row["second_id"] in people]
    shown = []
    for row in seen:
        one, other = people[row["first_id"]], people[row["second_id"]]
        shown.append(DuplicateOut(first=_sketch(worker, one, other), second=_sketch(worker, other, one), **row))
    return shown


def _sketch(worker: Caller, person: dict[str, Any], other: dict[str, Any] | None = None) -> Sketch:
    if not (worker.holds(*STAFF) and worker.may_write_in(person["area_code"])):
        return Sketch(
            **{name: person[name] for name in ("id", "area_code", "name", "door")}, in_scope=False,
            household_id=None, birth_date=None, phone=None, id_on_file=None, received_at=None,
        )  # fmt: skip
    return queries.sketch(person, other)


async def propose(tx: Transaction, worker: Caller, body: ProposeIn) -> DuplicateOut:
    """Put two rows before whoever decides, because somebody who knows them thinks that they are one person.

    Naming an open pair again changes nothing, one that was decided is not opened this way.
    """
    if body.one == body.other:
        raise Refusal(Code.malformed, _("要选两条不同的登记。"), pointer="/other")
    pair = likeness.pair(body.one, body.other)
    areas = [await _area_of(tx, worker, one, f"/{name}") for name, one in body]
    area = likeness.area_of_both(*areas)
    if not worker.may_write_in(area):
        raise Refusal(Code.area_not_allowed, _("两条登记分在两个地方，请管着两边的人来提。"))
    found = queries.Found(pair.id, area, *pair, [Likeness.by_hand], NAMED)
    if await queries.propose(tx, found) is not DuplicateState.open:
        raise Refusal(Code.step_not_allowed, _("这一对已经有人决定过了；决定错了可以撤回。"))
    tx.changed(EntityKind.duplicate, pair.id, area)
    tx.audit("duplicate.proposed", "duplicate", pair.id, area)
    return await _get(tx, worker, pair.id)


async def _area_of(tx: Transaction, worker: Caller, resident_id: UUID, pointer: str) -> str:
    person = (await queries.sketches(tx.conn, tx.county, [resident_id])).get(resident_id)
    if person is None:
        raise Refusal(Code.resident_not_here, _("您的区域里没有这个人。"), pointer=pointer)
    if person["merged_into"]:
        raise await merging.refusal(tx.conn, tx.county, resident_id)
    if not worker.may_write_in(person["area_code"]):
        raise Refusal(Code.area_not_allowed, pointer=pointer)
    area: str = person["area_code"]
    return area


async def settle(tx: Transaction, worker: Caller, pair_id: UUID, body: SettleIn) -> DuplicateOut:
    """Decide whether a pair is one person. Who decides covers both areas."""
    row = await _lock(tx, pair_id)
    if row["state"] != DuplicateState.open:
        raise Refusal(Code.step_not_allowed, _("已经有人决定过了。"))
    people = await _both(tx, worker, row)
    added: list[str] = []
    if body.same:
        if body.keep not in people:
            raise Refusal(Code.malformed, _("保留的要是这两条之一。"), pointer="/keep")
        lose = next(one for one in people if one != body.keep)
        _refuse_left(people[body.keep], people[lose])
        added = await merging.merge(tx, people[body.keep], people[lose])
    state = DuplicateState.merged if body.same else DuplicateState.distinct
    await _decide(tx, pair_id, row, state, body.keep, body.reason, added)
    return await _get(tx, worker, pair_id)


def _refuse_left(keep: merging.Row, lose: merging.Row) -> None:
    """Nobody goes from the lists by a merge: who came back, or was never away, would be visited by nobody."""
    if keep["left_on"] and not lose["left_on"]:
        raise Refusal(
            Code.step_not_allowed,
            _(
                "保留的那一条已经不在册，合并以后名单里就没有这个人了。人在的，请保留在册的那一条；人走了的，先登记变动。"
            ),
            pointer="/keep",
        )
    if lose["left_on"] and not keep["left_on"] and lose["id_on_file"] and not keep["id_on_file"]:
        raise Refusal(
            Code.step_not_allowed,
            _("身份号码登记在已经不在册的那一条上。请先在那一条去掉，补登到在册的这一条，再合并。"),
            pointer="/keep",
        )


async def undo(tx: Transaction, worker: Caller, pair_id: UUID, reason: str) -> DuplicateOut:
    """Take a decision back: the pair is open again, and a merged row what it was."""
    row = await _lock(tx, pair_id)
    if row["state"] == DuplicateState.open:
        raise Refusal(Code.step_not_allowed, _("还没有人决定，没有可撤回的。"))
    people = await _both(tx, worker, row)
    if row["state"] == DuplicateState.merged:
        lost = next(one for one in people if one != row["kept_id"])
        await merging.unmerge(tx, people[row["kept_id"]], people[lost], row["added"], row["settled_at"])
    await _decide(tx, pair_id, row, DuplicateState.open, None, reason)
    return await _get(tx, worker, pair_id)


async def _lock(tx: Transaction, pair_id: UUID) -> asyncpg.Record:
    row = await queries.lock_pair(tx, pair_id)
    if row is None:
        raise Refusal(Code.not_found)
    return row


async def _both(tx: Transaction, worker: Caller, row: asyncpg.Record) -> dict[UUID, merging.Row]:
    people = await merging.lock_both(tx, [row["first_id"], row["second_id"]])
    if len(people) < 2 or not all(worker.may_write_in(one["area_code"]) for one in people.values()):
        raise Refusal(Code.area_not_allowed, _("两个人有一个不归您管，请管着两边的人来决定。"))
    return people


async def _decide(
    tx: Transaction, pair_id: UUID, row: asyncpg.Record, state: DuplicateState, keep: UUID | None, reason: str,
    added: Sequence[str] = (),
) -> None:  # fmt: skip
    """Write who decided what; taking it back leaves the row as it was before, and the word in the audit trail."""
    undone = state is DuplicateState.open
    written = {
        "state": state, "kept_id": keep, "reason": "" if undone else reason,
        "settled_by": None if undone else tx.caller.account_id, "settled_at": None if undone else tx.now,
        "seen_at": tx.now, "added": list(added),
    }  # fmt: skip
    rev = await queries.decide(tx, pair_id, written)
    tx.edited(Edited(pair_id, rev, row["area_code"], ["state"]))
    tx.changed(EntityKind.duplicate, pair_id, row["area_code"])
    for other in await queries.open_beside(tx, pair_id, [row["first_id"], row["second_id"]]):
        tx.changed(EntityKind.duplicate, other["id"], other["area_code"])
    tx.audit(f"duplicate.{'undone' if undone else state}", "duplicate", pair_id, row["area_code"], reason=reason)


async def _get(tx: Transaction, worker: Caller, pair_id: UUID) -> DuplicateOut:
    row = await queries.pair(tx.conn, tx.county, pair_id)
    shown = await _shown(tx, worker, [row] if row else [])
    if not shown:
        raise Refusal(Code.not_found)
    return shown[0]


async def holder(tx: Transaction, keys: Keys, worker: Caller, number: str) -> HolderOut:
    """Say who a number that was refused is on file for. Knowing it is a look at their number, and written down as one.

    Nobody is an answer and no refusal: a refused request would leave no trace of who asked.
    """
    index = identity.index_of(keys, tx.county, number)
    async with beyond_scope(tx, "identity.sought", "county", UUID(int=0), tx.county):
        found = await queries.holder(tx.conn, tx.county, index)
        if found is None:
            return HolderOut(who=None)
        tx.audit(f"identity.{IdLook.checked}", "resident", found["id"], found["area_code"], matches=True)
        people = await queries.sketches(tx.conn, tx.county, [found["id"]])
    return HolderOut(who=_sketch(worker, people[found["id"]]))
