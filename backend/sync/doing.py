"""Doing one operation of a phone, by whoever's hand: its author's at a push, or later of whoever decides about it."""

from uuid import UUID

from pydantic import BaseModel

from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.matching import helping
from backend.sync import register, reports, volunteering
from backend.visits import service as visits
from shared.auth import Role
from shared.errors import Code
from shared.sync import Operation, OperationKind
from shared.visits import VisitIn

BODIES: dict[OperationKind, type[BaseModel]] = {
    OperationKind.visit_record: VisitIn,
    **{kind: shape for kind, (shape, _do) in register.OPERATIONS.items()},
    **{kind: shape for kind, (shape, _do) in reports.OPERATIONS.items()},
    **{kind: shape for kind, (shape, _do) in volunteering.OPERATIONS.items()},
    **{kind: shape for kind, (shape, _do) in helping.OPERATIONS.items()},
}


async def do(tx: Transaction, keys: Keys, asked: Operation, kind: OperationKind, body: BaseModel) -> None:
    """Do an operation in the transaction's scope; a visit is its author's, even when somebody else lets it through."""
    if kind is OperationKind.visit_record:
        await _record(tx, tx.caller, asked.entity_id, body)
    elif kind in register.OPERATIONS:
        await register.do(tx, keys, asked, kind, body)
    elif kind in reports.OPERATIONS:
        await reports.do(tx, keys, asked, kind, body)
    elif kind in volunteering.OPERATIONS:
        await volunteering.do(tx, asked, kind, body)
    elif tx.caller.volunteer_id is None or not tx.caller.holds(Role.volunteer):
        raise Refusal(Code.role_not_allowed)
    else:
        _shape, what = helping.OPERATIONS[kind]
        await what(tx, tx.caller.volunteer_id, asked.entity_id, body)


async def do_for(
    tx: Transaction, keys: Keys, asked: Operation, kind: OperationKind, body: BaseModel, author_name: str
) -> None:
    """Do what somebody else wrote, as an ordinary act of the caller. Only a visit keeps its author: who was at the
    door is part of what it says."""
    if kind is OperationKind.visit_record:
        author = Caller(asked.author_id, author_name, tx.county, tx.caller.grants)
        await _record(tx, author, asked.entity_id, body)
    else:
        await do(tx, keys, asked, kind, body)


async def _record(tx: Transaction, worker: Caller, visit_id: UUID, body: BaseModel) -> None:
    assert isinstance(body, VisitIn)
    _stored, refused = await visits.record_many(tx, worker, [visits.Draft(visit_id, body)])
    if refused:
        raise refused[visit_id]
