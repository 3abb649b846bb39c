"""Use cases of links: whom to call, who decides for somebody, who helps and who stands in for them."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from backend.core import operations, preconditions
from backend.core.clock import FOREVER, county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Edited, Transaction
from backend.residents import events, folding, households, merging, moves, rules, service
from backend.residents import link_queries as queries
from shared.auth import STAFF
from shared.errors import Code
from shared.links import LinkIn, LinkKind, LinkOut, LinkPatch, as_columns, stand_in_of
from shared.sync import EntityKind
from shared.texts import _
from shared.visiting import age_on

KIND = "link.put"
_ADULT = 18


class Owner(NamedTuple):
    """Whom a link is about: a person of a household, or the household."""

    household_id: UUID
    area: str
    resident_id: UUID | None = None
    birth_date: date | None = None
    left_on: date | None = None


async def person(tx: Transaction, resident_id: UUID) -> Owner:
    found = await service.get(tx, resident_id)
    return Owner(found.household_id, found.area_code, resident_id, found.birth_date, found.left_on)


async def owner_of(tx: Transaction, link_id: UUID) -> Owner:
    """Return whom a link is about, for a caller who knows only the link: after a merge, the row that was kept."""
    found = (await queries.links_by_ids(tx.conn, tx.county, [link_id])).get(link_id)
    if found is None:
        raise Refusal(Code.not_found)
    if found.resident_id is None:
        return await home(tx, await folding.standing(tx.conn, tx.county, found.household_id) or found.household_id)
    kept = await merging.standing(tx.conn, tx.county, found.resident_id)
    return await person(tx, kept["id"] if kept else found.resident_id)


async def home(tx: Transaction, household_id: UUID) -> Owner:
    return Owner(household_id, (await households.get(tx, household_id)).area_code)


async def of_person(tx: Transaction, reader: Caller, resident_id: UUID, ended: bool) -> list[LinkOut]:
    """List a person's links, with those of rows that were merged into theirs."""
    await service.get(tx, resident_id)
    rows = await merging.rows_of(tx.conn, tx.county, resident_id)
    return seen_by(reader, await queries.of_people(tx.conn, tx.county, rows, None if ended else county_day(tx.now)))


async def of_home(tx: Transaction, reader: Caller, household_id: UUID) -> list[LinkOut]:
    """List whom to call about a household, those for single people of it last."""
    await households.get(tx, household_id)
    found = await queries.contacts_of_home(tx.conn, tx.county, household_id, county_day(tx.now))
    return seen_by(reader, found)


def seen_by(reader: Caller, links: Sequence[LinkOut]) -> list[LinkOut]:
    """Only those who ring people up read the numbers."""
    if reader.holds(*STAFF):
        return list(links)
    return [link.model_copy(update={name: rules.mask_phone(getattr(link, name)) for name in PHONES}) for link in links]


PHONES = ("phone", "stand_in_phone")


async def put(
    tx: Transaction, keys: Keys, worker: Caller, owner: Owner, link_id: UUID, body: LinkIn,
    if_match: frozenset[str] | None,
) -> LinkOut:  # fmt: skip
    """Write a link down, or with a revision change it."""
    if not worker.may_write_in(owner.area):
        raise Refusal(Code.area_not_allowed)
    _refuse(tx, owner, body)
    if if_match is None:
        _refuse_stand_in(tx, None, body)
        return await _add(tx, keys, owner, link_id, body)
    return await _change(tx, owner, link_id, body, if_match)


def _refuse(tx: Transaction, owner: Owner, body: LinkIn) -> None:
    if owner.resident_id and body.person_id == owner.resident_id:
        raise Refusal(Code.malformed, _("不能是本人自己。"), pointer="/person_id")
    if body.kind is LinkKind.guardian and not body.note and not _minor(owner.birth_date, county_day(tx.now)):
        raise Refusal(Code.reason_missing, _("成年人有监护人，请在备注写明缘由。"), pointer="/note")


async def _refuse_left(tx: Transaction, owner: Owner, named: UUID | None) -> None:
    """Refuse a link for somebody who has died or left, and one that newly names them. What was written down before is
    answered as it was, and one that names somebody who has moved away since may still be changed otherwise."""
    if owner.left_on:
        raise Refusal(Code.has_left)
    if named is None:
        return
    # They may live in any cell of the county.
    async with beyond_scope(tx, "link.named", "resident", named, owner.area):
        kept = await merging.standing(tx.conn, tx.county, named)
        left = kept and await queries.lock_left_on(tx.conn, tx.county, kept["id"])
    if left:
        raise Refusal(Code.has_left, _("写的这个人已经去世或迁出。还找得到的，只写姓名和电话。"), pointer="/person_id")


def _refuse_backwards(body: LinkIn) -> None:
    if body.stand_in and body.stand_in.until_day <= body.stand_in.from_day:
        raise Refusal(Code.malformed, _("代的日子写反了：结束要在开始之后。"), pointer="/stand_in/until_day")


def _refuse_stand_in(tx: Transaction, before: dict[str, Any] | None, body: LinkIn) -> None:
    """Refuse days on which nobody can come. A time that has passed since it was written stands as it is."""
    new = body.stand_in
    if new is None or new.model_dump() == before:
        return
    _refuse_backwards(body)
    if new.until_day <= county_day(tx.now):
        raise Refusal(Code.malformed, _("代的日子已经过了，请重新选到哪天。"), pointer="/stand_in/until_day")


def _minor(born: date | None, today: date) -> bool:
    return born is not None and age_on(today, born) < _ADULT


async def _add(tx: Transaction, keys: Keys, owner: Owner, link_id: UUID, body: LinkIn) -> LinkOut:
    op_id = operations.of_put(KIND, link_id)
    content = operations.fingerprint(keys.ledger, f"{KIND}|{owner.resident_id or owner.household_id}", link_id, body)
    if not await operations.repeated(tx, op_id, content, Code.id_taken):
        await _refuse_left(tx, owner, body.person_id)
        row = {
            "county_code": tx.county, "id": link_id, "area_code": owner.area, "received_at": tx.now,
            "household_id": owner.household_id, "resident_id": owner.resident_id, **_columns(tx, body, None),
        }  # fmt: skip
        await _store(queries.add(tx.conn, row))
        tx.settled(operations.applied(op_id, KIND, link_id, content))
        tx.audit(f"link.{body.kind}_added", "link", link_id, owner.area)
        _tell(tx, link_id, owner.area, row["until_day"])
    return await get(tx, owner, link_id)


async def _change(tx: Transaction, owner: Owner, link_id: UUID, body: LinkIn, if_match: frozenset[str]) -> LinkOut:
    present = await get(tx, owner, link_id)
    preconditions.require(if_match, present.rev)
    _refuse_stand_in(tx, stand_in_of(present), body)
    return await _write(tx, owner, present, body)


def changes(present: LinkOut, patch: LinkPatch) -> set[str]:
    """Return the fields that an edit really changes."""
    return {name for name, value in patch.model_dump(exclude_unset=True).items() if value != _of(present, name)}


async def edit(tx: Transaction, worker: Caller, owner: Owner, present: LinkOut, patch: LinkPatch) -> LinkOut:
    """Change the fields that are given of a link as it is now.

    A phone may have been away for longer than the stand-in: that does no harm, and its other fields still count.
    """
    if not worker.may_write_in(owner.area):
        raise Refusal(Code.area_not_allowed)
    body = _as_written(present, patch)
    _refuse(tx, owner, body)
    _refuse_backwards(body)
    return await _write(tx, owner, present, body)


def _as_written(present: LinkOut, patch: LinkPatch) -> LinkIn:
    values: dict[str, Any] = {
        **{name: getattr(present, name) for name in LinkIn.model_fields if name != "stand_in"},
        "stand_in": stand_in_of(present),
        **patch.model_dump(exclude_unset=True),
    }
    try:
        return LinkIn.model_validate(values)
    except ValidationError as error:
        raise Refusal(Code.malformed) from error


async def _write(tx: Transaction, owner: Owner, present: LinkOut, body: LinkIn) -> LinkOut:
    if body.kind is not present.kind:
        raise Refusal(Code.step_not_allowed, _("种类不能改，请另外登记一条。"), pointer="/kind")
    await _refuse_left(tx, owner, body.person_id if body.person_id != present.person_id else None)
    row = _columns(tx, body, present)
    rev = await _store(queries.change(tx.conn, tx.county, present.id, present.rev, row))
    if rev is None:
        raise Refusal(Code.stale)
    written = await get(tx, owner, present.id)
    tx.edited(Edited(present.id, rev, present.area_code, _differing(present, written)))
    tx.audit(f"link.{body.kind}_changed", "link", present.id, present.area_code)
    _tell(tx, present.id, present.area_code, row["until_day"])
    return written


def _differing(before: LinkOut, after: LinkOut) -> list[str]:
    """Return which fields differ: who changed another field of the same link has not been overtaken."""
    return [name for name in LinkIn.model_fields if _of(before, name) != _of(after, name)]


def _of(link: LinkOut, name: str) -> Any:
    return stand_in_of(link) if name == "stand_in" else getattr(link, name)


async def _store(writing: Any) -> Any:
    try:
        return await writing
    except asyncpg.ForeignKeyViolationError as error:
        raise Refusal(Code.resident_not_here, _("登记簿里没有这个人。"), pointer="/person_id") from error
    except asyncpg.CheckViolationError as error:
        raise Refusal(Code.malformed, _("结束的日期要在开始之后。"), pointer="/until_day") from error


def _columns(tx: Transaction, body: LinkIn, present: LinkOut | None) -> dict[str, Any]:
    """A day of beginning that is left out is the one already written, else today."""
    began = present.from_day if present else county_day(tx.now)
    stand_in = body.stand_in.model_dump() if body.stand_in else None
    return {
        "kind": body.kind, "helper": body.helper, "name": body.name, "phone": body.phone, "relation": body.relation,
        "rank": body.order, "person_id": body.person_id, "from_day": body.from_day or began,
        "until_day": body.until_day or FOREVER, "note": body.note, "account_id": tx.caller.account_id,
        **as_columns({"stand_in": stand_in}),
    }  # fmt: skip


async def end(
    tx: Transaction, worker: Caller, owner: Owner, link_id: UUID, on: date | None, if_match: frozenset[str] | None
) -> None:
    """End a link on a day, today unless another is named. One that would end before it began is taken off."""
    if not worker.may_write_in(owner.area):
        raise Refusal(Code.area_not_allowed)
    present = await get(tx, owner, link_id)
    preconditions.require(if_match, present.rev)
    on = on or county_day(tx.now)
    if not await _end(tx, present, on):
        raise Refusal(Code.stale)


async def _end(tx: Transaction, present: LinkOut, on: date) -> bool:
    """End it and say so; False when it has moved on since it was read."""
    if not await _ended(tx, present, on):
        return False
    tx.audit(f"link.{present.kind}_ended", "link", present.id, present.area_code, on=on.isoformat())
    _tell(tx, present.id, present.area_code, on)
    return True


async def _ended(tx: Transaction, present: LinkOut, on: date) -> bool:
    if on <= present.from_day:
        return await queries.remove(tx.conn, tx.county, present.id, present.rev)
    rev = await queries.change(tx.conn, tx.county, present.id, present.rev, {"until_day": on})
    if rev:
        tx.edited(Edited(present.id, rev, present.area_code, ["until_day"]))
    return rev is not None


def _tell(tx: Transaction, link_id: UUID, area: str, until: date) -> None:
    tx.changed(EntityKind.link, link_id, area, gone=until <= county_day(tx.now))


async def get(tx: Transaction, owner: Owner, link_id: UUID) -> LinkOut:
    """Return a link as its owner's; the id of somebody else's is not found here."""
    found = (await queries.links_by_ids(tx.conn, tx.county, [link_id])).get(link_id)
    if found is None or not await _is_of(tx, owner, found):
        raise Refusal(Code.not_found)
    return found


async def _is_of(tx: Transaction, owner: Owner, link: LinkOut) -> bool:
    if owner.resident_id is None:
        homes = await folding.homes_of(tx.conn, tx.county, owner.household_id)
        return link.household_id in homes and link.resident_id is None
    return link.resident_id in await merging.rows_of(tx.conn, tx.county, owner.resident_id)


async def follow(tx: Transaction, resident_ids: Sequence[UUID], household_id: UUID, area: str) -> None:
    """Let people's own links go with them to another household; those of the household they left stay there."""
    for link_id, left in await queries.follow(tx.conn, tx.county, resident_ids, household_id, area):
        if left != area:
            tx.changed(EntityKind.link, link_id, left, gone=True)
        tx.changed(EntityKind.link, link_id, area)


async def arrived(tx: Transaction, arrivals: Sequence[moves.Arrival]) -> None:
    """Follow people who have arrived in another household; where their links lie the receiving worker cannot see."""
    homes: dict[tuple[UUID, str], list[UUID]] = {}
    for one in arrivals:
        homes.setdefault((one.household_id, one.area_code), []).append(one.resident_id)
    for (household_id, area), people in homes.items():
        async with beyond_scope(tx, "link.followed", "household", household_id, area):
            await follow(tx, people, household_id, area)


async def let_go_of_the_dead(tx: Transaction, leavers: Sequence[events.Leaver]) -> None:
    """End what names somebody who has died as guardian, helper or whom to call: nobody shall ring them up, and a child
    whose guardian they were stands without one. Whose links these are may live in any cell of the county."""
    for dead in (one for one in leavers if one.died):
        async with beyond_scope(tx, "link.let_go", "resident", dead.resident_id, tx.county):
            rows = await merging.rows_of(tx.conn, tx.county, dead.resident_id)
            today = county_day(tx.now)
            for link in await queries.lock_naming(tx.conn, tx.county, rows, today):
                await _end(tx, link, today)
