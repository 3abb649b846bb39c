"""Keeping what could not be applied: each operation with both values, where somebody who may decide will see it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from backend.core import sealing
from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.residents import link_queries as links
from backend.residents import queries as residents
from backend.sync import conflict_queries as queries
from backend.sync import conflict_rules as rules
from backend.sync import queries as sync_queries
from shared.auth import STAFF, Role
from shared.errors import Code
from shared.links import link_fields
from shared.sync import EntityKind, Operation, OperationKind
from shared.types import uuid7

SEALED = "conflict"


@dataclass(frozen=True, slots=True)
class Undone:
    """An operation that was not applied, and why."""

    operation: Operation
    kind: OperationKind
    code: Code


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item belongs, the row it is about if whoever decides there may know it, and the reason given."""

    area: str
    about: asyncpg.Record | None
    code: Code


async def keep(tx: Transaction, keys: Keys, author: Caller, undone: Sequence[Undone]) -> dict[UUID, Code]:
    """Queue what a person must see; return by operation what its author is told instead of the plain refusal.

    In the transaction of the answer: a phone that has been told so finds it there.
    """
    was = author
    if not author.holds(*STAFF):
        was = (await as_they_were(tx, [author.account_id]))[author.account_id]
    was_staff = was is not author and was.holds(*STAFF)
    waiting = [one for one in undone if rules.must_wait(one.kind, one.code, was_staff=was_staff)]
    if not waiting:
        return {}
    own = await own_area(tx, author)
    told: dict[UUID, Code] = {}
    async with beyond_scope(tx, "conflicts.queued", "account", author.account_id, tx.county, operations=len(waiting)):
        for one in waiting:
            told[one.operation.op_id] = await _keep(tx, keys, was, own, one)
    return told


async def as_they_were(tx: Transaction, accounts: Sequence[UUID]) -> dict[UUID, Caller]:
    """Return accounts with every place that they ever worked in."""
    return {
        row["id"]: Caller(
            row["id"], row["display_name"], tx.county,
            tuple((Role(role), area) for role, area in zip(row["roles"], row["areas"], strict=True)),
        )
        for row in await sync_queries.all_grants(tx.conn, tx.county, accounts)
    }  # fmt: skip


async def own_area(tx: Transaction, author: Caller) -> str:
    """Return where an author works, or did last: what belongs nowhere else is decided there."""
    if author.scopes:
        return author.scopes[0]
    return await queries.last_area(tx.conn, tx.county, author.account_id) or tx.county


async def _keep(tx: Transaction, keys: Keys, author: Caller, own: str, one: Undone) -> Code:
    asked = one.operation
    place = await _place(tx, author, own, one)
    theirs, edits = await _theirs(tx, one, place.about)
    names, last = rules.overtaken(asked.fields, edits, asked.device_id, asked.device_seq)
    content = {
        "operation": asked.model_dump(mode="json"),
        "theirs": theirs,
        "subject": place.about["subject"] if place.about else "",
    }
    await store(
        tx, keys, content,
        area_code=place.area, kind=one.kind.value, entity_id=asked.entity_id, op_id=asked.op_id,
        device_id=asked.device_id, device_seq=asked.device_seq, author_id=asked.author_id, author_name=author.name,
        made_at=asked.made_at, code=place.code.value, rescued=one.code is Code.rescued, fields=names,
        theirs_name=(last["name"] or "") if last else "", theirs_at=last["at"] if last else None,
    )  # fmt: skip
    return place.code


async def store(tx: Transaction, keys: Keys, content: Mapping[str, Any], **row: Any) -> None:
    """Seal the values under a key of their own, and tell whoever works there."""
    item = uuid7()
    data_key = sealing.new_data_key(keys, item)
    sealed = sealing.seal(keys, data_key, item, SEALED, json.dumps(content, ensure_ascii=False))
    await queries.add(tx.conn, tx.county, tx.now, {**row, "id": item, "data_key": data_key, "sealed": sealed})
    tx.changed(EntityKind.conflict, item, row["area_code"])
    tx.audit("conflict.queued", "conflict", item, row["area_code"], code=row["code"], operation=row["kind"])


async def _place(tx: Transaction, author: Caller, own: str, one: Undone) -> _Place:
    """Find the row that an operation is about. One that never was the author's stays unknown to them."""
    ids = rules.subjects(str(one.operation.entity_id), one.operation.model_dump(mode="json")["fields"])
    found = await _nearest(tx, ids)
    if found is None:
        return _Place(own, None, one.code)
    if author.may_write_in(found["area_code"]) or one.code is Code.merged:
        return _Place(found["area_code"], found, one.code)
    if await _was_mine(tx, author, ids):
        late = rules.may_be_late(one.code)
        return _Place(found["area_code"], found, Code.handed_over if late else one.code)
    return _Place(own, None, one.code)


async def _nearest(tx: Transaction, ids: Sequence[str]) -> asyncpg.Record | None:
    rows = await queries.about(tx.conn, tx.county, ids)
    found = next((rows[UUID(one)] for one in ids if UUID(one) in rows), None)
    if found is None or found["merged_into"] is None:
        return found
    kept = await queries.kept_row(tx.conn, tx.county, found["id"])
    return (await queries.about(tx.conn, tx.county, [str(kept)])).get(kept)


async def _was_mine(tx: Transaction, author: Caller, ids: Sequence[str]) -> bool:
    left = await queries.left(tx.conn, tx.county, ids, author.scopes)
    return any(author.may_write_in(area) for area in left)


async def _theirs(
    tx: Transaction, one: Undone, about: asyncpg.Record | None
) -> tuple[dict[str, Any], Sequence[asyncpg.Record]]:
    """Return what stands now where the operation would have written, and who has written there since."""
    if about is None:
        return {}, []
    wanted = one.operation.fields
    now = await _now(tx, one.kind, about)
    since = one.operation.base_rev
    edits = [] if since is None else await queries.edits_since(tx.conn, tx.county, one.operation.entity_id, since)
    return {name: now[name] for name in wanted if name in now}, edits


async def _now(tx: Transaction, kind: OperationKind, about: asyncpg.Record) -> dict[str, Any]:
    """Return the fields of the present row under the names that the operation calls them by."""
    if kind is OperationKind.household_put:
        home = (await residents.households_by_ids(tx.conn, tx.county, [about["id"]])).get(about["id"])
        return {**home.model_dump(mode="json"), "cell_code": home.area_code} if home else {}
    if kind is OperationKind.link_edit:
        link = (await links.links_by_ids(tx.conn, tx.county, [about["id"]])).get(about["id"])
        return link_fields(link) if link else {}
    if kind not in (OperationKind.resident_edit, OperationKind.register_event):
        return {}
    person = (await residents.merged_too(tx.conn, tx.county, [about["id"]])).get(about["id"])
    if person is None:
        return {}
    row: dict[str, Any] = person.model_dump(mode="json")
    return row if kind is OperationKind.resident_edit else {"on": row["left_on"]}
