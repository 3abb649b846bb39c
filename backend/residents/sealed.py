"""Sealed facts, health, disability and hardship: dated, opened only for a reason and only by those who coordinate."""

import json
from datetime import date, timedelta
from uuid import UUID

import asyncpg

from backend.core import sealing
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.preconditions import etag
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.residents import merging, rules, sealed_queries, service
from shared.errors import Code
from shared.residents import Care, ResidentPatch
from shared.sealed import SealedFactOut, SealedIn, SealedKind, SealedOnFile, SealedOut, SealedSpan
from shared.sync import EntityKind
from shared.texts import _
from shared.types import uuid7

SHOWN_FOR = timedelta(minutes=15)
_WHOM_TO_ASK = _("这一项只有社区工作者和县级管理员能看、能改，请找他们。")


async def put(
    tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, kind: SealedKind, body: SealedIn
) -> SealedSpan:
    """Write a fact down from a day on: it ends the one that still holds, and replaces one from the same day."""
    _refuse_content(kind, body, county_day(tx.now))
    # First, because it locks the household before the person, as every change of a person does.
    if body.needs_care:
        await _label(tx, worker, resident_id)
    row = await _changeable(tx, worker, resident_id)
    data_key = row["data_key"] or await _new_key(tx, keys, resident_id, row)
    await _make_room(tx, resident_id, kind, body)
    fact_id = uuid7()
    content = json.dumps({"code": body.code, "grade": body.grade})
    sealed = sealing.seal(keys, data_key, resident_id, _column(kind, fact_id), content)
    fact = sealed_queries.NewFact(fact_id, row["area_code"], resident_id, kind, sealed, body.from_day, _until(body))
    await sealed_queries.add(tx.conn, tx.county, fact, tx.caller.account_id, tx.now)
    tx.audit("sealed.added", "resident", resident_id, row["area_code"], what=kind.value, reason=body.reason)
    return SealedSpan(kind=kind, from_day=body.from_day, until_day=body.until_day)


def _refuse_content(kind: SealedKind, body: SealedIn, today: date) -> None:
    if not rules.is_sealed_code(kind, body.code, body.from_day):
        raise Refusal(Code.unknown_code, pointer="/code")
    if (kind is SealedKind.disability) != (body.grade is not None):
        raise Refusal(Code.malformed, _("残疾要写等级，别的不写。"), pointer="/grade")
    if body.from_day > today:
        raise Refusal(Code.in_the_future, pointer="/from_day")
    if body.until_day is not None and body.until_day <= body.from_day:
        raise Refusal(Code.malformed, _("结束要在开始之后。"), pointer="/until_day")


async def _label(tx: Transaction, worker: Caller, resident_id: UUID) -> None:
    present = await service.get(tx, resident_id)
    _refuse_others(worker, present.area_code)
    if Care.needs_care not in present.care:
        patch = ResidentPatch(care=[*present.care, Care.needs_care])
        await service.edit(tx, worker, resident_id, patch, frozenset({etag(present.rev)}))


async def _changeable(tx: Transaction, worker: Caller, resident_id: UUID) -> asyncpg.Record:
    """Whoever was merged into another is written about there; what was sealed under the old id stays readable."""
    row = await _coordinated(tx, worker, resident_id)
    if row["merged_into"]:
        raise await merging.refusal(tx.conn, tx.county, resident_id)
    return row


async def _coordinated(tx: Transaction, worker: Caller, resident_id: UUID) -> asyncpg.Record:
    """Lock the person, so that facts about them are written one after the other."""
    row = await sealed_queries.lock_person(tx.conn, tx.county, resident_id)
    if row is None:
        raise Refusal(Code.not_found)
    _refuse_others(worker, row["area_code"])
    return row


def _refuse_others(worker: Caller, area: str) -> None:
    if not rules.coordinates(worker.grants, area):
        raise Refusal(Code.role_not_allowed, _WHOM_TO_ASK)


async def _new_key(tx: Transaction, keys: Keys, resident_id: UUID, row: asyncpg.Record) -> bytes:
    """Give a person a data key. A new revision, so that nobody who read them without one stores another over it."""
    data_key = sealing.new_data_key(keys, resident_id)
    rev = await sealed_queries.set_data_key(tx.conn, tx.county, resident_id, data_key)
    tx.edited(Edited(resident_id, rev, row["area_code"], ["data_key"]))
    tx.changed(EntityKind.resident, resident_id, row["area_code"])
    return data_key


async def _make_room(tx: Transaction, resident_id: UUID, kind: SealedKind, body: SealedIn) -> None:
    """Remove the fact from the same day, end the one that still holds, and refuse any other that would overlap."""
    await sealed_queries.remove(tx.conn, tx.county, resident_id, kind, body.from_day)
    await sealed_queries.end_open(tx.conn, tx.county, resident_id, kind, body.from_day)
    if await sealed_queries.overlaps(tx.conn, tx.county, resident_id, kind, body.from_day, _until(body)):
        raise Refusal(Code.sealed_overlap, pointer="/from_day")


def _until(body: SealedIn) -> date:
    return body.until_day or sealed_queries.STILL


def _column(kind: SealedKind, fact_id: UUID) -> str:
    return f"{kind.value}|{fact_id}"


async def read(
    tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, kind: SealedKind, reason: str
) -> SealedOut:
    """Open the facts of a kind. The reason goes into the audit trail with the look itself."""
    row = await _coordinated(tx, worker, resident_id)
    found = await sealed_queries.facts(tx.conn, tx.county, resident_id, kind)
    if not found:
        raise Refusal(Code.nothing_sealed)
    tx.audit("sealed.revealed", "resident", resident_id, row["area_code"], what=kind.value, reason=reason)
    opened = [_opened(keys, row["data_key"], resident_id, kind, fact) for fact in found]
    return SealedOut(kind=kind, facts=opened, hide_at=tx.now + SHOWN_FOR)


async def on_file(tx: Transaction, worker: Caller, resident_id: UUID) -> list[SealedOnFile]:
    """Say which kinds are on file, with those of rows that were merged into this one; nothing is opened."""
    person = await service.get(tx, resident_id)
    _refuse_others(worker, person.area_code)
    return await sealed_queries.on_file(tx.conn, tx.county, await merging.rows_of(tx.conn, tx.county, resident_id))


def _opened(keys: Keys, data_key: bytes, resident_id: UUID, kind: SealedKind, fact: asyncpg.Record) -> SealedFactOut:
    content = json.loads(sealing.unseal(keys, data_key, resident_id, _column(kind, fact["id"]), fact["sealed"]))
    until = None if fact["until_day"] == sealed_queries.STILL else fact["until_day"]
    return SealedFactOut(
        code=content["code"], name=rules.sealed_name(kind, content["code"]), grade=content["grade"],
        from_day=fact["from_day"], until_day=until, noted_by=fact["noted_by"], noted_at=fact["received_at"],
    )  # fmt: skip


async def remove(
    tx: Transaction, worker: Caller, resident_id: UUID, kind: SealedKind, from_day: date, reason: str
) -> None:
    """Take a fact away that should never have been written down. One that ended is put with its last day instead."""
    row = await _changeable(tx, worker, resident_id)
    if not await sealed_queries.remove(tx.conn, tx.county, resident_id, kind, from_day):
        raise Refusal(Code.nothing_sealed)
    tx.audit("sealed.removed", "resident", resident_id, row["area_code"], what=kind.value, reason=reason)
