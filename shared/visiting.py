"""When to come back, and what a fix is worth as evidence: one rule for the server and for a phone without network."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from shared.residents import CARE_WORDS, Care
from shared.texts import _
from shared.types import AreaCode, WireIn, WireOut, example
from shared.visits import FINDING_WORDS, Evidence, Finding, Fix, VisitOutcome

USUAL_DAYS = 60
RETRY_DAYS = 7
WORRY_DAYS = 7
DECLINED_DAYS = 90
"""Days until the next visit, unless the county says otherwise: anybody, nobody home, something found, not wanted."""

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
"""The same for somebody with this label; of several labels the shortest counts."""

VERY_OLD = 80
OLD_AND_ALONE_DAYS = 7

Interval = Annotated[int, Field(ge=1, le=366)]


class Intervals(BaseModel):
    """Days until the next visit. What a county leaves out is as usual."""

    usual: Interval = Field(default=USUAL_DAYS, description="一般的户，多少天走一遍")
    retry: Interval = Field(default=RETRY_DAYS, description="家中无人，过几天再去")
    worry: Interval = Field(default=WORRY_DAYS, description="发现有事，过几天去看看")
    declined: Interval = Field(default=DECLINED_DAYS, description="不愿意见，过多少天再去")
    old_and_alone: Interval = Field(default=OLD_AND_ALONE_DAYS, description=f"{VERY_OLD} 岁以上独居，多少天看一次")
    care: dict[Care, Interval] = Field(
        default_factory=lambda: dict(CARE_DAYS), description="各关爱标签，多少天看一次；没写的照旧"
    )

    @field_validator("care")
    @classmethod
    def _every_label(cls, given: dict[Care, int]) -> dict[Care, int]:
        return CARE_DAYS | given


USUAL = Intervals()


class DueDaysIn(Intervals, WireIn):
    """A county's own intervals, all of them: what is left out goes back to the usual."""

    model_config = example({"usual": 90, "retry": 3, "care": {"alone": 10}})


class DueDaysOut(Intervals, WireOut):
    """The intervals that hold in a county. Phones get them by the feed."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="县编码")
    rev: int = Field(description="修订号；0 表示县里没有另定")


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


def after(
    standing: Standing, call: Call, care: Collection[Care], eldest_born: date | None = None, days: Intervals = USUAL
) -> Standing:
    """Return how a household stands after a call, which may arrive late and out of order.

    "Nobody home" never resets the day the person was last seen. The eldest's birth matters where somebody lives alone.
    """
    seen, tries = standing.last_seen_on, standing.tries_since_seen
    if seen is None or call.day >= seen:
        seen, tries = (call.day, 0) if call.outcome in MET else (seen, tries + 1)
    if standing.last_visited_on is not None and call.day < standing.last_visited_on:
        return Standing(standing.last_visited_on, seen, tries, standing.due_on, standing.due_reason)
    return Standing(call.day, seen, tries, *next_due(call, care, eldest_born, days))


def next_due(
    call: Call, care: Collection[Care], eldest_born: date | None = None, days: Intervals = USUAL
) -> tuple[date | None, str]:
    """Return when to go again and why, in a sentence. A promise outranks a rule, a refusal outranks care."""
    worries = [FINDING_WORDS[f] for f in call.findings if f in WORRIES]
    if call.return_on is not None and call.return_on > call.day:
        return call.return_on, _("上次{worries}，约好这天再来").format(worries=_("、").join(worries)) if worries else _(
            "约好这天再来"
        )
    if call.outcome is VisitOutcome.moved:
        return None, _("说已搬走，等核实")
    if call.outcome is VisitOutcome.declined:
        return call.day + timedelta(days=days.declined), _("上次不愿意见，过一阵再去")
    if call.outcome is VisitOutcome.absent:
        return call.day + timedelta(days=days.retry), _("上次家中无人，再去一次")
    if worries:
        return call.day + timedelta(days=days.worry), _("上次{worries}，去看看好些没有").format(
            worries=_("、").join(worries)
        )
    every, who = rhythm(care, eldest_born, call.day, days)
    return call.day + timedelta(days=every), _("{who}，每 {every} 天看一次").format(who=who, every=every) if who else _(
        "每 {every} 天走一遍"
    ).format(every=every)


def rhythm(care: Collection[Care], eldest_born: date | None, day: date, days: Intervals = USUAL) -> tuple[int, str]:
    """Return every how many days this household is looked in on, and for whose sake."""
    words = _("、").join(CARE_WORDS[label] for label in sorted(care))
    every = min((days.care[label] for label in care), default=days.usual)
    if Care.alone in care and eldest_born is not None and age_on(day, eldest_born) >= VERY_OLD:
        return min(every, days.old_and_alone), _("{very_old} 岁以上，{words}").format(very_old=VERY_OLD, words=words)
    return every, words


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
