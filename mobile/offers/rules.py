"""An invitation and a task in words."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from mobile.core import texts
from mobile.core.clock import local_day
from mobile.grid.rules import LonLat, metres, walking_minutes
from shared.matching import OfferOut, ReasonCode, TaskOut, TaskState
from shared.requests import Urgency
from shared.texts import _
from shared.volunteers import VolunteerOut

CATEGORY_ICONS = {
    "escort_hospital": "first-aid-kit",
    "deliver_medicine": "pill",
    "errand": "shopping-bag",
    "meal": "bowl-food",
    "repair": "wrench",
    "housework": "broom",
    "phone_lesson": "device-mobile",
    "chat": "chats-circle",
    "electric_repair": "lightning",
}
REASON_ICONS = {
    ReasonCode.free_then: "calendar-check",
    ReasonCode.near: "person-simple-walk",
    ReasonCode.did_this_before: "hand-heart",
    ReasonCode.knows_person: "users",
    ReasonCode.has_skill: "star",
    ReasonCode.speaks: "chats-circle",
}
STATE_WORDS = {
    TaskState.accepted: _("已答应"),
    TaskState.serving: _("服务中"),
    TaskState.finished: _("已完成"),
    TaskState.handed_back: _("已交回"),
    TaskState.cancelled: _("已取消"),
}
STATE_KINDS = {TaskState.accepted: "sent", TaskState.serving: "ok", TaskState.finished: "ok"}
EARLY = timedelta(hours=2)
OPEN_STATES = (TaskState.accepted, TaskState.serving)


@dataclass(frozen=True, slots=True)
class OfferCard:
    """What a volunteer sees before saying yes: no name, no age, no door."""

    id: UUID
    icon: str
    title: str
    hint: str
    when: str
    when_sub: str
    where: str
    where_sub: str
    large: "LargeWords"
    reasons: list[tuple[str, str]]
    expiry: str
    coarse_lon: float
    coarse_lat: float
    coarse_radius_m: int
    home: LonLat | None
    spoken: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class LargeWords:
    """The same for 大字版: fewer words, and hours as they are said."""

    when: str
    when_sub: str
    where_sub: str


def card(offer: OfferOut, volunteer: VolunteerOut | None, now: datetime) -> OfferCard:
    when, when_sub = time_words(offer, now)
    return OfferCard(
        id=offer.id,
        icon=CATEGORY_ICONS.get(offer.category, "hand-heart"),
        title=offer.title,
        hint=offer.hint,
        when=when,
        when_sub=when_sub,
        where=offer.place_label,
        where_sub=_("{about}，答应后才看到门牌").format(about=texts.about(offer.distance_m)),
        large=LargeWords(*large_time_words(offer, now), texts.about(offer.distance_m)),
        reasons=[(REASON_ICONS[reason.code], reason.text) for reason in offer.reasons],
        expiry=expiry(offer.expires_at, now),
        coarse_lon=offer.coarse_lon,
        coarse_lat=offer.coarse_lat,
        coarse_radius_m=offer.coarse_radius_m,
        home=(volunteer.lon, volunteer.lat) if volunteer else None,
        spoken=_("。").join((offer.title, offer.hint, when, offer.place_label, texts.about(offer.distance_m)))
        + _("。"),
        urgent=offer.urgency in (Urgency.today, Urgency.danger),
    )


def time_words(offer: OfferOut | TaskOut, now: datetime) -> tuple[str, str]:
    """明天 上午 9:00–11:00, and below it 11月24日 周二，大约 2 小时."""
    length = texts.roughly(offer.minutes)
    if offer.starts_at is None:
        return _("时间您来定"), length
    day = texts.full_day(local_day(offer.starts_at))
    return texts.slot(offer.starts_at, _end(offer, offer.starts_at), now), _("{day}，{length}").format(
        day=day, length=length
    )


def is_early(task: TaskOut, now: datetime) -> bool:
    """Whether 签到 now is more likely a slip of the finger: what was agreed begins much later."""
    return task.state is TaskState.accepted and task.starts_at is not None and task.starts_at - now > EARLY


def large_time_words(offer: OfferOut, now: datetime) -> tuple[str, str]:
    """明天 周二, and below it 上午 9 点到 11 点."""
    if offer.starts_at is None:
        return time_words(offer, now)
    day = local_day(offer.starts_at)
    words = f"{texts.day_word(day, local_day(now))} {texts.weekday(day)}"
    return words, texts.slot_large(offer.starts_at, _end(offer, offer.starts_at))


def _end(offer: OfferOut | TaskOut, start: datetime) -> datetime:
    return offer.ends_at or start + timedelta(minutes=offer.minutes)


def expiry(expires_at: datetime, now: datetime) -> str:
    """今天 18:00 前答复就行，不方便不用勉强"""
    return _("{when} 前答复就行，不方便不用勉强").format(when=texts.when(expires_at, now))


def steps(task: TaskOut, now: datetime) -> tuple[list[tuple[str, str]], int]:
    """The three steps with their times, and how many are done."""
    moments = (task.accepted_at, task.checked_in_at, task.checked_out_at)
    words = [
        (word, _step_time(moment, now)) for word, moment in zip((_("答应"), _("签到"), _("签退")), moments, strict=True)
    ]
    return words, sum(moment is not None for moment in moments)


def _step_time(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return _("还没有")
    same_day = local_day(moment) == local_day(now)
    return texts.clock(moment) if same_day else texts.when(moment, now)


MORNING_HOUR = 5
QUARTER = timedelta(minutes=15)
HERE_M = 40
_DIRECTIONS = (_("东"), _("东北"), _("北"), _("西北"), _("西"), _("西南"), _("南"), _("东南"))
_STAIRWELL = re.compile(r"[栋幢楼]|单元")


def is_forgotten(task: TaskOut, now: datetime) -> bool:
    """Served since a day before this one, and it is morning: whoever sits up with somebody at night is not asked."""
    if task.state is not TaskState.serving or task.checked_in_at is None:
        return False
    return local_day(task.checked_in_at) < local_day(now) and texts.local(now).hour >= MORNING_HOUR


def likely_ends(begun: datetime, minutes: int, now: datetime) -> list[datetime]:
    """Half of the time it was to take, all of it, and half as much again, to the quarter of an hour."""
    found: list[datetime] = []
    for share in (0.5, 1.0, 1.5):
        least = found[-1] + QUARTER if found else _quarter(begun + QUARTER)
        found.append(max(_quarter(begun + timedelta(minutes=minutes * share)), least))
    return [moment for moment in found if moment <= now]


def _quarter(moment: datetime) -> datetime:
    """The quarter of an hour that is nearest."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    return hour + round((moment - hour) / QUARTER) * QUARTER


def route(task: TaskOut, here: LonLat | None, home: LonLat | None) -> str:
    """从您家往东北 600 米，走路 9 分钟: from where the phone is, or else from home; '' when the door has no place."""
    start, word = (here, _("从您这里")) if here else (home, _("从您家"))
    if start is None or task.lon is None or task.lat is None:
        return ""
    end = (task.lon, task.lat)
    away = metres(start, end)
    if away < HERE_M:
        return _("就在您身边")
    return _("{word}往{direction} {distance}，{walk}").format(
        word=word,
        direction=direction(start, end),
        distance=texts.distance(away),
        walk=texts.walk(walking_minutes(away)),
    )


def direction(start: LonLat, end: LonLat) -> str:
    east = (end[0] - start[0]) * math.cos(math.radians(start[1]))
    return _DIRECTIONS[round(math.atan2(end[1] - start[1], east) / (math.pi / 4)) % 8]


def way_in(door: str) -> str:
    """先找新建路 18 号院，再找 2号楼1单元: a long door in the order in which one looks for it."""
    yard, stairwell = _parts(door)
    return _("先找{yard}，再找 {stairwell}").format(yard=yard, stairwell=stairwell) if yard else ""


def yard_of(door: str) -> str:
    """What of a door somebody else's map may be asked for: never the stairwell or the room; '' when it is not told."""
    return _parts(door)[0]


def _parts(door: str) -> tuple[str, str]:
    parts = door.rsplit(" ", 2)
    return (parts[0], parts[1]) if len(parts) == 3 and _STAIRWELL.search(parts[1]) else ("", "")


def minutes_served(task: TaskOut, now: datetime) -> int:
    """Whole minutes since 签到, until 签退 or now."""
    if task.checked_in_at is None:
        return 0
    return max(0, int(((task.checked_out_at or now) - task.checked_in_at).total_seconds() // 60))
