"""Decisions about offers and tasks, with no database and no clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from shared.errors import Code
from shared.matching import OfferState, Reason, ReasonCode
from shared.requests import CATEGORIES, RequestState, Urgency
from shared.residents import CARE_WORDS, Care
from shared.texts import _
from shared.volunteers import (
    CERTIFICATES,
    LANGUAGE_WORDS,
    QUIET_FROM,
    QUIET_UNTIL,
    SKILL_WORDS,
    Language,
    ServiceState,
    Skill,
    in_quiet_hours,
)

DAY_MINUTES = 1440
LONG_MINUTES = 720
"""More than this at a stretch is looked at: rather a 签退 that was remembered the next day than a night by a bed."""

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far a phone's clock may be off before we ask its owner to look at it."""

SPOKEN_WITHIN = timedelta(days=7)
"""What somebody tells on the phone about an hour longer ago than this is not a memory to count minutes by."""

TOLD_AT_ONCE = timedelta(hours=3)
"""A 签退 told later than this after the leaving, such as the morning after, is a memory and waits for somebody's look.
A phone without network is not late: it says when the button was pressed."""

FORGOTTEN_AFTER = timedelta(days=2)
"""Nobody serves this long at a stretch: a task that is still being served is one whose end nobody told."""

REASONS_SHOWN = 3
METRES_PER_MINUTE = 75
WALK_MINUTES = 20
"""A longer walk is no reason to have thought of somebody."""

_TAKEN = frozenset({RequestState.taken, RequestState.serving, RequestState.done, RequestState.closed})
_WEEKDAYS = _("一 二 三 四 五 六 日").split()
_TIMES_DONE = {
    "escort_hospital": _("您陪人去过 {} 次医院"),
    "deliver_medicine": _("您送过 {} 次药"),
    "errand": _("您帮人买过 {} 次东西"),
    "meal": _("您送过 {} 次饭"),
    "repair": _("您上门修过 {} 次东西"),
    "housework": _("您帮人打扫过 {} 次屋子"),
    "phone_lesson": _("您教人用过 {} 次手机"),
    "chat": _("您陪人聊过 {} 次天"),
    "electric_repair": _("您帮人修过 {} 次电路"),
}


def is_quiet(moment: datetime, zone: tzinfo, quiet_from: int = QUIET_FROM, quiet_until: int = QUIET_UNTIL) -> bool:
    """Say whether somebody is left in peace at this moment; life at risk is the exception that a caller makes."""
    local = moment.astimezone(zone)
    return in_quiet_hours(local.hour * 60 + local.minute, quiet_from, quiet_until)


def may_be_offered(urgency: Urgency, starts_at: datetime | None, now: datetime) -> bool:
    """Say whether anybody is asked now: not for help whose hour has passed, unless a life is at risk."""
    return urgency is Urgency.danger or starts_at is None or starts_at > now


def no_to_yes(offer: OfferState, expires_at: datetime, request: RequestState, now: datetime) -> Code | None:
    """Return why a yes comes too late; None when it is in time."""
    if request is not RequestState.open:
        return Code.offer_taken if request in _TAKEN else Code.offer_over
    return None if offer is OfferState.offered and expires_at > now else Code.offer_over


def no_to_time(at: datetime, not_before: datetime, now: datetime) -> Code | None:
    """Return what is wrong with a phone's time; None when it can be right."""
    if at > now + CLOCK_TOLERANCE:
        return Code.in_the_future
    return Code.too_old if at < not_before else None


def no_to_spoken_time(at: datetime, not_before: datetime, now: datetime) -> Code | None:
    """Return what is wrong with a time told on the phone; None when it can be right. People tell whole minutes."""
    if at > now:
        return Code.in_the_future
    return Code.too_old if at < max(not_before.replace(second=0, microsecond=0), now - SPOKEN_WITHIN) else None


def served(
    arrived: datetime, left: datetime, told_at: datetime | None = None, *, spoken: bool = False
) -> tuple[int, ServiceState]:
    """Return whole minutes and where they stand.

    What a worker wrote down for a volunteer, what was told long after, and more than half a day (a forgotten 签退),
    waits for somebody to look at it.
    """
    minutes = int((left - arrived).total_seconds() // 60)
    afterwards = told_at is not None and told_at - left > TOLD_AT_ONCE
    in_doubt = spoken or afterwards or minutes > LONG_MINUTES
    return min(minutes, DAY_MINUTES), ServiceState.unverified if in_doubt else ServiceState.waiting


def care_note(care: Sequence[Care]) -> str:
    return _("、").join(CARE_WORDS[flag] for flag in care)


def walking_minutes(distance_m: float) -> int:
    return max(1, round(distance_m / METRES_PER_MINUTE))


def reasons(
    category: str, starts_at: datetime | None, language: Language | None, *,
    distance_m: float, times_done: int, knows_person: bool, zone: tzinfo,
) -> list[Reason]:  # fmt: skip
    """Say in at most three sentences why this volunteer was thought of.

    A need that would tell of the person (sign language, a trust filter) picks the volunteer and is never shown.
    """
    walk, skill = walking_minutes(distance_m), CATEGORIES[category].skill
    found = [
        (ReasonCode.knows_person, _("您以前帮过这位邻居") if knows_person else ""),
        (
            ReasonCode.free_then,
            _("{day_part}您正好有空").format(day_part=day_part(starts_at.astimezone(zone))) if starts_at else "",
        ),
        (ReasonCode.near, _("走路 {walk} 分钟就到").format(walk=walk) if walk <= WALK_MINUTES else ""),
        (ReasonCode.did_this_before, _TIMES_DONE[category].format(times_done) if times_done else ""),
        (
            ReasonCode.speaks,
            _("您会说{language}").format(language=LANGUAGE_WORDS[language]) if language is Language.shaanxi else "",
        ),
        (ReasonCode.has_skill, _can(skill) if skill else ""),
    ]
    return [Reason(code=code, text=text) for code, text in found if text][:REASONS_SHOWN]


def _can(skill: Skill) -> str:
    return (
        _("您有{certificate}").format(certificate=CERTIFICATES[skill])
        if skill in CERTIFICATES
        else _("您会{skill}").format(skill=SKILL_WORDS[skill])
    )


def day_part(local: datetime) -> str:
    """Name a time of the week as people do: 周二上午."""
    part = next(
        word
        for until, word in ((12, _("上午")), (14, _("中午")), (18, _("下午")), (24, _("晚上")))
        if local.hour < until
    )
    return _("周{weekday}{part}").format(weekday=_WEEKDAYS[local.weekday()], part=part)
