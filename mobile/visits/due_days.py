"""The county's own intervals between visits, as the feed brought them: the phone counts as the server does."""

from mobile.store.entities import KINDS
from mobile.store.store import Store
from shared.sync import EntityKind
from shared.visiting import USUAL, DueDaysOut, Intervals

KINDS[DueDaysOut] = EntityKind.due_days


def due_days(store: Store) -> Intervals:
    """Return what holds in the county; the usual days where it has set none."""
    return next(iter(store.entities.all(DueDaysOut)), USUAL)
