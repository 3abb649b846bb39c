"""What follows from a visit on the phone, until the server's own word on it arrives; and which door is next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from mobile.core import texts
from mobile.device.ports import DeviceFix
from mobile.grid.rules import LonLat, metres
from shared.residents import CARE_WORDS, Care, HouseholdOut
from shared.visits import FINDING_WORDS, Evidence, Finding, Fix, VisitIn, VisitOutcome

USUAL_DAYS, CARE_DAYS, WORRY_DAYS, RETRY_DAYS, DECLINED_DAYS = 60, 14, 7, 7, 90
MET = (VisitOutcome.seen, VisitOutcome.family)
RETURN_DAYS = {"tomorrow": 1, "in_3": 3, "in_7": 7}
DOOR_M, NEAR_M, VAGUE_M, STALE_S = 50, 300, 200, 600
OLDEST_FIX_S = 86_400


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


def next_due(visit: VisitIn, care: Sequence[Care], day: date) -> tuple[date | None, str]:
    """When to go again and why: the server's own rule, so that its answer changes nothing on the screen."""
    worries = "、".join(FINDING_WORDS[finding] for finding in visit.findings if finding is not Finding.fine)
    if visit.return_on is not None and visit.return_on > day:
        return visit.return_on, f"上次{worries}，约好这天再来" if worries else "约好这天再来"
    if visit.outcome is VisitOutcome.moved:
        return None, "说已搬走，等核实"
    if visit.outcome is VisitOutcome.declined:
        return day + timedelta(days=DECLINED_DAYS), "上次不愿意见，过一阵再去"
    if visit.outcome is VisitOutcome.absent:
        return day + timedelta(days=RETRY_DAYS), "上次家中无人，再去一次"
    return _usual_due(worries, care, day)


def _usual_due(worries: str, care: Sequence[Care], day: date) -> tuple[date, str]:
    if worries:
        return day + timedelta(days=WORRY_DAYS), f"上次{worries}，去看看好些没有"
    if care:
        words = "、".join(CARE_WORDS[item] for item in sorted(care))
        return day + timedelta(days=CARE_DAYS), f"{words}，每 {CARE_DAYS} 天看一次"
    return day + timedelta(days=USUAL_DAYS), f"每 {USUAL_DAYS} 天走一遍"


def wire_fix(fix: DeviceFix | None, now: datetime) -> Fix | None:
    """The fix as it is sent. A day-old one says nothing about this visit."""
    if fix is None:
        return None
    age = max(0, round((now - fix.taken_at).total_seconds()))
    if age > OLDEST_FIX_S:
        return None
    return Fix(lon=fix.lon, lat=fix.lat, accuracy_m=min(fix.accuracy_m, 100_000), age_s=age, mock=fix.mock)


def witness(fix: Fix | None, household: HouseholdOut) -> Witness:
    """Grade a fix for its readers, as the server will; it never decides whether a visit counts."""
    distance = distance_m(fix, household)
    if fix is None:
        return Witness(distance, Evidence.none)
    if fix.mock:
        return Witness(distance, Evidence.mock)
    if distance is None or fix.accuracy_m > VAGUE_M or fix.age_s > STALE_S:
        return Witness(distance, Evidence.vague)
    if distance <= max(DOOR_M, fix.accuracy_m + 30):
        return Witness(distance, Evidence.at_door)
    return Witness(distance, Evidence.near if distance <= NEAR_M else Evidence.far)


def distance_m(fix: Fix | DeviceFix | None, household: HouseholdOut) -> int | None:
    """Metres from the fix to the door, when both are known."""
    if fix is None or household.lon is None or household.lat is None:
        return None
    return round(metres((fix.lon, fix.lat), (household.lon, household.lat)))


def place_line(fix: DeviceFix, household: HouseholdOut) -> str:
    """离这户 12 米 · 误差 8 米"""
    distance = distance_m(fix, household)
    parts = [f"离这户 {texts.distance(distance)}"] if distance is not None else []
    parts.append(f"误差 {texts.distance(fix.accuracy_m)}")
    if fix.mock:
        parts.append("模拟定位")
    return " · ".join(parts)


def to_see(households: Iterable[HouseholdOut], today: date) -> list[HouseholdOut]:
    """Doors that are due by tomorrow and were not visited today, the longest overdue first."""
    last = today + timedelta(days=1)
    due = [h for h in households if h.due_on is not None and h.due_on <= last and h.last_visited_on != today]
    return sorted(due, key=lambda h: (h.due_on, h.building, h.unit, h.room))


def along_the_way(households: Sequence[HouseholdOut], start: LonLat | None) -> list[HouseholdOut]:
    """Always the nearest door next. Doors without a place come last."""
    left = [h for h in households if h.lon is not None and h.lat is not None]
    nowhere = [h for h in households if h.lon is None or h.lat is None]
    here, ordered = start, []
    while left:
        nearest = _nearest(left, here) if here else left[0]
        left.remove(nearest)
        ordered.append(nearest)
        here = _place(nearest)
    return ordered + nowhere


def _nearest(households: Sequence[HouseholdOut], here: LonLat) -> HouseholdOut:
    return min(households, key=lambda household: metres(here, _place(household)))


def _place(household: HouseholdOut) -> LonLat:
    return (household.lon or 0.0, household.lat or 0.0)


def why(household: HouseholdOut, today: date) -> str:
    return household.due_reason or texts.days_unseen(household.last_seen_on, today)
