"""When to come back, and what a fix is worth as evidence: one rule for the server and for a phone without network."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from shared.residents import CARE_WORDS, Care
from shared.visits import FINDING_WORDS, Evidence, Finding, Fix, VisitOutcome

USUAL_DAYS = 60
RETRY_DAYS = 7
WORRY_DAYS = 7
DECLINED_DAYS = 90
"""Days until the next visit: anybody, nobody home, something found, not wanted."""

CARE_DAYS = {
    Care.discharged: 7,
    Care.minor_alone: 7,
    Care.alone: 14,
    Care.bereaved: 14,
    Care.frail: 14,
    Care.medication: 14,
    Care.left_behind: 14,
    Care.needs_care: 14,
    Care.empty_nest: 30,
    Care.veteran: USUAL_DAYS,
}
"""Days until somebody with this label is looked in on again; of several labels the shortest counts."""

VERY_OLD = 80
OLD_AND_ALONE_DAYS = 7

MET = (VisitOutcome.seen, VisitOutcome.family)
WORRIES = frozenset(Finding) - {Finding.fine}

DOOR_M = 50
NEAR_M = 300
VAGUE_M = 200
STALE_S = 600


@dataclass(frozen=True, slots=True)
class Standing:
    """How a household stands: when somebody came, when somebody was met, and when to go again."""

    last_visited_on: date | None = None
    last_seen_on: date | None = None
    tries_since_seen: int = 0
    due_on: date | None = None
    due_reason: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What a visit means for its household."""

    day: date
    outcome: VisitOutcome
    findings: Sequence[Finding] = ()
    return_on: date | None = None


def after(standing: Standing, call: Call, care: Collection[Care], eldest_born: date | None = None) -> Standing:
    """Return how a household stands after a call, which may arrive late and out of order.

    "Nobody home" never resets the day the person was last seen. The eldest's birth matters where somebody lives alone.
    """
    seen, tries = standing.last_seen_on, standing.tries_since_seen
    if seen is None or call.day >= seen:
        seen, tries = (call.day, 0) if call.outcome in MET else (seen, tries + 1)
    if standing.last_visited_on is not None and call.day < standing.last_visited_on:
        return Standing(standing.last_visited_on, seen, tries, standing.due_on, standing.due_reason)
    return Standing(call.day, seen, tries, *next_due(call, care, eldest_born))


def next_due(call: Call, care: Collection[Care], eldest_born: date | None = None) -> tuple[date | None, str]:
    """Return when to go again and why, in a sentence. A promise outranks a rule, a refusal outranks care."""
    worries = [FINDING_WORDS[f] for f in call.findings if f in WORRIES]
    if call.return_on is not None and call.return_on > call.day:
        return call.return_on, f"上次{'、'.join(worries)}，约好这天再来" if worries else "约好这天再来"
    if call.outcome is VisitOutcome.moved:
        return None, "说已搬走，等核实"
    if call.outcome is VisitOutcome.declined:
        return call.day + timedelta(days=DECLINED_DAYS), "上次不愿意见，过一阵再去"
    if call.outcome is VisitOutcome.absent:
        return call.day + timedelta(days=RETRY_DAYS), "上次家中无人，再去一次"
    if worries:
        return call.day + timedelta(days=WORRY_DAYS), f"上次{'、'.join(worries)}，去看看好些没有"
    days, who = rhythm(care, eldest_born, call.day)
    return call.day + timedelta(days=days), f"{who}，每 {days} 天看一次" if who else f"每 {days} 天走一遍"


def rhythm(care: Collection[Care], eldest_born: date | None, day: date) -> tuple[int, str]:
    """Return every how many days this household is looked in on, and for whose sake."""
    words = "、".join(CARE_WORDS[label] for label in sorted(care))
    if Care.alone in care and eldest_born is not None and age_on(day, eldest_born) >= VERY_OLD:
        return OLD_AND_ALONE_DAYS, f"{VERY_OLD} 岁以上，{words}"
    return min((CARE_DAYS[label] for label in care), default=USUAL_DAYS), words


def age_on(day: date, born: date) -> int:
    """Return the completed years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def evidence(fix: Fix | None, distance_m: float | None) -> Evidence:
    """Grade a fix by distance to the door, accuracy, age and the system's mock flag."""
    if fix is None:
        return Evidence.none
    if fix.mock:
        return Evidence.mock
    if distance_m is None or fix.accuracy_m > VAGUE_M or fix.age_s > STALE_S:
        return Evidence.vague
    if distance_m <= max(DOOR_M, fix.accuracy_m + 30):
        return Evidence.at_door
    return Evidence.near if distance_m <= NEAR_M else Evidence.far
