"""The register as it was on a past day, a person's history, and corrections of what is known of the past."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.handover import beyond_scope
from backend.core.paging import Page, PageParams, encode_cursor
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.grid import service as grid
from backend.residents import (
    door_queries,
    event_queries,
    history,
    history_queries,
    merging,
    periods,
    present,
    queries,
    rules,
    twins,
)
from backend.residents import service as residents
from backend.residents.history import CARE, YES, Tracks
from backend.residents.present import Left
from shared.errors import Code
from shared.register import CountsOut, HistoryOut, PeriodCorrectIn, Track
from shared.residents import Care, HouseholdOut, Relation, Residency, ResidentOut
from shared.sync import EntityKind
from shared.texts import _

_WORDS = {Track.residency: frozenset(Residency), Track.relation: frozenset(Relation)}


async def counts(tx: Transaction, reader: Caller, area: str | None, day: date | None) -> CountsOut:
    """Count an area on a day, today if none is said."""
    day, area = _past(tx, day or county_day(tx.now)), await grid.area_to_list(tx, reader, area)
    known = await twins.on_day(tx, area, day)
    return await history_queries.counts(tx.conn, tx.county, area, day, known.left_out)


def _past(tx: Transaction, day: date) -> date:
    if day > county_day(tx.now):
        raise Refusal(Code.in_the_future, pointer="/as_at")
    return day


async def listed(
    tx: Transaction,
    reader: Caller,
    area: str | None,
    household_id: UUID | None,
    text: str | None,
    day: date,
    page: PageParams,
) -> Page[ResidentOut]:
    """List who belonged to an area on a day, with the values of that day. Names and numbers are those of today."""
    day, area = await _asked(tx, reader, area, text, day)
    known = await twins.on_day(tx, area, day)
    rows = await history_queries.members_on(
        tx.conn, tx.county, area, day, household_id, page.after, page.limit + 1, known.left_out
    )
    items = rows[: page.limit]
    people = await _people(tx, area, [row["resident_id"] for row in items], day, known)
    more = encode_cursor(items[-1]["noted_at"], items[-1]["resident_id"]) if len(rows) > page.limit else None
    return Page(items=[residents.seen_by(reader, person) for person in people], next_cursor=more)


async def _asked(tx: Transaction, reader: Caller, area: str | None, text: str | None, day: date) -> tuple[date, str]:
    if text:
        raise Refusal(Code.malformed, _("过去的某一天不能按字查。"), pointer="/q")
    return _past(tx, day), await grid.area_to_list(tx, reader, area)


async def homes(
    tx: Transaction, reader: Caller, area: str | None, text: str | None, day: date, page: PageParams
) -> Page[HouseholdOut]:
    """List the households of an area on a day: who was there, behind which door. Nothing was due then any more."""
    day, area = await _asked(tx, reader, area, text, day)
    known = await twins.on_day(tx, area, day)
    rows = await history_queries.homes_on(tx.conn, tx.county, area, day, page.after, page.limit + 1, known.left_out)
    ids = [row["id"] for row in rows[: page.limit]]
    found, doors = await _homes(tx, area, ids, day)
    members = await history_queries.members_of(tx.conn, tx.county, area, day, ids, known.left_out)
    living: dict[UUID, list[ResidentOut]] = {}
    for person in await _people(tx, area, members, day, known):
        living.setdefault(person.household_id, []).append(person)
    items = [
        _home_then(found[one], living[one], doors.get(one, {}), day) for one in ids if one in found and one in living
    ]
    more = encode_cursor(rows[page.limit - 1]["noted_at"], ids[-1]) if len(rows) > page.limit else None
    return Page(items=items, next_cursor=more)


async def _homes(
    tx: Transaction, area: str, ids: list[UUID], day: date
) -> tuple[dict[UUID, HouseholdOut], Mapping[UUID, Mapping[str, Any]]]:
    found = await queries.folded_too(tx.conn, tx.county, ids)
    if len(found) == len(ids):
        return found, await door_queries.doors_on(tx.conn, tx.county, ids, day)
    # Some belong to another area by now, as people may.
    async with beyond_scope(tx, "households.read_as_at", "area", UUID(int=0), area, day=str(day)):
        found = await queries.folded_too(tx.conn, tx.county, ids)
        return found, await door_queries.doors_on(tx.conn, tx.county, ids, day)


def _home_then(home: HouseholdOut, people: Sequence[ResidentOut], door: Mapping[str, Any], day: date) -> HouseholdOut:
    there = sorted(people, key=lambda one: (one.received_at, one.id))
    sums = rules.add_up([rules.Member(one.name, one.relation, one.care) for one in there])
    seen = {name: at if (at := getattr(home, name)) and at <= day else None for name in _SEEN}
    return home.model_copy(
        update={
            "area_code": there[0].area_code, **sums._asdict(), **seen,
            **{name: value for name, value in door.items() if name != "household_id"},
            "tries_since_seen": 0, "due_on": None, "due_reason": "",
        }
    )  # fmt: skip


_SEEN = ("last_visited_on", "last_seen_on")


async def _people(tx: Transaction, area: str, ids: list[UUID], day: date, known: twins.Twins) -> list[ResidentOut]:
    """Return people as they were: of one who has several rows, the row that was kept with what another said then."""
    names = [known.kept.get(one, one) for one in ids]
    found = await queries.residents_by_ids(tx.conn, tx.county, names)
    if len(found) < len(ids):
        # Some have moved on since. They belonged here then and are shown as they were here; the look is written down.
        async with beyond_scope(tx, "residents.read_as_at", "area", UUID(int=0), area, day=str(day)):
            found = await queries.residents_by_ids(tx.conn, tx.county, names)
    book = await history.read(tx, ids)
    return [_as_at(found[name], book.tracks(one), day) for name, one in zip(names, ids, strict=True) if name in found]


def _as_at(person: ResidentOut, tracks: Tracks, day: date) -> ResidentOut:
    then = present.said_by(tracks, day)
    if then is None:
        return person
    return ResidentOut.model_validate({**person.model_dump(), **then._asdict()})


async def told(tx: Transaction, resident_id: UUID) -> HistoryOut:
    """Return a person's periods and events, as far as they lie in the reader's area."""
    await residents.get(tx, resident_id)
    rows = await merging.rows_of(tx.conn, tx.county, resident_id)
    return HistoryOut(
        periods=await history_queries.history(tx.conn, tx.county, rows),
        events=await event_queries.of_person(tx.conn, tx.county, rows),
    )


async def correct(tx: Transaction, coordinator: Caller, resident_id: UUID, body: PeriodCorrectIn) -> HistoryOut:
    """Put an interval of a track right. Sending it again changes nothing."""
    if body.track == Track.household and body.value:
        await _lock_home(tx, body.value)
    row = next(iter(await history_queries.lock_people(tx.conn, tx.county, [resident_id])), None)
    if row is None:
        raise Refusal(Code.not_found)
    if not coordinator.may_write_in(row["area_code"]):
        raise Refusal(Code.area_not_allowed)
    first, last = _interval(tx, row, body)
    await _refuse_value(tx, row, body)
    book = await history.read(tx, [resident_id])
    tracks = book.tracks(resident_id)
    where = tracks.get(Track.household, [])
    put = periods.pieces(body.value, where, row["area_code"], first, last) if body.value else []
    tracks[body.track] = periods.corrected(tracks.get(body.track, []), put, first, last)
    left = Left(row["left_on"], row["left_by"]) if row["left_on"] else None
    await present.follow(tx, [row], book, {resident_id: tracks}, left)
    tx.changed(EntityKind.resident, resident_id, row["area_code"], gone=left is not None)
    tx.audit("register.corrected", "resident", resident_id, row["area_code"], track=body.track, reason=body.reason)
    return await told(tx, resident_id)


def _interval(tx: Transaction, row: asyncpg.Record, body: PeriodCorrectIn) -> tuple[date, date]:
    """Return the interval; of somebody who has left it ends the day they left."""
    today = county_day(tx.now)
    if body.from_day > today or (body.until_day and body.until_day > today):
        raise Refusal(Code.in_the_future, pointer="/until_day" if body.until_day else "/from_day")
    last = min(body.until_day or periods.FOREVER, row["left_on"] or periods.FOREVER)
    if body.from_day >= last:
        raise Refusal(Code.malformed, _("开始要早于结束。"), pointer="/from_day")
    return body.from_day, last


async def _refuse_value(tx: Transaction, row: asyncpg.Record, body: PeriodCorrectIn) -> None:
    if body.track == Track.household and body.value:
        home = await queries.household(tx.conn, tx.county, UUID(body.value))
        if home is None or home.area_code != row["area_code"]:
            raise Refusal(Code.household_not_here, pointer="/value")
    if body.track.startswith(CARE) and body.track.removeprefix(CARE) not in set(Care):
        raise Refusal(Code.malformed, _("没有这个关爱标签。"), pointer="/track")
    known = {YES} if body.track.startswith(CARE) else _WORDS.get(Track(body.track.partition(":")[0]))
    if body.value and known is not None and body.value not in known:
        raise Refusal(Code.malformed, pointer="/value")


async def _lock_home(tx: Transaction, value: str) -> None:
    try:
        await queries.lock_household(tx.conn, tx.county, UUID(value))
    except ValueError as error:
        raise Refusal(Code.malformed, pointer="/value") from error
