"""Where a door goes when boundaries change. No database, no clock."""

from collections.abc import Collection
from typing import NamedTuple

from shared.grid import WhyUndecided


class Ground(NamedTuple):
    """The cells that a position lies in, by the present boundaries and by the new ones."""

    before: str | None
    after: str | None


class Placement(NamedTuple):
    """Where something goes, and why a person should look at that."""

    area: str
    why: WhyUndecided | None = None


def place(area: str, ground: Ground | None, touched: Collection[str]) -> Placement:
    """Say where something registered in an area goes.

    It moves only when the ground under it does: who is registered in one cell and stands on the ground of another
    stays, and who lives in an untouched cell is left alone. Ground that nobody had takes whoever stands on it.
    """
    if ground is None:
        return Placement(area, WhyUndecided.no_position if area in touched else None)
    if ground.before is None or ground.before == area:
        if ground.after is None:
            return Placement(area, WhyUndecided.outside if area in touched else None)
        return Placement(ground.after)
    if area in touched and ground.after != area:
        return Placement(area, WhyUndecided.disagrees)
    return Placement(area)


def settled(placement: Placement, decided: str | None, closed: Collection[str], community: str) -> str:
    """Return where it goes in the end. What nobody decided stays, or falls to the community with its closed cell."""
    if placement.why is None:
        return placement.area
    if decided is not None:
        return decided
    return community if placement.area in closed else placement.area
