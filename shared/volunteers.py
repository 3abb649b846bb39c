"""Volunteers on the wire: what they can do, where and when."""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from shared.texts import _
from shared.types import CommunityCode, Day, Lat, Lon, Name, Phone, Position, ShortText, Utc, WireIn, WireOut, example


class Skill(StrEnum):
    """What a volunteer offers to do; a request names at most one."""

    escort = "escort"
    medicine = "medicine"
    errand = "errand"
    meal = "meal"
    repair = "repair"
    housework = "housework"
    digital = "digital"
    chat = "chat"
    electric = "electric"


class Language(StrEnum):
    """What can be spoken."""

    zh = "zh"
    shaanxi = "shaanxi"
    sign = "sign"


SKILL_WORDS = {
    Skill.escort: _("陪人就医"),
    Skill.medicine: _("取药送药"),
    Skill.errand: _("代买跑腿"),
    Skill.meal: _("送餐"),
    Skill.repair: _("修修补补"),
    Skill.housework: _("家务打扫"),
    Skill.digital: _("教用手机"),
    Skill.chat: _("陪伴聊天"),
    Skill.electric: _("修电路"),
}
CERTIFICATES: Final = {Skill.electric: _("电工证")}
"""Skills that count only once the community has seen this certificate: done badly, they cost lives."""

LANGUAGE_WORDS = {Language.zh: _("普通话"), Language.shaanxi: _("陕西话"), Language.sign: _("手语")}


class Slot(WireIn):
    """A free stretch of a week, county time."""

    model_config = example({"weekday": 2, "from_minute": 480, "until_minute": 720})

    weekday: Annotated[int, Field(ge=1, le=7)] = Field(description="星期几，1 为周一")
    from_minute: Annotated[int, Field(ge=0, le=1410)] = Field(description="从当天第几分钟起")
    until_minute: Annotated[int, Field(ge=30, le=1440)] = Field(description="到当天第几分钟止")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.until_minute <= self.from_minute:
            raise ValueError("until_minute must be after from_minute")
        return self


MinuteOfDay = Annotated[int, Field(ge=0, le=1439)]
QUIET_FROM: Final = 21 * 60 + 30
QUIET_UNTIL: Final = 7 * 60 + 30
"""The county's quiet hours, which are everybody's who has said nothing else."""


def in_quiet_hours(minute: int, quiet_from: int, quiet_until: int) -> bool:
    """Say whether a minute of the day lies in somebody's quiet hours, which may run over midnight; equal ends: none."""
    if quiet_from <= quiet_until:
        return quiet_from <= minute < quiet_until
    return minute >= quiet_from or minute < quiet_until


class QuietIn(WireIn):
    """A volunteer's own quiet hours."""

    model_config = example({"from_minute": 1320, "until_minute": 420})

    from_minute: MinuteOfDay = Field(description="从当天第几分钟起不打扰")
    until_minute: MinuteOfDay = Field(description="到第几分钟止，可以跨过半夜；和起点一样表示不设")


_IDENTITY_NUMBER = re.compile(r"[0-9]{17}[0-9Xx]|[0-9]{15}")


def tells_identity(note: str) -> bool:
    """Say whether a note holds what may be an identity number; an electrician's certificate is numbered by it."""
    return _IDENTITY_NUMBER.search(re.sub(r"[\s-]", "", note)) is not None


class SkillIn(WireIn):
    """Something a volunteer says they can do, and in a word what shows it. Never a picture of it."""

    model_config = example({"skill": "electric", "note": "低压电工证，后四位 4417", "valid_until": "2028-06-30"})

    skill: Skill = Field(description="会做的事")
    note: ShortText = Field(default="", description="证件名称、编号后几位；不要写身份证号")
    valid_until: Day | None = Field(default=None, description="有效期到哪天（含）")

    @field_validator("note")
    @classmethod
    def _no_identity_number(cls, note: str) -> str:
        if tells_identity(note):
            raise ValueError("no identity numbers")
        return note


class SkillsIn(WireIn):
    """All that a volunteer says they can do."""

    model_config = example({"skills": [{"skill": "escort"}, {"skill": "electric", "note": "低压电工证"}]})

    skills: list[SkillIn] = Field(min_length=1, max_length=len(Skill), description="会做的事，整个换掉")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.skill for one in self.skills}) < len(self.skills):
            raise ValueError("each skill once")
        return self


class SkillCheckIn(WireIn):
    """A coordinator has seen the certificate, or takes that back."""

    model_config = example({"seen": True, "valid_until": "2028-06-30"})

    seen: bool = Field(description="看过证件；否则收回")
    valid_until: Day | None = Field(default=None, description="证件上的有效期（含），没有就不填")


class SkillState(StrEnum):
    """What stands behind a skill."""

    said = "said"
    checked = "checked"
    expired = "expired"


SKILL_STATE_WORDS = {
    SkillState.said: _("自己说的"),
    SkillState.checked: _("社区看过证件"),
    SkillState.expired: _("已过期"),
}


class EvidenceOut(WireOut):
    """What shows that a volunteer can do something."""

    skill: Skill = Field(description="会做的事")
    note: str = Field(description="证件名称、编号后几位")
    valid_until: Day | None = Field(description="有效期到哪天（含）")
    checked_on: Day | None = Field(description="社区哪天看过证件")
    checked_by: str = Field(description="谁看的")

    def state(self, today: date) -> SkillState:
        """What it is worth today: a certificate that has run out is none, seen or not."""
        if self.valid_until is not None and self.valid_until < today:
            return SkillState.expired
        return SkillState.said if self.checked_on is None else SkillState.checked


def says_otherwise(known: EvidenceOut | None, said: SkillIn) -> bool:
    """Say whether these are other words about a skill than those known, so that nobody has seen what they speak of.

    Silence about the day is not a word against the one that the community read on the certificate.
    """
    if known is None:
        return bool(said.note or said.valid_until)
    return said.note != known.note or said.valid_until not in (None, known.valid_until)


def merged(slots: Iterable[Slot]) -> list[Slot]:
    """Return the same free time as stretches that neither touch nor overlap, in the order of the week."""
    whole: list[Slot] = []
    for slot in sorted(slots, key=lambda s: (s.weekday, s.from_minute)):
        last = whole[-1] if whole else None
        if last and last.weekday == slot.weekday and slot.from_minute <= last.until_minute:
            whole[-1] = last.model_copy(update={"until_minute": max(last.until_minute, slot.until_minute)})
        else:
            whole.append(slot)
    return whole


class VolunteerIn(WireIn):
    """A volunteer to be registered, or the whole of a changed one."""

    model_config = example(
        {
            "name": "周志远",
            "phone": "12600004417",
            "community_code": "610330100001",
            "home": {"lon": 106.5231, "lat": 33.9127, "crs": "wgs84"},
            "skills": ["escort", "chat"],
            "languages": ["zh"],
            "slots": [{"weekday": 2, "from_minute": 480, "until_minute": 720}],
            "radius_m": 3000,
            "capacity": 1,
        }
    )

    name: Name = Field(description="姓名")
    phone: Phone = Field(description="电话")
    community_code: CommunityCode = Field(description="报到的社区编码")
    home: Position = Field(description="住处位置，只用来算远近")
    skills: list[Skill] = Field(min_length=1, max_length=len(Skill), description="会做的事")
    languages: list[Language] = Field(default_factory=lambda: [Language.zh], max_length=3, description="会说的话")
    slots: list[Slot] = Field(default_factory=list, max_length=42, description="每周空闲时间")
    radius_m: Annotated[int, Field(ge=200, le=30_000)] = Field(default=3000, description="愿意走多远（米）")
    capacity: Annotated[int, Field(ge=1, le=5)] = Field(default=1, description="同时最多接几件")


class VolunteerOut(WireOut):
    """A registered volunteer, for staff and for the volunteer."""

    id: UUID = Field(description="编号")
    name: str = Field(description="姓名")
    phone: str = Field(description="电话")
    community_code: CommunityCode = Field(description="报到的社区编码")
    lon: Lon = Field(description="住处经度（WGS-84）")
    lat: Lat = Field(description="住处纬度（WGS-84）")
    skills: list[Skill] = Field(description="会做的事")
    languages: list[Language] = Field(description="会说的话")
    slots: list[Slot] = Field(description="每周空闲时间")
    radius_m: int = Field(description="愿意走多远（米）")
    capacity: int = Field(description="同时最多接几件")
    active: bool = Field(description="正在参加")
    quiet_from: MinuteOfDay = Field(default=QUIET_FROM, description="免打扰从当天第几分钟起")
    quiet_until: MinuteOfDay = Field(default=QUIET_UNTIL, description="免打扰到第几分钟止；和起点一样表示不设")
    evidence: list[EvidenceOut] = Field(default_factory=list, description="会做的事有什么证明，社区看过没有")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class ServiceState(StrEnum):
    """Whether both sides have confirmed the minutes."""

    waiting = "waiting"
    confirmed = "confirmed"
    unverified = "unverified"


SERVICE_STATE_WORDS = {
    ServiceState.waiting: _("等对方确认"),
    ServiceState.confirmed: _("双方已确认"),
    ServiceState.unverified: _("待核实"),
}


class ServiceRecordOut(WireOut):
    """Minutes a volunteer served."""

    id: UUID = Field(description="编号")
    volunteer_id: UUID = Field(description="志愿者编号")
    request_id: UUID = Field(description="求助编号")
    title: str = Field(description="做了什么")
    community_name: str = Field(description="哪个社区")
    served_on: Day = Field(description="哪一天")
    minutes: int = Field(description="整分钟数")
    state: ServiceState = Field(description="确认情况")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class ConfirmWay(StrEnum):
    """How the other side's word was taken."""

    proxy = "proxy"
    call_back = "call_back"


class ServiceConfirmIn(WireIn):
    """What the person who was helped, or somebody for them, says about the minutes."""

    model_config = example({"confirmed": True, "way": "call_back"})

    confirmed: bool = Field(description="对方说是这样；不是则记为待核实")
    way: ConfirmWay = Field(description="怎么问的：代为确认或回访电话")


class VolunteerPatch(WireIn):
    """Pausing, or taking part again."""

    model_config = example({"active": False})

    active: bool = Field(description="正在参加；否则不再收到邀请，还没答复的邀请撤回")


class SlotsIn(WireIn):
    """A volunteer's own week."""

    model_config = example({"slots": [{"weekday": 2, "from_minute": 480, "until_minute": 720}]})

    slots: list[Slot] = Field(max_length=42, description="每周空闲时间")
