"""A person together with the rows that were merged into theirs: what is known of them is known of the person."""

from uuid import UUID

from mobile.residents import homes
from mobile.store.entities import Entities, Entity
from shared.residents import MergedRow, MergedRows, ResidentOut


def into(entities: Entities, resident_id: UUID) -> list[MergedRow]:
    """The rows merged into this one."""
    known = entities.get(MergedRows, resident_id)
    return known.merged if known else []


def rows_of(entities: Entities, resident_id: UUID) -> set[UUID]:
    """Its own id and theirs."""
    return {resident_id, *(row.id for row in into(entities, resident_id))}


def standing(entities: Entities, resident_id: UUID) -> ResidentOut | None:
    """The person's own row, or the one that it was merged into."""
    found = entities.get(ResidentOut, resident_id)
    if found is not None:
        return found
    kept = (one for one, (rows,) in entities.fields(MergedRows, "merged").items() if rows)
    return next((entities.get(ResidentOut, one) for one in kept if resident_id in rows_of(entities, UUID(one))), None)


def all_of(entities: Entities, model: type[Entity], person: ResidentOut) -> list[Entity]:
    """Every row of a kind that belongs to the person's household, or to one in which they stand a second time."""
    own = homes.homes_of(entities, person.household_id)
    others = [row.household_id for row in into(entities, person.id)]
    return [row for home in dict.fromkeys([*own, *others]) for row in entities.all(model, home)]
