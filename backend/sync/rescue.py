"""Taking what a revoked phone still holds, or the phone of somebody who works nowhere any more.

Nothing of it touches the register: every operation waits for a person. Whoever hands it in has signed in, so a lost
phone without its owner's password gives nothing; who has been switched off altogether is let in again without a grant.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import orjson

from backend.core import operations
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Settled, Transaction
from backend.sync import queries, queueing
from backend.sync.conflict_rules import DEEPEST, too_deep
from backend.sync.reading import Asked, no, op_id_of, read, receipt
from backend.sync.versions import Versions
from shared.errors import Code
from shared.sync import Answer, Outcome, PushIn, PushOut

LARGEST = 64 << 10
"""Nothing that a phone writes is this long; what cannot be read is kept up to here."""

_ANY = Versions(1)


async def rescue(database: Database, keys: Keys, caller: Caller, sent: PushIn) -> PushOut:
    """Queue every operation, whatever its version, and answer each as one that a person will decide."""

    async def work(tx: Transaction) -> PushOut:
        authors = await _authors(tx, sent.device_id)
        await queries.lock_device(tx.conn, tx.county, sent.device_id)
        answers = await _all(tx, keys, authors, sent)
        return receipt(tx.now, await queries.settle(tx.conn, tx.county, sent.device_id, 0), answers)

    return await database.run(caller, work)


async def _authors(tx: Transaction, device_id: UUID) -> dict[UUID, Caller]:
    """Return who has signed in on the phone, with every place that they ever worked in."""
    device = await queries.device(tx.conn, tx.county, device_id)
    if device is None or tx.caller.account_id not in device["authors"]:
        raise Refusal(Code.device_unknown)
    if device["revoked_at"] is None and tx.caller.grants:
        raise Refusal(Code.not_revoked)
    return await queueing.as_they_were(tx, device["authors"])


async def _all(tx: Transaction, keys: Keys, authors: Mapping[UUID, Caller], sent: PushIn) -> list[Answer]:
    """Answer by the ledger what it knows; queue the rest, what can be read for its author."""
    asked, unread = read(keys, sent, _ANY)
    refused = {one.index: one.code for one in unread}
    readable = {one.index: one for one in asked}
    known = await _known(tx, sent.device_id, [_id_of(raw) for raw in sent.operations if not _too_deep(raw)])
    answers: list[Answer] = []
    for index, raw in enumerate(sent.operations):
        if _too_deep(raw):
            answers.append(no(index, op_id_of(raw), Code.malformed))
            continue
        op_id, one = _id_of(raw), readable.get(index)
        author = authors.get(one.operation.author_id) if one else authors[tx.caller.account_id]
        if earlier := known.get(op_id):
            same = {_content(keys, raw), *([one.content] if one else ())}  # it may be read by now, and not before
            answers.append(_again(index, op_id, earlier) if earlier.content_hmac in same else _taken(index, op_id))
        elif author is None or refused.get(index) == Code.not_the_author:
            answers.append(no(index, op_id, Code.not_the_author))
        else:
            code, known[op_id] = await _keep(tx, keys, author, one, raw, sent.device_id)
            answers.append(no(index, op_id, code))
    return answers


async def _known(tx: Transaction, device_id: UUID, ids: Sequence[UUID]) -> dict[UUID, operations.Remembered]:
    """Look all of them up, those of the phone's other users too."""
    async with beyond_scope(tx, "conflicts.rescued", "device", device_id, tx.county, operations=len(ids)):
        return await operations.remembered(tx, ids)


async def _keep(
    tx: Transaction, keys: Keys, author: Caller, one: Asked | None, raw: Mapping[str, Any], device_id: UUID
) -> tuple[Code, operations.Remembered]:
    if one is None:
        return await _keep_raw(tx, keys, author, raw, device_id)
    await queueing.keep(tx, keys, author, [queueing.Undone(one.operation, one.kind, Code.rescued)])
    asked = one.operation
    return Code.rescued, _settle(tx, asked.op_id, one.kind, asked.entity_id, one.content, author)


def _too_deep(raw: Mapping[str, Any]) -> bool:
    """Say whether it could not even be written down. What can be read never is: its values are one level further in."""
    return too_deep(raw, DEEPEST + 1)


def _id_of(raw: Mapping[str, Any]) -> UUID:
    """Even what has no readable id is taken once only: its content is its id."""
    return op_id_of(raw) or uuid5(UUID(int=0), _plain(raw).decode())


def _taken(index: int, op_id: UUID) -> Answer:
    """What only bears the id of another operation was never done: nobody is told that it was."""
    return no(index, op_id, Code.id_taken)


def _again(index: int, op_id: UUID, earlier: operations.Remembered) -> Answer:
    if earlier.code:
        return no(index, op_id, Code(earlier.code))
    return Answer(op_id=op_id, index=index, outcome=Outcome.duplicate, rev=earlier.rev)


def _plain(raw: Mapping[str, Any]) -> bytes:
    return orjson.dumps(raw, option=orjson.OPT_SORT_KEYS)


def _content(keys: Keys, raw: Mapping[str, Any]) -> bytes:
    return hmac.digest(keys.ledger, _plain(raw), "sha256")


async def _keep_raw(
    tx: Transaction, keys: Keys, author: Caller, raw: Mapping[str, Any], device_id: UUID
) -> tuple[Code, operations.Remembered]:
    """Keep what cannot be read as it is: somebody may still make sense of it."""
    op_id, content = _id_of(raw), _content(keys, raw)
    if len(_plain(raw)) > LARGEST:
        return Code.body_too_large, operations.Remembered(op_id, Outcome.rejected, Code.body_too_large, None, content)
    area = await queueing.own_area(tx, author)
    async with beyond_scope(tx, "conflicts.queued", "account", author.account_id, tx.county, operations=1):
        await queueing.store(
            tx, keys, {"operation": raw}, area_code=area, kind="", entity_id=None, op_id=op_id, device_id=device_id,
            device_seq=None, author_id=author.account_id, author_name=author.name, made_at=None,
            code=Code.rescued.value, rescued=True, fields=[], theirs_name="", theirs_at=None,
        )  # fmt: skip
    return Code.rescued, _settle(tx, op_id, "", op_id, content, author)


def _settle(
    tx: Transaction, op_id: UUID, kind: str, entity_id: UUID, content: bytes, author: Caller
) -> operations.Remembered:
    """Remember it as one that waits, so that sending it again queues nothing twice."""
    tx.settled(
        Settled(op_id, kind, entity_id, Outcome.conflict, content, code=Code.rescued, account_id=author.account_id)
    )
    return operations.Remembered(entity_id, Outcome.conflict, Code.rescued, None, content)
