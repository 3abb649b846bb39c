"""Use cases of what waits for a person: listed for whoever may decide, decided once, forgotten after 90 days."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from backend.core import preconditions, sealing
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller, system_caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.grid import service as grid
from backend.residents import service as residents
from backend.sync import conflict_queries as queries
from backend.sync import conflict_rules as rules
from backend.sync import doing
from backend.sync.queueing import SEALED
from shared.auth import STAFF, Role
from shared.conflicts import (
    ConflictChoice,
    ConflictField,
    ConflictOut,
    ConflictSettleIn,
    ConflictSide,
    ConflictState,
    for_coordinators,
    mark_of,
)
from shared.errors import CATALOGUE, Code
from shared.sync import EntityKind, Operation, OperationKind
from shared.texts import _
from shared.types import is_within

SLICE = 500
CELL_DIGITS = 15


async def by_ids(tx: Transaction, keys: Keys, ids: Sequence[UUID]) -> dict[UUID, ConflictOut]:
    """Return items with their values, for those who decide; nobody else reads them."""
    if not tx.caller.holds(*STAFF):
        return {}
    return {row["id"]: shown(keys, row) for row in await queries.by_ids(tx.conn, tx.county, ids)}


async def listed(
    tx: Transaction, keys: Keys, worker: Caller, area: str | None, state: ConflictState | None, page: PageParams
) -> Page[ConflictOut]:
    """List what waits in an area, newest first, inside the caller's scope."""
    rows = await queries.page(tx.conn, tx.county, await grid.area_to_list(tx, worker, area), state, page)
    return cut([shown(keys, row) for row in rows], page.limit)


async def read(tx: Transaction, keys: Keys, item: UUID) -> ConflictOut:
    found = (await by_ids(tx, keys, [item])).get(item)
    if found is None:
        raise Refusal(Code.not_found)
    return found


def shown(keys: Keys, row: asyncpg.Record) -> ConflictOut:
    """Open an item for somebody in whose area it lies."""
    content = _content(keys, row)
    asked, fields = _asked(content)
    kind = _kind(row) if content else None  # what cannot be shown is not done either
    theirs = ConflictSide(name=row["theirs_name"], at=row["theirs_at"]) if row["theirs_at"] else None
    return ConflictOut(
        **{name: row[name] for name in _AS_STORED}, device_id=mark_of(row["device_id"]),
        subject=content.get("subject", ""), sentence=CATALOGUE[Code(row["code"])].sentence,
        mine=ConflictSide(name=row["author_name"], at=row["made_at"]), theirs=theirs,
        fields=_fields(fields, asked.get("base"), content.get("theirs", {}), row["fields"]),
        choices=rules.choices(kind, fields, row["fields"]) if row["state"] == ConflictState.open else [],
        settled_by=row["settled_name"],
    )  # fmt: skip


_AS_STORED = (
    "id", "area_code", "kind", "entity_id", "op_id", "code", "rescued", "state", "choice", "note",
    "settled_at", "rev", "received_at",
)  # fmt: skip


_ENVELOPES = 2
"""Levels of the kept content around an operation's values."""


def _content(keys: Keys, row: asyncpg.Record) -> dict[str, Any]:
    """Return the sealed values; none once they have been forgotten, or where they would spoil the answer for all."""
    if row["data_key"] is None:
        return {}
    content: dict[str, Any] = json.loads(sealing.unseal(keys, row["data_key"], row["id"], SEALED, row["sealed"]))
    return {} if rules.too_deep(content, rules.DEEPEST + _ENVELOPES) else content


def _asked(content: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the operation and its fields; of one that could not be read, what there is."""
    asked: dict[str, Any] = content.get("operation", {})
    fields = asked.get("fields")
    return asked, fields if isinstance(fields, dict) else asked


def _kind(row: asyncpg.Record) -> OperationKind | None:
    return OperationKind(row["kind"]) if row["kind"] else None


def _fields(
    mine: Mapping[str, Any], base: Any, theirs: Mapping[str, Any], overtaken: Sequence[str]
) -> list[ConflictField]:
    before = rules.shown(base) if isinstance(base, dict) else {}
    now = rules.shown(theirs)
    return [
        ConflictField(
            field=name, base=before.get(name), mine=value, theirs=now.get(name), overtaken=name in overtaken
        )
        for name, value in rules.shown(mine).items()
    ]  # fmt: skip


async def settle(
    tx: Transaction, keys: Keys, worker: Caller, item: UUID, body: ConflictSettleIn, if_match: frozenset[str] | None
) -> ConflictOut:
    """Decide about an item; the same decision of the same person again answers as it did."""
    row = await queries.lock(tx.conn, tx.county, item)
    if row is None:
        return await _passed_on(tx, keys, item, body)
    if not worker.may_write_in(row["area_code"]):
        raise Refusal(Code.area_not_allowed)
    if row["state"] == ConflictState.settled:
        if (row["choice"], row["settled_by"]) == (body.choice, worker.account_id):
            return shown(keys, row)
        raise Refusal(Code.step_not_allowed, _("已经有人定过了。"))
    preconditions.require(if_match, row["rev"])
    if body.choice is ConflictChoice.unsure:
        return await _pass_on(tx, keys, worker, row, body.note)
    if for_coordinators(_kind(row), _asked(_content(keys, row))[1]) and not _coordinates(worker, row["area_code"]):
        raise Refusal(Code.role_not_allowed, _("身份证号和死亡，由社区工作人员定。"))
    if body.choice not in shown(keys, row).choices:
        raise Refusal(Code.step_not_allowed, _("这一条不能这样定。"), pointer="/choice")
    if body.choice is not ConflictChoice.theirs:
        await _apply(tx, keys, row, body.choice)
    return await _decided(tx, keys, worker, row, body)


def _coordinates(worker: Caller, area: str) -> bool:
    return any(
        role in (Role.community_worker, Role.county_admin) and is_within(area, own) for role, own in worker.grants
    )


async def _passed_on(tx: Transaction, keys: Keys, item: UUID, body: ConflictSettleIn) -> ConflictOut:
    """Answer again to who could not decide and has given it away, out of their own sight."""
    if body.choice is ConflictChoice.unsure:
        async with beyond_scope(tx, "conflict.read", "conflict", item, tx.county):
            row = await queries.passed_on_by(tx.conn, tx.county, item, tx.caller.account_id)
        if row is not None:
            return shown(keys, row)
    raise Refusal(Code.not_found)


async def _pass_on(tx: Transaction, keys: Keys, worker: Caller, row: asyncpg.Record, note: str) -> ConflictOut:
    """我定不了: the community worker is asked, and then the county."""
    area, item = row["area_code"], row["id"]
    above = rules.next_level(area, tx.county, coordinator=_coordinates(worker, area))
    if above is None:
        raise Refusal(Code.step_not_allowed, _("已经在县里了，没有再上一级。"), pointer="/choice")
    async with beyond_scope(tx, "conflict.passed_on", "conflict", item, area, to=above):
        await queries.pass_on(tx.conn, tx.county, item, above, worker.account_id, note)
        [changed] = await queries.by_ids(tx.conn, tx.county, [item])
    tx.edited(Edited(item, changed["rev"], above, ["area_code"]))
    tx.changed(EntityKind.conflict, item, area, gone=True)
    tx.changed(EntityKind.conflict, item, above)
    return shown(keys, changed)


async def _decided(
    tx: Transaction, keys: Keys, worker: Caller, row: asyncpg.Record, body: ConflictSettleIn
) -> ConflictOut:
    item, area = row["id"], row["area_code"]
    by = (worker.account_id, worker.name)
    rev = await queries.settle(tx.conn, tx.county, item, body.choice, body.note, by, tx.now)
    tx.edited(Edited(item, rev, area, ["state"]))
    tx.changed(EntityKind.conflict, item, area)
    tx.audit("conflict.settled", "conflict", item, area, choice=body.choice.value, operation=row["kind"])
    return await read(tx, keys, item)


async def _apply(tx: Transaction, keys: Keys, row: asyncpg.Record, choice: ConflictChoice) -> None:
    """Do the late operation now, on the row as it is now. What refuses it still refuses the decision."""
    asked = Operation.model_validate(_content(keys, row)["operation"])
    kind = OperationKind(row["kind"])
    entity = asked.entity_id
    if kind is OperationKind.resident_edit:
        entity = await queries.kept_row(tx.conn, tx.county, entity)
    fields = dict(asked.fields)
    present = await queries.present(tx.conn, tx.county, kind, entity)
    if present and kind is OperationKind.household_put and len(present["area_code"]) == CELL_DIGITS:
        fields["cell_code"] = present["area_code"]  # its door is changed, not its cell
    if choice is ConflictChoice.both:
        fields["note"] = rules.joined((await residents.get(tx, entity)).note, str(fields["note"]))
    rev = present["rev"] if present else asked.base_rev
    late = asked.model_copy(update={"entity_id": entity, "fields": fields, "base_rev": rev})
    try:
        body = doing.BODIES[kind].model_validate(fields)
    except ValidationError as error:
        raise Refusal(Code.step_not_allowed, _("这一条不能这样办，请换一种定法。"), pointer="/choice") from error
    await doing.do_for(tx, keys, late, kind, body, row["author_name"])


async def forget_old(database: Database, county: str) -> None:
    """Throw away the values of what was decided long ago; that it was decided stays."""

    async def one_slice(tx: Transaction) -> int:
        rows = await queries.forget(tx.conn, tx.county, tx.now - rules.KEPT, SLICE)
        for row in rows:
            tx.changed(EntityKind.conflict, row["id"], row["area_code"], gone=True)
        return len(rows)

    while await database.run(system_caller(county), one_slice) == SLICE:
        pass
