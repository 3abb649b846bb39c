"""What phones do to the register: the same services as for everybody else, and edits that may have been overtaken."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from backend.core.errors import Refusal
from backend.core.preconditions import etag
from backend.core.settings import Keys
from backend.core.transaction import Origin, Transaction
from backend.residents import duplicates, events, households, links, moves, rules
from backend.residents import service as residents
from backend.sync import queries
from backend.visits import corrections, follow_ups
from shared.auth import STAFF
from shared.errors import Code
from shared.links import LinkEndIn, LinkIn, LinkPatch, PersonLinkIn, SettleIn
from shared.register import EventIn, MoveSettleIn
from shared.residents import HouseholdIn, ResidentIn, ResidentPatch
from shared.sync import Operation, OperationKind
from shared.visits import CorrectionSettleIn, FollowUpIn

Do = Callable[[Transaction, Keys, Operation, Any], Awaitable[object]]


async def _household(tx: Transaction, keys: Keys, asked: Operation, body: HouseholdIn) -> object:
    if asked.base_rev:
        return await households.change_door(tx, tx.caller, asked.entity_id, body, frozenset({etag(asked.base_rev)}))
    return await households.add(tx, keys, tx.caller, asked.entity_id, body)


async def _resident(tx: Transaction, keys: Keys, asked: Operation, body: ResidentIn) -> object:
    return await residents.register(tx, keys, tx.caller, asked.entity_id, body)


async def _edit(tx: Transaction, _keys: Keys, asked: Operation, patch: ResidentPatch) -> object:
    """Edit a person on the revision they have by now, unless somebody else has changed one of the same fields since.

    Who edits twice without network has overtaken nobody: an earlier edit of the same phone is what this one is made on.
    """
    present = await residents.get(tx, asked.entity_id)
    await _refuse_overtaken(tx, asked, present.rev, set(rules.changes(present, patch)))
    return await residents.edit(tx, tx.caller, asked.entity_id, patch, frozenset({etag(present.rev)}))


async def _refuse_overtaken(tx: Transaction, asked: Operation, rev: int, wanted: set[str]) -> None:
    if asked.base_rev is None:
        raise Refusal(Code.precondition_missing)
    if asked.base_rev > rev:
        raise Refusal(Code.stale)
    for since in await queries.edits_since(tx.conn, tx.county, asked.entity_id, asked.base_rev):
        mine = since["device_id"] == asked.device_id and since["device_seq"] < asked.device_seq
        if not mine and wanted & set(since["fields"]):
            raise Refusal(Code.edit_conflict)


async def _event(tx: Transaction, keys: Keys, asked: Operation, body: EventIn) -> object:
    return await events.record(tx, keys, tx.caller, asked.entity_id, body)


async def _settle(tx: Transaction, keys: Keys, asked: Operation, body: MoveSettleIn) -> object:
    rev = asked.base_rev or (await moves.get(tx, asked.entity_id)).rev
    return await moves.settle(tx, keys, tx.caller, asked.entity_id, body, frozenset({etag(rev)}))


async def _decide(tx: Transaction, _keys: Keys, asked: Operation, body: SettleIn) -> object:
    return await duplicates.settle(tx, tx.caller, asked.entity_id, body)


async def _correct(tx: Transaction, _keys: Keys, asked: Operation, body: CorrectionSettleIn) -> object:
    return await corrections.settle(tx, tx.caller, asked.entity_id, body)


async def _follow_up(tx: Transaction, _keys: Keys, asked: Operation, body: FollowUpIn) -> None:
    await follow_ups.open_later(tx, tx.caller, asked.entity_id, body.follow_up)


async def _link(tx: Transaction, keys: Keys, asked: Operation, body: PersonLinkIn) -> object:
    owner = await links.person(tx, body.resident_id)
    if_match = frozenset({etag(asked.base_rev)}) if asked.base_rev else None
    link = LinkIn(**body.model_dump(exclude={"resident_id"}))
    return await links.put(tx, keys, tx.caller, owner, asked.entity_id, link, if_match)


async def _edit_link(tx: Transaction, _keys: Keys, asked: Operation, patch: LinkPatch) -> object:
    """Edit a link as people are edited; one that somebody has ended meanwhile stays ended."""
    owner = await links.owner_of(tx, asked.entity_id)
    present = await links.get(tx, owner, asked.entity_id)
    await _refuse_overtaken(tx, asked, present.rev, links.changes(present, patch))
    return await links.edit(tx, tx.caller, owner, present, patch)


async def _end_link(tx: Transaction, _keys: Keys, asked: Operation, body: LinkEndIn) -> None:
    owner = await links.owner_of(tx, asked.entity_id)
    if asked.base_rev is None:
        raise Refusal(Code.precondition_missing)
    await links.end(tx, tx.caller, owner, asked.entity_id, body.on, frozenset({etag(asked.base_rev)}))


OPERATIONS: dict[OperationKind, tuple[type[BaseModel], Do]] = {
    OperationKind.household_put: (HouseholdIn, _household),
    OperationKind.resident_put: (ResidentIn, _resident),
    OperationKind.resident_edit: (ResidentPatch, _edit),
    OperationKind.register_event: (EventIn, _event),
    OperationKind.move_settle: (MoveSettleIn, _settle),
    OperationKind.duplicate_settle: (SettleIn, _decide),
    OperationKind.correction_settle: (CorrectionSettleIn, _correct),
    OperationKind.follow_up_open: (FollowUpIn, _follow_up),
    OperationKind.link_put: (PersonLinkIn, _link),
    OperationKind.link_edit: (LinkPatch, _edit_link),
    OperationKind.link_end: (LinkEndIn, _end_link),
}


async def do(tx: Transaction, keys: Keys, asked: Operation, kind: OperationKind, body: BaseModel) -> None:
    """Do one of them as its author, who works in an area."""
    if not tx.caller.holds(*STAFF):
        raise Refusal(Code.role_not_allowed)
    _shape, what = OPERATIONS[kind]
    tx.origin = Origin(asked.op_id, asked.device_id, asked.device_seq)
    try:
        await what(tx, keys, asked, body)
    finally:
        tx.origin = None
