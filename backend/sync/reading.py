"""Reading what a phone sent, each operation on its own, and the words of an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import BaseModel, TypeAdapter, ValidationError

from backend.core import operations
from backend.core.errors import Refusal
from backend.core.settings import Keys
from backend.sync import conflict_rules, doing
from backend.sync.versions import Versions
from shared.conflicts import ConflictSettleIn
from shared.errors import CATALOGUE, Code
from shared.sync import Answer, Operation, OperationKind, Outcome, PushIn, PushOut

BODIES: dict[OperationKind, type[BaseModel]] = {**doing.BODIES, OperationKind.conflict_settle: ConflictSettleIn}

DESCRIBED: tuple[type[BaseModel], ...] = (Operation, *(shape for shape in BODIES.values() if shape.model_fields))
"""What the API description names although no route takes it by itself: it travels inside a push."""

_OPERATION = TypeAdapter(Operation)
_KINDS = frozenset(BODIES)
_STAYS = frozenset({Code.server_behind, Code.client_too_old, Code.session_ended})
"""Neither done nor refused: the phone keeps it and sends it again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation that could be read, with its body and fingerprint, and its place in the push."""

    index: int
    operation: Operation
    kind: OperationKind
    body: BaseModel
    content: bytes


def read(keys: Keys, sent: PushIn, versions: Versions) -> tuple[list[Asked], list[Answer]]:
    """Read each operation on its own; one that cannot be read is answered and left out."""
    asked, answers = [], []
    for index, raw in enumerate(sent.operations):
        try:
            asked.append(_read_one(keys, index, raw, sent.device_id, versions))
        except Refusal as refusal:
            answers.append(no(index, op_id_of(raw), refusal.code))
    return asked, answers


def _read_one(keys: Keys, index: int, raw: dict[str, Any], device_id: UUID, versions: Versions) -> Asked:
    if code := _waits(raw, versions):
        raise Refusal(code)
    try:
        operation = _OPERATION.validate_python(raw)
    except ValidationError as error:
        raise Refusal(Code.malformed) from error
    if operation.base is not None and conflict_rules.too_deep(operation.base):
        raise Refusal(Code.malformed)
    if operation.device_id != device_id:
        raise Refusal(Code.not_the_author)
    if operation.kind not in _KINDS:
        raise Refusal(Code.unknown_operation)
    kind = OperationKind(operation.kind)
    try:
        body = BODIES[kind].model_validate(operation.fields)
    except ValidationError as error:
        raise Refusal(Code.malformed) from error
    content = operations.fingerprint(keys.ledger, kind, operation.entity_id, body)
    return Asked(index, operation, kind, body, content)


def _waits(raw: Mapping[str, Any], versions: Versions) -> Code | None:
    """Look at the version first: what another one has added would only look malformed here."""
    written = raw.get("schema_version")
    return versions.waits_for(written) if type(written) is int and written > 0 else None


def op_id_of(raw: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(str(raw.get("op_id")))
    except ValueError:
        return None


def no(index: int, op_id: UUID | None, code: Code, detail: str | None = None) -> Answer:
    """The refusal's own words where there are some. The ledger keeps only the code: a repeat is told the usual ones."""
    sentence = detail or CATALOGUE[code].sentence
    return Answer(op_id=op_id, index=index, outcome=outcome_of(code), code=code, sentence=sentence)


def outcome_of(code: Code) -> Outcome:
    """What another edit has overtaken, or what has gone to another area, is not refused: a person decides."""
    if code in _STAYS:
        return Outcome.held
    return Outcome.conflict if code in conflict_rules.WAITING else Outcome.rejected


def receipt(now: datetime, device: asyncpg.Record | None, answers: Sequence[Answer]) -> PushOut:
    """What the phone is told once its numbers are settled."""
    assert device is not None
    ordered = sorted(answers, key=lambda answer: answer.index)
    return PushOut(epoch=device["epoch"], settled_seq=device["settled_seq"], answers=ordered, server_time=now)
