"""Changing the head of a household, as one action: what everybody is to the new head is asked for, never guessed."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from backend.core import preconditions
from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.transaction import Edited, Transaction
from backend.residents import history, households, periods
from shared.errors import Code
from shared.links import HeadIn
from shared.register import Track
from shared.residents import HouseholdOut, Relation
from shared.sync import EntityKind
from shared.texts import _

_HEADS = frozenset({Relation.self_, Relation.head})


async def change(
    tx: Transaction, worker: Caller, household_id: UUID, body: HeadIn, if_match: frozenset[str] | None
) -> HouseholdOut:
    """Make somebody head. Everybody else of the household is named, and nobody of them is head as well."""
    members = await _lock_members(tx, household_id)
    present = await households.get(tx, household_id)
    if not worker.may_write_in(present.area_code):
        raise Refusal(Code.area_not_allowed)
    preconditions.require(if_match, present.rev)
    _refuse(body, set(members), county_day(tx.now))
    wanted = {body.head_id: Relation.head, **body.relations}
    changed = {one: relation for one, relation in wanted.items() if members[one] != relation}
    await _write(tx, changed, present.area_code, body.on)
    await households.add_up(tx, household_id, present.area_code)
    tx.audit("household.head_changed", "household", household_id, present.area_code, head=str(body.head_id))
    return await households.get(tx, household_id)


async def _lock_members(tx: Transaction, household_id: UUID) -> dict[UUID, str]:
    await tx.conn.execute(
        "SELECT 1 FROM household WHERE county_code = $1 AND id = $2 FOR UPDATE", tx.county, household_id
    )
    rows = await tx.conn.fetch(
        "SELECT id, relation FROM resident WHERE county_code = $1 AND household_id = $2 AND left_on IS NULL"
        " AND merged_into IS NULL ORDER BY id FOR UPDATE",
        tx.county, household_id,
    )  # fmt: skip
    return {row["id"]: row["relation"] for row in rows}


def _refuse(body: HeadIn, members: set[UUID], today: date) -> None:
    if body.head_id not in members:
        raise Refusal(Code.resident_not_here, pointer="/head_id")
    if body.head_id in body.relations or _HEADS & set(body.relations.values()):
        raise Refusal(Code.one_head, pointer="/relations")
    if set(body.relations) - members:
        raise Refusal(Code.resident_not_here, pointer="/relations")
    if members - set(body.relations) - {body.head_id}:
        raise Refusal(Code.relations_missing, pointer="/relations")
    if body.on > today:
        raise Refusal(Code.in_the_future, pointer="/on")


async def _write(tx: Transaction, changed: Mapping[UUID, Relation], area: str, on: date) -> None:
    await _write_periods(tx, changed, area, on)
    # The old head first: at no moment does a household have two.
    for heads in (False, True):
        turn = {one: relation for one, relation in changed.items() if (relation is Relation.head) is heads}
        for row in await _set(tx, list(turn), list(turn.values())):
            tx.edited(Edited(row["id"], row["rev"], area, ["relation"]))
            tx.changed(EntityKind.resident, row["id"], area)


async def _set(tx: Transaction, ids: Sequence[UUID], relations: Sequence[Relation]) -> list[asyncpg.Record]:
    rows: list[asyncpg.Record] = await tx.conn.fetch(
        "UPDATE resident r SET relation = w.relation, rev = r.rev + 1"
        " FROM unnest($2::uuid[], $3::text[]) AS w(id, relation)"
        " WHERE r.county_code = $1 AND r.id = w.id RETURNING r.id, r.rev",
        tx.county, ids, relations,
    )  # fmt: skip
    return rows


async def _write_periods(tx: Transaction, changed: Mapping[UUID, Relation], area: str, on: date) -> None:
    book = await history.read(tx, list(changed))
    wanted = {}
    for person, relation in changed.items():
        tracks = book.tracks(person)
        known = tracks.get(Track.relation, [])
        if any(span.from_day > on for span in known):
            raise Refusal(Code.step_not_allowed, _("那天之后家庭关系又变过，请用更晚的日期。"), pointer="/on")
        tracks[Track.relation] = periods.from_day_on(known, relation, area, on)
        wanted[person] = tracks
    await history.write(tx, book, wanted)
