"""What a change of the register does on this phone at once, before the server has heard of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from mobile.residents.rules import in_family_order
from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.auth import MeOut
from shared.register import EventIn, EventKind, EventOut
from shared.residents import Care, HouseholdIn, HouseholdOut, Residency, ResidentIn, ResidentOut
from shared.sync import EntityKind

ENDS = (EventKind.death, EventKind.move_out)
BEGINS = (EventKind.birth, EventKind.move_in)
RESIDENCY_AFTER = {EventKind.settle: Residency.living, EventKind.float: Residency.floating}


def household_row(household_id: UUID, new: HouseholdIn, now: datetime) -> HouseholdOut:
    """A household as it will come back once the server has it."""
    place = new.position
    return HouseholdOut(
        id=household_id,
        area_code=new.cell_code,
        **new.model_dump(include={"compound", "building", "unit", "room"}),
        lon=place.lon if place else None,
        lat=place.lat if place else None,
        head_name="",
        size=0,
        care=[],
        last_visited_on=None,
        last_seen_on=None,
        tries_since_seen=0,
        due_on=None,
        due_reason="",
        rev=1,
        received_at=now,
    )


def resident_row(resident_id: UUID, new: ResidentIn, area_code: str, now: datetime) -> ResidentOut:
    values = new.model_dump(exclude={"id_number"})
    on_file = new.id_number is not None
    return ResidentOut(**values, id=resident_id, area_code=area_code, id_on_file=on_file, rev=1, received_at=now)


def put_household(row: HouseholdOut) -> list[Effect]:
    return [Effect(EntityKind.household, row.id, as_json(row), whole=True)]


def put_residents(store: Store, rows: Sequence[ResidentOut]) -> list[Effect]:
    """New people of one household, and what it adds up to with them."""
    new = [Effect(EntityKind.resident, row.id, as_json(row), whole=True) for row in rows]
    return [*new, *_sums(store, rows[0].household_id, came=rows)]


def take_off(store: Store, row: ResidentOut) -> list[Effect]:
    """Somebody who is in no list any more, and what their household adds up to without them."""
    gone = Effect(EntityKind.resident, row.id, None, parent=row.household_id)
    return [gone, *_sums(store, row.household_id, went={row.id})]


def edit_resident(store: Store, before: ResidentOut, after: ResidentOut, fields: Iterable[str]) -> list[Effect]:
    patch = {name: value for name, value in as_json(after).items() if name in set(fields)}
    changed = Effect(EntityKind.resident, before.id, patch, parent=before.household_id)
    return [changed, *_sums(store, before.household_id, came=[after], went={before.id})]


def register_event(
    store: Store, me: MeOut, event_id: UUID, event: EventIn, people: Sequence[ResidentOut], now: datetime
) -> list[Effect]:
    """The event stands in the household's history at once; whoever left is gone from its list, whoever came is there.

    `people` are those it is about; of a birth or a move in, the new one.
    """
    home_id = people[0].household_id
    history = _history(me, event_id, event, people, now)
    if event.kind in ENDS:
        gone = [Effect(EntityKind.resident, one.id, None, parent=home_id) for one in people]
        return [history, *gone, *_sums(store, home_id, went={one.id for one in people})]
    if event.kind in BEGINS:
        return [history, *put_residents(store, people)]
    after = {"residency": RESIDENCY_AFTER[event.kind].value}
    return [history, *(Effect(EntityKind.resident, one.id, after, parent=home_id) for one in people)]


def _history(me: MeOut, event_id: UUID, event: EventIn, people: Sequence[ResidentOut], now: datetime) -> Effect:
    row = EventOut(
        id=event_id,
        area_code=people[0].area_code,
        kind=event.kind,
        on=event.on,
        resident_ids=[one.id for one in people],
        names=[one.name for one in people],
        note=event.note,
        noted_by=me.display_name,
        received_at=now,
    )
    return Effect(EntityKind.register_event, event_id, as_json(row), whole=True, parent=people[0].household_id)


def _sums(
    store: Store, household_id: UUID, came: Sequence[ResidentOut] = (), went: Iterable[UUID] = ()
) -> list[Effect]:
    """What a household adds up to once these have come and gone. An empty one stays as a door nobody is due at."""
    left = set(went)
    stay = [one for one in store.entities.all(ResidentOut, household_id) if one.id not in left]
    members = in_family_order([*stay, *came])
    care = {label for one in members for label in one.care}
    patch: dict[str, Any] = {
        "head_name": members[0].name if members else "",
        "size": len(members),
        "care": [label.value for label in Care if label in care],
    }
    if not members:
        patch |= {"due_on": None, "due_reason": ""}
    return [Effect(EntityKind.household, household_id, patch)]
