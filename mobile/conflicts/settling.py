"""Deciding on the phone: shown at once, taken back for ten seconds, sent like anything else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from mobile.residents import effects
from mobile.store.entities import Effect, as_json
from mobile.store.outbox import Entry, State
from mobile.store.store import Store
from shared.conflicts import ConflictChoice, ConflictOut, ConflictSettleIn
from shared.links import LinkOut, LinkPatch, as_columns
from shared.residents import ResidentOut
from shared.sync import EntityKind, OperationKind

WRITTEN = (ConflictChoice.mine, ConflictChoice.both)


def settle(store: Store, item: ConflictOut, choice: ConflictChoice, title: str, hold: timedelta) -> UUID:
    """Keep a decision; it takes the place of an earlier one about the same item that came back."""
    earlier = next((one for one in returned(store) if one.entity_id == item.id), None)
    return store.outbox.capture(
        OperationKind.conflict_settle,
        item.id,
        ConflictSettleIn(choice=choice).model_dump(mode="json"),
        [Effect(EntityKind.conflict, item.id, None), *_written(store, item, choice)],
        title=title,
        hold=hold,
        replaces=earlier.op_id if earlier else None,
        base_rev=item.rev,
        base={"op_id": str(item.op_id)},
    )


def returned(store: Store) -> list[Entry]:
    """Decisions that the server did not take."""
    return [one for one in store.outbox.entries(State.refused) if one.kind == OperationKind.conflict_settle]


def decided(store: Store) -> set[UUID]:
    """Operations about which this phone has decided: their authors need not be asked again."""
    made = store.outbox.of_kind(OperationKind.conflict_settle)
    return {UUID(one.base["op_id"]) for one in made if one.base and one.state is not State.refused}


def _written(store: Store, item: ConflictOut, choice: ConflictChoice) -> list[Effect]:
    """A person's page shows the value at once; what else a late operation does comes with the next pull."""
    link = store.entities.get(LinkOut, item.entity_id) if item.entity_id else None
    if link is not None and item.kind == OperationKind.link_edit and choice is ConflictChoice.mine:
        late = {one.field: one.mine for one in item.fields if one.field in LinkPatch.model_fields}
        return [Effect(EntityKind.link, link.id, as_columns(late), parent=link.household_id)]
    row = store.entities.get(ResidentOut, item.entity_id) if item.entity_id else None
    if row is None or item.kind != OperationKind.resident_edit or choice not in WRITTEN:
        return []
    fields = {one.field: one.mine for one in item.fields if one.field in ResidentOut.model_fields}
    if choice is ConflictChoice.both:
        fields["note"] = f"{row.note}\n{fields['note']}"
    return _edited(store, row, fields)


def _edited(store: Store, row: ResidentOut, fields: dict[str, Any]) -> list[Effect]:
    try:
        after = ResidentOut.model_validate({**as_json(row), **fields})
    except ValidationError:
        return []  # written by an app that knows more values than this one
    return effects.edit_resident(store, row, after, fields)
