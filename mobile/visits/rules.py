"""What follows from a visit on the phone, until the server's own word on it arrives; and which door is next."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from mobile.core import texts
from mobile.device.ports import DeviceFix
from mobile.grid.rules import LonLat, metres
from mobile.visits.asked import Asked
from shared import visiting
from shared.residents import Care, HouseholdOut
from shared.rounds import PROMISED, RoundEntry
from shared.texts import _
from shared.visits import Evidence, Fix

RETURN_DAYS = {"tomorrow": 1, "in_3": 3, "in_7": 7}
HELPLESS = {Care.needs_care, Care.discharged, Care.minor_alone, Care.frail}
LONELY = {Care.alone, Care.left_behind, Care.empty_nest, Care.bereaved, Care.medication}


@dataclass(frozen=True, slots=True)
class Witness:
    """How far the fix lies from the door, and what that is worth."""

    distance_m: int | None
    evidence: Evidence


def draft_key(household_id: UUID) -> str:
    """Where the unfinished form of a household is kept."""
    return f"visit|{household_id}"


def return_day(choice: str, today: date) -> date | None:
    """The day that was agreed; 照常 leaves it to the usual rhythm."""
    return today + timedelta(days=RETURN_DAYS[choice]) if choice in RETURN_DAYS else None


def wire_fix(fix: DeviceFix | None, now: datetime) -> Fix | None:
    """The fix as it is sent, with its age: what an old one is worth is for the reader to grade."""
    if fix is None:
        return None
    age = max(0, round((now - fix.taken_at).total_seconds()))
    return Fix(lon=fix.lon, lat=fix.lat, accuracy_m=fix.accuracy_m, age_s=age, mock=fix.mock)


def witness(fix: Fix | None, household: HouseholdOut) -> Witness:
    """Grade a fix for its readers, as the server will; it never decides whether a visit counts."""
    distance = distance_m(fix, household)
    return Witness(distance, visiting.evidence(fix, distance))


def distance_m(fix: Fix | DeviceFix | None, household: HouseholdOut) -> int | None:
    """Metres from the fix to the door, when both are known."""
    if fix is None or household.lon is None or household.lat is None:
        return None
    return round(metres((fix.lon, fix.lat), (household.lon, household.lat)))


def place_line(fix: DeviceFix, household: HouseholdOut) -> str:
    """离这户 12 米 · 误差 8 米"""
    distance = distance_m(fix, household)
    parts = [_("离这户 {distance}").format(distance=texts.distance(distance))] if distance is not None else []
    parts.append(_("误差 {distance}").format(distance=texts.distance(fix.accuracy_m)))
    if fix.mock:
        parts.append(_("模拟定位"))
    return " · ".join(parts)


def to_see(households: Iterable[HouseholdOut], today: date, asked: Asked) -> list[HouseholdOut]:
    """Doors that rules ask for, or that are due by tomorrow and were not visited today; the longest overdue first."""
    last = last_due(today)

    def is_due(household: HouseholdOut) -> bool:
        due = household.due_on is not None and household.due_on <= last and household.last_visited_on != today
        return due or household.id in asked

    def place(household: HouseholdOut) -> tuple[date, str, str, str]:
        due = due_on(household, today, asked.get(household.id))
        return due, household.building, household.unit, household.room

    return sorted(filter(is_due, households), key=place)


def last_due(today: date) -> date:
    """What is due tomorrow may be done today."""
    return today + timedelta(days=1)


def due_on(household: HouseholdOut, today: date, entry: RoundEntry | None) -> date:
    return entry.due_on if entry else household.due_on or today


def risk(household: HouseholdOut) -> int:
    """How much may go wrong behind a door nobody looks at: 2 for who cannot do without others, 1 for who has nobody."""
    care = set(household.care)
    return 2 if care & HELPLESS or {Care.alone, Care.medication} <= care else 1 if care & LONELY else 0


def suggested(
    households: Sequence[HouseholdOut], today: date, asked: Asked, start: LonLat | None
) -> list[HouseholdOut]:
    """The order of a round: rules first, then overdue before due before tomorrow, then the greater risk, and what is
    alike in all of these along the way from where the worker stands. `households` as `to_see` gives them."""

    def pressing(household: HouseholdOut) -> tuple[int, int, int]:
        entry = asked.get(household.id)
        due = due_on(household, today, entry)
        stage = (due >= today) + (due > today)
        return entry.priority if entry else PROMISED, stage, -risk(household)

    ordered: list[HouseholdOut] = []
    for _alike, doors in groupby(sorted(households, key=pressing), key=pressing):
        stood = [one for one in reversed(ordered) if one.lon is not None and one.lat is not None]
        ordered += along_the_way(list(doors), _place(stood[0]) if stood else start)
    return ordered


def along_the_way(households: Sequence[HouseholdOut], start: LonLat | None) -> list[HouseholdOut]:
    """Always the nearest door next, and of one stairwell the first given. Doors without a place come last."""
    left = [h for h in households if h.lon is not None and h.lat is not None]
    nowhere = [h for h in households if h.lon is None or h.lat is None]
    here, ordered = start, []
    while left:
        ordered.append(left.pop(_nearest(left, here) if here else 0))
        here = _place(ordered[-1])
    return ordered + nowhere


def _nearest(households: Sequence[HouseholdOut], here: LonLat) -> int:
    """Which of them. The square of the way orders them as the way itself does, and hundreds may be due."""
    (lon, lat), narrow = here, math.cos(math.radians(here[1])) ** 2
    ways = (((h.lon or 0.0) - lon, (h.lat or 0.0) - lat, place) for place, h in enumerate(households))
    return min((east * east * narrow + north * north, place) for east, north, place in ways)[1]


def _place(household: HouseholdOut) -> LonLat:
    return (household.lon or 0.0, household.lat or 0.0)


def why(household: HouseholdOut, today: date, entry: RoundEntry | None) -> str:
    if entry and entry.reasons:
        return _("；").join(entry.reasons)
    return household.due_reason or texts.days_unseen(household.last_seen_on, today)
