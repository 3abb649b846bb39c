"""Use cases of people on the register."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from backend.core import operations, preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.residents import (
    changing,
    findings,
    history,
    households,
    identity,
    merging,
    queries,
    rules,
    search,
    seeking,
)
from backend.residents.one_head import one_head
from shared.auth import STAFF
from shared.errors import Code
from shared.residents import NOT_A_NAME, ResidentIn, ResidentOut, ResidentPatch, is_name
from shared.sync import EntityKind
from shared.texts import _

KIND = "resident.put"


async def get(tx: Transaction, resident_id: UUID) -> ResidentOut:
    found = await queries.resident(tx.conn, tx.county, resident_id)
    if found is None:
        raise await merging.refusal(tx.conn, tx.county, resident_id)
    return found


async def read(tx: Transaction, reader: Caller, resident_id: UUID) -> ResidentOut:
    """Return a person as this reader may see them."""
    return seen_by(reader, await get(tx, resident_id))


def seen_by(reader: Caller, person: ResidentOut) -> ResidentOut:
    """Only staff read the telephone number and what is sensitive."""
    return person if reader.holds(*STAFF) else person.model_copy(update=rules.hidden(person))


async def listed(
    tx: Transaction, reader: Caller, area: str | None, household_id: UUID | None, text: str | None, page: PageParams
) -> Page[ResidentOut]:
    """List people of an area or a household, or those that the text finds by name, pinyin, initials or phone."""
    area = await grid.area_to_list(tx, reader, area)
    wanted = queries.Wanted(area, households.typed(reader, text), household_id)
    found = await queries.page_of_residents(tx.conn, tx.county, wanted, page)
    return cut([seen_by(reader, person) for person in found], page.limit)


async def register(
    tx: Transaction, keys: Keys, worker: Caller, resident_id: UUID, body: ResidentIn, since: date | None = None
) -> ResidentOut:
    """Put a person on the register; sending the same again answers with what is stored.

    They belong to it from today, or from the day they were born or moved in.
    """
    op_id = operations.of_put(KIND, resident_id)
    content = operations.fingerprint(keys.ledger, KIND, resident_id, body)
    if not await operations.repeated(tx, op_id, content, Code.id_taken):
        area = await _open_household(tx, worker, body.household_id)
        await _store(tx, resident_id, area, body, identity.seal(keys, tx.county, resident_id, body.id_number))
        await history.begin(tx, [resident_id], since)
        await households.add_up(tx, body.household_id, area)
        await seeking.look_around(tx, resident_id)
        tx.settled(operations.applied(op_id, KIND, resident_id, content))
        tx.changed(EntityKind.resident, resident_id, area)
        tx.audit("resident.registered", "resident", resident_id, area)
    return await get(tx, resident_id)


async def _open_household(tx: Transaction, worker: Caller, household_id: UUID) -> str:
    """Lock the household that somebody joins and return its area."""
    area = await queries.lock_household(tx.conn, tx.county, household_id)
    if area is None:
        raise Refusal(Code.household_not_here, pointer="/household_id")
    if not worker.may_write_in(area):
        raise Refusal(Code.area_not_allowed, pointer="/household_id")
    return area


async def _store(tx: Transaction, resident_id: UUID, area: str, body: ResidentIn, sealed: identity.Sealed) -> None:
    _refuse_odd(tx, body.model_dump())
    row: dict[str, Any] = {
        "county_code": tx.county, "id": resident_id, "area_code": area, "received_at": tx.now,
        **body.model_dump(exclude={"id_number", "care"}), "care": rules.in_order(body.care),
        "data_key": sealed.data_key, "id_sealed": sealed.number, "id_index": sealed.index,
    }  # fmt: skip
    try:
        with one_head():
            await queries.add_resident(tx.conn, row)
    except asyncpg.UniqueViolationError as error:
        # The person's own key is left to the transaction's edge, which tries again and finds a twin request's answer.
        if error.constraint_name == "resident_id_index":
            raise Refusal(Code.id_already_registered, pointer="/id_number") from error
        raise
    keys = search.person_keys(body.name, body.phone)
    await queries.add_search_keys(tx.conn, tx.county, [(area, key, resident_id) for key in keys])
    if body.id_number is not None:
        await findings.compare(tx, [findings.Claim(resident_id, area, body.id_number, body.sex, body.birth_date)])


def _refuse_odd(tx: Transaction, fields: Mapping[str, Any]) -> None:
    """Refuse what the types of the wire cannot: it takes the day, or a sentence of its own."""
    today = county_day(tx.now)
    if name := rules.unknown_code(fields, today):
        raise Refusal(Code.unknown_code, pointer=f"/{name}")
    if "name" in fields and not is_name(fields["name"]):
        raise Refusal(Code.malformed, NOT_A_NAME, pointer="/name")
    if (fields.get("birth_date") or today) > today:
        raise Refusal(Code.malformed, _("出生日期还没有到。"), pointer="/birth_date")


async def edit(
    tx: Transaction, worker: Caller, resident_id: UUID, patch: ResidentPatch, if_match: frozenset[str] | None
) -> ResidentOut:
    """Change some fields of a person, made on the revision that the caller names."""
    present = await get(tx, resident_id)
    if not worker.may_write_in(present.area_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(if_match, present.rev)
    if present.left_on:
        raise Refusal(Code.has_left)
    fields = rules.changes(present, patch)
    if name := rules.emptied(fields):
        raise Refusal(Code.malformed, _("这一项不能空着。"), pointer=f"/{name}")
    _refuse_odd(tx, fields)
    if fields:
        await changing.change(tx, present, present.model_copy(update=fields), list(fields))
    return await get(tx, resident_id)
