"""What volunteers' phones say of themselves, and when somebody left: the same services as for everybody else.

Their own settings are never in conflict: one person sets them, and the last word counts.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from backend.core.errors import Refusal
from backend.core.preconditions import etag
from backend.core.transaction import Transaction
from backend.matching import helping
from backend.volunteers import service as volunteers
from shared.auth import Role
from shared.errors import Code
from shared.matching import CheckIn
from shared.sync import Operation, OperationKind
from shared.volunteers import QuietIn, SkillsIn, SlotsIn, VolunteerPatch

Do = Callable[[Transaction, UUID, Operation, Any], Awaitable[object]]


async def _leave(tx: Transaction, volunteer_id: UUID, asked: Operation, body: CheckIn) -> object:
    """Leave. The phone says when the button was pressed, however much later it finds a network."""
    return await helping.check_out(tx, volunteer_id, asked.entity_id, body, told_at=asked.made_at)


async def _week(tx: Transaction, volunteer_id: UUID, asked: Operation, body: SlotsIn) -> object:
    return await volunteers.set_own_slots(tx, _mine(volunteer_id, asked), body.slots)


async def _quiet(tx: Transaction, volunteer_id: UUID, asked: Operation, body: QuietIn) -> object:
    return await volunteers.set_own_quiet(tx, _mine(volunteer_id, asked), body)


async def _skills(tx: Transaction, volunteer_id: UUID, asked: Operation, body: SkillsIn) -> object:
    return await volunteers.set_own_skills(tx, _mine(volunteer_id, asked), body)


async def _pause(tx: Transaction, volunteer_id: UUID, asked: Operation, body: VolunteerPatch) -> object:
    present = await volunteers.get(tx, _mine(volunteer_id, asked))
    return await volunteers.edit_own(tx, volunteer_id, body, frozenset({etag(present.rev)}))


def _mine(volunteer_id: UUID, asked: Operation) -> UUID:
    if asked.entity_id != volunteer_id:
        raise Refusal(Code.not_found)
    return volunteer_id


OPERATIONS: dict[OperationKind, tuple[type[BaseModel], Do]] = {
    OperationKind.task_check_out: (CheckIn, _leave),
    OperationKind.volunteer_week: (SlotsIn, _week),
    OperationKind.volunteer_quiet: (QuietIn, _quiet),
    OperationKind.volunteer_skills: (SkillsIn, _skills),
    OperationKind.volunteer_pause: (VolunteerPatch, _pause),
}


async def do(tx: Transaction, asked: Operation, kind: OperationKind, body: BaseModel) -> None:
    """Do one of them as its author, who is a volunteer."""
    if tx.caller.volunteer_id is None or not tx.caller.holds(Role.volunteer):
        raise Refusal(Code.role_not_allowed)
    _shape, what = OPERATIONS[kind]
    await what(tx, tx.caller.volunteer_id, asked, body)
