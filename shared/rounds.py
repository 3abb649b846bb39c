"""Whom to see today: rules over a household's facts, and warnings for an area. One rule for server and phone.

Pure: a phone without network gets the same answer from the same facts, rules, warnings and day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.residents import CARE_WORDS, RESIDENCY_WORDS, Care, Residency
from shared.texts import _
from shared.types import AreaCode, Day, Name, ShortText, Utc, WireIn, WireOut, example, is_within
from shared.visiting import age_on


class AlertKind(StrEnum):
    """What an area is warned of."""

    cold = "cold"
    heat = "heat"
    flood = "flood"
    storm = "storm"
    outage = "outage"
    other = "other"


ALERT_WORDS = {
    AlertKind.cold: _("寒潮"),
    AlertKind.heat: _("高温"),
    AlertKind.flood: _("汛情"),
    AlertKind.storm: _("大风暴雨"),
    AlertKind.outage: _("停水停电"),
    AlertKind.other: _("其他"),
}


class RuleState(StrEnum):
    """A draft is only tried; a live rule makes work."""

    draft = "draft"
    live = "live"


Age = Annotated[int, Field(ge=0, le=130)]
Count = Annotated[int, Field(ge=1, le=50)]
Days = Annotated[int, Field(ge=1, le=730)]


class Conditions(WireIn):
    """What must hold of a household. What is said of a person must all hold of one and the same member."""

    age_from: Age | None = Field(default=None, description="有人满这么多岁")
    age_below: Age | None = Field(default=None, description="有人不满这么多岁")
    care_all: list[Care] = Field(default_factory=list, max_length=9, description="同时有这些关爱标签")
    care_any: list[Care] = Field(default_factory=list, max_length=9, description="有其中任一关爱标签")
    residency: list[Residency] = Field(default_factory=list, max_length=4, description="人员状态是其中之一")
    days_unseen: Days | None = Field(default=None, description="这么多天没见到（从没见过也算）")
    size_from: Count | None = Field(default=None, description="户里至少几人")
    size_to: Count | None = Field(default=None, description="户里至多几人")

    @property
    def of_a_person(self) -> bool:
        ages = self.age_from is not None or self.age_below is not None
        return ages or bool(self.care_all or self.care_any or self.residency)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.of_a_person and self.days_unseen is None and self.size_from is None and self.size_to is None:
            raise ValueError("a rule without a condition would hold of everybody")
        return self


class RoundTryIn(WireIn):
    """What a rule would do: whom it holds of, and when they are to be seen."""

    model_config = example(
        {"conditions": {"age_from": 80, "care_all": ["alone"]}, "alert": "cold", "area_code": "610330"}
    )

    conditions: Conditions = Field(description="条件")
    area_code: AreaCode = Field(description="在哪个区域里")
    every_days: Days | None = Field(default=None, description="每隔多少天看一次；和预警二选一")
    alert: AlertKind | None = Field(default=None, description="有这种预警时去看；和间隔二选一")

    @model_validator(mode="after")
    def _one_cause(self) -> Self:
        if (self.every_days is None) == (self.alert is None):
            raise ValueError("either an interval or a kind of alert")
        return self

    def content(self) -> bytes:
        """Tell one rule's effect from another's, so that what goes live is what was tried."""
        effect = RoundTryIn.model_validate({name: getattr(self, name) for name in RoundTryIn.model_fields})
        return sha256(effect.model_dump_json().encode()).digest()


class RoundRuleIn(RoundTryIn):
    """A rule with its name. It goes live only after it was tried as it is."""

    model_config = example(
        {
            "name": "寒潮看独居高龄老人",
            "conditions": {"age_from": 80, "care_all": ["alone"]},
            "alert": "cold",
            "area_code": "610330",
            "priority": 1,
            "state": "draft",
        }
    )

    name: Name = Field(description="名称")
    priority: Annotated[int, Field(ge=1, le=9)] = Field(default=5, description="先后，1 最先")
    state: RuleState = Field(default=RuleState.draft, description="草稿或生效")


class RoundRuleOut(WireOut):
    """A rule as stored."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="在哪个区域里")
    name: str = Field(description="名称")
    conditions: Conditions = Field(description="条件")
    every_days: int | None = Field(description="每隔多少天看一次")
    alert: AlertKind | None = Field(description="有这种预警时去看")
    priority: int = Field(description="先后，1 最先")
    state: RuleState = Field(description="草稿或生效")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class AlertIn(WireIn):
    """A warning for an area, for whole days."""

    model_config = example(
        {
            "kind": "cold",
            "area_code": "610330100008",
            "from_day": "2026-11-23",
            "last_day": "2026-11-25",
            "words": "今夜起降温 12 度",
        }
    )

    kind: AlertKind = Field(description="种类")
    area_code: AreaCode = Field(description="哪个区域")
    from_day: Day = Field(description="从哪天起")
    last_day: Day = Field(description="到哪天为止（含）")
    words: ShortText = Field(default="", description="怎么跟人说")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.from_day <= self.last_day <= self.from_day + timedelta(days=60):
            raise ValueError("from 0 to 60 days")
        return self


class AlertOut(WireOut):
    """A warning as stored."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="哪个区域")
    kind: AlertKind = Field(description="种类")
    from_day: Day = Field(description="从哪天起")
    last_day: Day = Field(description="到哪天为止（含）")
    words: str = Field(description="怎么跟人说")
    issued_by: str = Field(description="谁发的")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class RoundEntry(WireOut):
    """A household to be seen today, and why."""

    household_id: UUID = Field(description="户编号")
    area_code: AreaCode = Field(description="所在网格编码")
    due_on: Day = Field(description="该去的日期")
    priority: int = Field(description="先后，1 最先")
    reasons: list[str] = Field(description="为什么去，每条一句话")


class RoundOut(WireOut):
    """Today's round of an area, the most pressing first."""

    day: Day = Field(description="哪一天")
    total: int = Field(description="一共几户")
    items: list[RoundEntry] = Field(description="先去的在前，最多 500 户")


class TriedOut(WireOut):
    """Whom a rule holds of on today's register."""

    matched: int = Field(description="一共几户符合")
    items: list[RoundEntry] = Field(description="前 50 户和理由")


PROMISED = 3
"""The place of a plain due visit among rules, whose priority is 5 unless said otherwise."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member as far as rules look."""

    born: date | None
    care: Sequence[Care]
    residency: Residency


@dataclass(frozen=True, slots=True)
class Home:
    """A household as far as rules look."""

    id: UUID
    area_code: str
    size: int
    last_visited_on: date | None
    last_seen_on: date | None
    due_on: date | None
    due_reason: str
    members: Sequence[Person] = ()


def holds(conditions: Conditions, home: Home, day: date) -> bool:
    """Say whether the conditions hold of a household on a day."""
    asked = conditions
    if asked.size_from is not None and home.size < asked.size_from:
        return False
    if asked.size_to is not None and home.size > asked.size_to:
        return False
    seen = home.last_seen_on
    if asked.days_unseen is not None and seen is not None and (day - seen).days < asked.days_unseen:
        return False
    return not asked.of_a_person or any(_is_one(asked, person, day) for person in home.members)


def _is_one(asked: Conditions, person: Person, day: date) -> bool:
    if asked.age_from is not None and (person.born is None or age_on(day, person.born) < asked.age_from):
        return False
    if asked.age_below is not None and (person.born is None or age_on(day, person.born) >= asked.age_below):
        return False
    if asked.residency and person.residency not in asked.residency:
        return False
    labels = set(person.care)
    return labels.issuperset(asked.care_all) and (not asked.care_any or not labels.isdisjoint(asked.care_any))


def why(conditions: Conditions) -> str:
    """Say the conditions in a few words."""
    asked, words = conditions, []
    if asked.age_from is not None:
        words.append(_("{age_from} 岁以上").format(age_from=asked.age_from))
    if asked.age_below is not None:
        words.append(_("不满 {age_below} 岁").format(age_below=asked.age_below))
    words += [CARE_WORDS[label] for label in asked.care_all]
    if asked.care_any:
        words.append(_("或").join(CARE_WORDS[label] for label in asked.care_any))
    if asked.residency:
        words.append(_("或").join(RESIDENCY_WORDS[state] for state in asked.residency))
    if asked.size_from is not None:
        words.append(_("{size_from} 人以上的户").format(size_from=asked.size_from))
    if asked.size_to is not None:
        words.append(_("{size_to} 人以下的户").format(size_to=asked.size_to))
    if asked.days_unseen is not None:
        words.append(_("{days_unseen} 天没见到").format(days_unseen=asked.days_unseen))
    return _("、").join(words)


def round_of(
    homes: Iterable[Home], rules: Iterable[RoundRuleOut], alerts: Iterable[AlertOut], day: date
) -> list[RoundEntry]:
    """Return whom to see on a day, the most pressing first: promised and due visits, and what live rules ask for."""
    live = [rule for rule in rules if rule.state is RuleState.live]
    active = sorted((a for a in alerts if a.from_day <= day <= a.last_day), key=lambda a: (a.from_day, str(a.id)))
    entries = (_entry(home, live, active, day) for home in homes)
    return sorted((entry for entry in entries if entry), key=in_order)


def in_order(entry: RoundEntry) -> tuple[int, date, str]:
    return entry.priority, entry.due_on, str(entry.household_id)


def _entry(home: Home, rules: Sequence[RoundRuleOut], alerts: Sequence[AlertOut], day: date) -> RoundEntry | None:
    causes = [cause for rule in rules if (cause := _cause(home, rule, alerts, day))]
    if home.due_on is not None and home.due_on <= day and home.last_visited_on != day:
        causes.append((PROMISED, home.due_on, home.due_reason))
    if not causes:
        return None
    causes.sort()
    reasons = list(dict.fromkeys(reason for _priority, _due, reason in causes if reason))
    due_on = min(due for _priority, due, _reason in causes)
    return RoundEntry(
        household_id=home.id, area_code=home.area_code, due_on=due_on, priority=causes[0][0], reasons=reasons
    )


def _cause(home: Home, rule: RoundRuleOut, alerts: Sequence[AlertOut], day: date) -> tuple[int, date, str] | None:
    if not is_within(home.area_code, rule.area_code) or not holds(rule.conditions, home, day):
        return None
    if rule.every_days is not None:
        last = home.last_visited_on
        due = day if last is None else last + timedelta(days=rule.every_days)
        return (
            (
                rule.priority,
                due,
                _("{why}，每 {every_days} 天看一次").format(why=why(rule.conditions), every_days=rule.every_days),
            )
            if due <= day
            else None
        )
    for alert in alerts:
        if alert.kind is rule.alert and is_within(home.area_code, alert.area_code) and _unseen_since(home, alert):
            return (
                rule.priority,
                alert.from_day,
                _("{warning}：{why}").format(warning=_warning(alert), why=why(rule.conditions)),
            )
    return None


def _unseen_since(home: Home, alert: AlertOut) -> bool:
    """Nobody home does not count: a warning is met when somebody of the household was seen."""
    return home.last_seen_on is None or home.last_seen_on < alert.from_day


def _warning(alert: AlertOut) -> str:
    return _("{alert}预警").format(alert=ALERT_WORDS[alert.kind]) + (
        _("（{words}）").format(words=alert.words) if alert.words else ""
    )
