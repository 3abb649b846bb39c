"""What phones ask for and how they move it on: the same services as for everybody else."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from backend.core.errors import Refusal
from backend.core.preconditions import etag
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.requests import service as requests
from shared.auth import STAFF
from shared.errors import Code
from shared.requests import MoveIn, RequestIn
from shared.sync import Operation, OperationKind

Do = Callable[[Transaction, Keys, Operation, Any], Awaitable[object]]


async def _report(tx: Transaction, keys: Keys, asked: Operation, body: RequestIn) -> object:
    """Take it down under the phone's id; what a PUT has brought already is not taken down twice."""
    return await requests.put(tx, keys, tx.caller, asked.entity_id, body)


async def _step(tx: Transaction, _keys: Keys, asked: Operation, body: MoveIn) -> object:
    """Take a step from what the worker saw. Whoever was overtaken is asked which of the two is to stand.

    Each step adds one to the revision, so a phone without network bases its second step on what its first will make.
    """
    if asked.base_rev is None:
        raise Refusal(Code.precondition_missing)
    present = await requests.get(tx, asked.entity_id)
    if asked.base_rev < present.rev:
        raise Refusal(Code.edit_conflict)
    return await requests.move(tx, tx.caller, asked.entity_id, frozenset({etag(asked.base_rev)}), body)


OPERATIONS: dict[OperationKind, tuple[type[BaseModel], Do]] = {
    OperationKind.request_report: (RequestIn, _report),
    OperationKind.request_step: (MoveIn, _step),
}


async def do(tx: Transaction, keys: Keys, asked: Operation, kind: OperationKind, body: BaseModel) -> None:
    """Do one of them as its author, who works in an area."""
    if not tx.caller.holds(*STAFF):
        raise Refusal(Code.role_not_allowed)
    _shape, what = OPERATIONS[kind]
    await what(tx, keys, asked, body)
