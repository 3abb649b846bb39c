"""Taking what phones did: every operation is answered, and none blocks its neighbours."""

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from functools import partial
from hmac import compare_digest
from typing import TypeVar
from uuid import UUID

import asyncpg

from backend.auth.directory import Directory
from backend.core import operations
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.preconditions import etag
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Settled, Transaction
from backend.sync import conflicts, doing, queries, queueing
from backend.sync.reading import Asked, no, outcome_of, read, receipt
from backend.sync.versions import SPOKEN, Versions
from backend.visits import service as visits
from shared.conflicts import ConflictSettleIn
from shared.errors import Code
from shared.sync import Answer, OperationKind, Outcome, PushIn, PushOut
from shared.visits import VisitIn

_VISITED = frozenset({OperationKind.household_put, OperationKind.resident_put})
_BEFORE_THE_REST = _VISITED | {OperationKind.visit_record}
T = TypeVar("T")


class _OutOfOrder(Exception):
    """Something was refused, and maybe only because it was done earlier or later than the phone did it."""


async def push(
    database: Database, directory: Directory, keys: Keys, caller: Caller, sent: PushIn, versions: Versions = SPOKEN
) -> PushOut:
    """Apply a phone's operations in the scope of whoever made them, one transaction per author."""
    versions.admit(sent.schema_version)
    asked, answers = read(keys, sent, versions)
    if asked and caller.grants and all(one.operation.author_id == caller.account_id for one in asked):
        return await _alone(database, keys, caller, sent, asked, answers)
    async with database.bare() as conn:
        authors = _authors(await queries.device(conn, caller.county_code, sent.device_id), caller)
    if not caller.grants:
        raise Refusal(Code.grant_ended)
    strangers = [one for one in asked if one.operation.author_id not in authors]
    answers += [no(one.index, one.operation.op_id, Code.not_the_author) for one in strangers]
    for author in dict.fromkeys(one.operation.author_id for one in asked if one.operation.author_id in authors):
        mine = [one for one in asked if one.operation.author_id == author]
        answers += await _as_author(database, directory, keys, caller, author, mine)

    async def settle(tx: Transaction) -> PushOut:
        """Once everything is committed."""
        device = await queries.settle(tx.conn, tx.county, sent.device_id, _last_seq(asked))
        return receipt(tx.now, device, answers)

    return await database.run(caller, settle)


def _authors(device: asyncpg.Record | None, caller: Caller) -> set[UUID]:
    if device is None:
        raise Refusal(Code.device_unknown)
    if device["revoked_at"] is not None:
        raise Refusal(Code.device_revoked)
    authors = set(device["authors"])
    if caller.account_id not in authors:
        raise Refusal(Code.device_unknown)
    return authors


async def _as_author(
    database: Database, directory: Directory, keys: Keys, pusher: Caller, author_id: UUID, asked: Sequence[Asked]
) -> list[Answer]:
    """Apply one author's operations set-based; on a database error again with a savepoint per operation."""
    author = pusher if author_id == pusher.account_id else await directory.caller(pusher.county_code, author_id)
    if author is None:
        return [no(one.index, one.operation.op_id, Code.session_ended) for one in asked]

    async def work(tx: Transaction, together: bool) -> list[Answer]:
        await queries.lock_device(tx.conn, tx.county, asked[0].operation.device_id)
        return await _apply(tx, keys, asked, together)

    return await _together_or_one_by_one(database, author, work)


async def _alone(
    database: Database, keys: Keys, caller: Caller, sent: PushIn, asked: Sequence[Asked], others: Sequence[Answer]
) -> PushOut:
    """Apply a push whose author is the pusher, which is nearly all of them. What is settled is committed with it, so
    one statement can lock the phone, say whose it is and settle its numbers."""

    async def work(tx: Transaction, together: bool) -> PushOut:
        device = await queries.settle(tx.conn, tx.county, sent.device_id, _last_seq(asked))
        _authors(device, caller)
        return receipt(tx.now, device, [*await _apply(tx, keys, asked, together), *others])

    return await _together_or_one_by_one(database, caller, work)


async def _together_or_one_by_one(database: Database, author: Caller, work: Callable[..., Awaitable[T]]) -> T:
    try:
        return await database.run(author, partial(work, together=True))
    except (Refusal, asyncpg.PostgresError, _OutOfOrder):
        return await database.run(author, partial(work, together=False))


async def _apply(tx: Transaction, keys: Keys, asked: Sequence[Asked], together: bool) -> list[Answer]:
    recorded = [one.operation.entity_id for one in asked if one.kind is OperationKind.visit_record]
    known, made = await operations.remembered_either(tx, [one.operation.op_id for one in asked], recorded)
    strange = set() if together else await _of_others(tx, asked, known)
    answers: dict[int, Answer] = {}
    fresh: dict[UUID, Asked] = {}
    for one in asked:
        if one.operation.op_id in strange:
            answers[one.index] = no(one.index, one.operation.op_id, Code.id_taken)
            continue
        earlier = known.get(one.operation.op_id)
        if earlier is None and one.kind is OperationKind.visit_record:
            earlier = made.get(one.operation.entity_id)
        if earlier:
            answers[one.index] = _repeat(one, earlier)
        elif twin := fresh.get(one.operation.op_id):
            answers[one.index] = _twin(one, twin)
        else:
            fresh[one.operation.op_id] = one
    refused = await _do(tx, keys, list(fresh.values()), together)
    told = await _queued(tx, keys, fresh.values(), refused) if refused else {}
    for one in fresh.values():
        code = told.get(one.index)
        answers[one.index] = _told(one, code, refused[one.index]) if code else _yes(one)
        tx.settled(_settled(one, code))
    return list(answers.values())


async def _of_others(tx: Transaction, asked: Sequence[Asked], known: Container[UUID]) -> set[UUID]:
    """Return the ids under which the ledger holds operations of other accounts, out of this one's sight: writing one
    of them again would undo the whole push."""
    unknown = [one.operation.op_id for one in asked if one.operation.op_id not in known]
    device = asked[0].operation.device_id
    async with beyond_scope(tx, "operations.looked_up", "device", device, tx.county, operations=len(unknown)):
        return set(await operations.remembered(tx, unknown))


async def _queued(
    tx: Transaction, keys: Keys, asked: Iterable[Asked], refused: Mapping[int, Refusal]
) -> dict[int, Code]:
    """Keep for a person what would be lost, and say by its place in the push what each refused one is told."""
    undone = [one for one in asked if one.index in refused]
    waiting = [queueing.Undone(one.operation, one.kind, refused[one.index].code) for one in undone]
    told = await queueing.keep(tx, keys, tx.caller, waiting)
    return {one.index: told.get(one.operation.op_id, refused[one.index].code) for one in undone}


def _told(one: Asked, code: Code, refusal: Refusal) -> Answer:
    """What waits for a person is told so, and not why it was refused."""
    return no(one.index, one.operation.op_id, code, refusal.detail if code is refusal.code else None)


def _repeat(one: Asked, earlier: operations.Remembered) -> Answer:
    """Answer a repeat as the first time; the same id with other content is another operation, and refused."""
    if not compare_digest(earlier.content_hmac, one.content):
        return no(one.index, one.operation.op_id, Code.id_taken)
    if earlier.outcome in (Outcome.rejected, Outcome.conflict) and earlier.code:
        return no(one.index, one.operation.op_id, Code(earlier.code))
    return Answer(op_id=one.operation.op_id, index=one.index, outcome=Outcome.duplicate, rev=earlier.rev)


def _twin(one: Asked, twin: Asked) -> Answer:
    if one.content != twin.content:
        return no(one.index, one.operation.op_id, Code.id_taken)
    return Answer(op_id=one.operation.op_id, index=one.index, outcome=Outcome.duplicate)


def _yes(one: Asked) -> Answer:
    return Answer(op_id=one.operation.op_id, index=one.index, outcome=Outcome.applied)


def _settled(one: Asked, code: Code | None) -> Settled:
    operation = one.operation
    return Settled(
        operation.op_id, one.kind, operation.entity_id, outcome_of(code) if code else Outcome.applied, one.content,
        code=code, device_id=operation.device_id, device_seq=operation.device_seq,
    )  # fmt: skip


async def _do(tx: Transaction, keys: Keys, asked: Sequence[Asked], together: bool) -> dict[int, Refusal]:
    """Do what is new; return the refused by their place in the push.

    Together, doors and people come before the visits to them, which are recorded at once. A refusal is final, so none
    is given for an order that was not the phone's.
    """
    if not together:
        return await _one_by_one(tx, keys, asked)
    recorded = [one for one in asked if one.kind is OperationKind.visit_record]
    first = [one for one in asked if one.kind in _VISITED]
    refused = await _one_by_one(tx, keys, first)
    if recorded:
        refused |= await _record(tx, recorded)
    rest = [one for one in asked if one.kind not in _BEFORE_THE_REST]
    refused |= await _one_by_one(tx, keys, rest)
    if refused and [one.index for one in (*first, *recorded, *rest)] != [one.index for one in asked]:
        raise _OutOfOrder
    return refused


async def _one_by_one(tx: Transaction, keys: Keys, asked: Sequence[Asked]) -> dict[int, Refusal]:
    refused: dict[int, Refusal] = {}
    for one in asked:
        try:
            async with tx.savepoint():
                await _do_one(tx, keys, one)
        except Refusal as refusal:
            refused[one.index] = refusal
        except asyncpg.UniqueViolationError:
            refused[one.index] = Refusal(Code.id_taken)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            refused[one.index] = Refusal(Code.malformed)
    return refused


async def _record(tx: Transaction, asked: Sequence[Asked]) -> dict[int, Refusal]:
    """Record visits together. Two operations for one visit id cannot both be new."""
    drafts: dict[UUID, Asked] = {}
    refused: dict[int, Refusal] = {}
    for one in asked:
        if one.operation.entity_id in drafts:
            refused[one.index] = Refusal(Code.id_taken)
        else:
            drafts[one.operation.entity_id] = one
    bodies = [visits.Draft(visit_id, _visit(one)) for visit_id, one in drafts.items()]
    _stored, refusals = await visits.record_many(tx, tx.caller, bodies)
    return refused | {drafts[visit_id].index: refusal for visit_id, refusal in refusals.items()}


def _visit(one: Asked) -> VisitIn:
    assert isinstance(one.body, VisitIn)
    return one.body


async def _do_one(tx: Transaction, keys: Keys, one: Asked) -> None:
    if one.kind is OperationKind.conflict_settle:
        assert isinstance(one.body, ConflictSettleIn)
        rev = one.operation.base_rev
        if_match = frozenset({etag(rev)}) if rev else None
        await conflicts.settle(tx, keys, tx.caller, one.operation.entity_id, one.body, if_match)
    else:
        await doing.do(tx, keys, one.operation, one.kind, one.body)


def _last_seq(asked: Sequence[Asked]) -> int:
    return max((one.operation.device_seq for one in asked), default=0)
