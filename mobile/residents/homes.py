"""A household together with those that a merge has folded into it: what is known of them is known of it."""

from uuid import UUID

from mobile.store.entities import Entities, Entity
from shared.residents import FoldedHomes, HouseholdOut


def all_of(entities: Entities, model: type[Entity], household_id: UUID) -> list[Entity]:
    """Every row of a kind that belongs to a household or to one folded into it."""
    return [row for home in homes_of(entities, household_id) for row in entities.all(model, home)]


def homes_of(entities: Entities, household_id: UUID) -> list[UUID]:
    """Its own id and theirs. One that this phone holds a row of again stands for itself."""
    known = entities.get(FoldedHomes, household_id)
    folded = known.folded if known else []
    return [household_id, *(one for one in folded if entities.get(FoldedHomes, one) is None)]


def standing(entities: Entities, household_id: UUID) -> HouseholdOut | None:
    """The household itself, or the one that it was folded into."""
    found = entities.get(HouseholdOut, household_id)
    if found is not None:
        return found
    kept = (home for home, (folded,) in entities.fields(FoldedHomes, "folded").items() if folded)
    return next(
        (entities.get(HouseholdOut, home) for home in kept if household_id in homes_of(entities, UUID(home))), None
    )
