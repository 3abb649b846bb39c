"""Service requests on the wire: help for a person, an incident at a place, a matter at the window."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.attachments import MOST, PhotoIn
from shared.texts import _
from shared.types import AreaCode, Lat, Lon, Note, Phone, Position, ShortText, Utc, WireIn, WireOut, example
from shared.volunteers import Language, Skill


class RequestKind(StrEnum):
    """What sort of thing is asked."""

    help = "help"
    incident = "incident"
    matter = "matter"


class RequestState(StrEnum):
    """Where a request stands; what may follow what is in `TRANSITIONS`."""

    open = "open"
    taken = "taken"
    serving = "serving"
    handling = "handling"
    done = "done"
    closed = "closed"
    rejected = "rejected"
    cancelled = "cancelled"


class Urgency(StrEnum):
    """How soon it must be looked at. `danger` is for life at risk: 120, 119 or 110 are told at the same moment."""

    whenever = "0"
    soon = "1"
    today = "2"
    danger = "3"


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of help, incident or matter with its Chinese name."""

    kind: RequestKind
    title: str
    hint: str
    skill: Skill | None = None
    minutes: int = 60


_help, _incident, _matter = RequestKind.help, RequestKind.incident, RequestKind.matter
CATEGORIES: dict[str, Category] = {
    "escort_hospital": Category(_help, _("陪着去医院"), _("挂号、取药，有人陪着就好"), Skill.escort, 120),
    "deliver_medicine": Category(_help, _("送药上门"), _("到药房取了送到门口"), Skill.medicine, 40),
    "errand": Category(_help, _("代买东西"), _("买菜买米，送到门口"), Skill.errand, 60),
    "meal": Category(_help, _("送餐"), _("把饭送到家里"), Skill.meal, 40),
    "repair": Category(_help, _("小修小补"), _("灯泡、水龙头这样的小活"), Skill.repair, 60),
    "housework": Category(_help, _("打扫屋子"), _("扫地擦窗，收拾一下"), Skill.housework, 90),
    "phone_lesson": Category(_help, _("教用手机"), _("挂号、视频、缴费，慢慢教"), Skill.digital, 60),
    "chat": Category(_help, _("上门聊聊天"), _("陪着说说话"), Skill.chat, 60),
    "electric_repair": Category(_help, _("修电路"), _("插座、开关、跳闸，请有电工证的人来"), Skill.electric, 60),
    "street_lamp": Category(_incident, _("路灯不亮"), _("哪一盏灯、从什么时候起")),
    "rubbish": Category(_incident, _("垃圾没清"), _("堆在哪里")),
    "manhole": Category(_incident, _("井盖破损"), _("先放上醒目的东西")),
    "pipe_leak": Category(_incident, _("管道漏水"), _("水从哪里出来")),
    "fallen_tree": Category(_incident, _("树倒了"), _("有没有压着线")),
    "noise": Category(_incident, _("噪声扰民"), _("什么时候、从哪里来")),
    "fire_hazard": Category(_incident, _("消防隐患"), _("通道堵塞、飞线充电")),
    "standing_water": Category(_incident, _("积水结冰"), _("哪一段路、有多深")),
    "other_incident": Category(_incident, _("别的事"), _("是什么事")),
    "elder_allowance": Category(_matter, _("高龄补贴"), _("年满 80 岁")),
    "medical_insurance": Category(_matter, _("居民医保"), _("参保与缴费")),
    "housing_letter": Category(_matter, _("居住证明"), _("看看是否已取消")),
    "disability_card": Category(_matter, _("残疾人证"), _("办理与换证")),
}

STATE_WORDS = {
    RequestState.open: _("等人接"),
    RequestState.taken: _("有人答应了"),
    RequestState.serving: _("正在服务"),
    RequestState.handling: _("正在办"),
    RequestState.done: _("办完待确认"),
    RequestState.closed: _("已办结"),
    RequestState.rejected: _("不予受理"),
    RequestState.cancelled: _("已取消"),
}

_s = RequestState
TRANSITIONS: dict[RequestKind, dict[RequestState, frozenset[RequestState]]] = {
    RequestKind.help: {
        _s.open: frozenset({_s.taken, _s.handling, _s.cancelled, _s.rejected}),
        _s.taken: frozenset({_s.serving, _s.open, _s.cancelled}),
        _s.serving: frozenset({_s.done, _s.open}),
        _s.handling: frozenset({_s.done, _s.open, _s.cancelled}),
        _s.done: frozenset({_s.closed, _s.open}),
    },
    RequestKind.incident: {
        _s.open: frozenset({_s.handling, _s.rejected, _s.cancelled}),
        _s.handling: frozenset({_s.done, _s.open}),
        _s.done: frozenset({_s.closed, _s.handling}),
    },
    RequestKind.matter: {
        _s.open: frozenset({_s.handling, _s.rejected, _s.cancelled}),
        _s.handling: frozenset({_s.done, _s.rejected, _s.cancelled}),
        _s.done: frozenset({_s.closed, _s.handling}),
    },
}

BY_OFFER = frozenset({RequestState.taken, RequestState.serving})
"""States that only a volunteer's own yes and arrival lead to."""

_TURNED_DOWN = frozenset({RequestState.rejected, RequestState.cancelled})


def owes_reason(state: RequestState, to: RequestState) -> bool:
    """Who turns a request down or sends it back says why."""
    sent_back = to is RequestState.open or (state is RequestState.done and to is RequestState.handling)
    return to in _TURNED_DOWN or sent_back


class RequestIn(WireIn):
    """A request as somebody brings it. A place or a household says where; a household wins."""

    model_config = example(
        {
            "kind": "help",
            "category": "escort_hospital",
            "detail": "去县医院复查",
            "household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
            "starts_at": "2026-11-24T09:00:00+08:00",
            "ends_at": "2026-11-24T11:00:00+08:00",
            "minutes": 120,
            "urgency": "1",
        }
    )

    kind: RequestKind = Field(description="种类：求助、事件、办件")
    category: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")] = Field(description="事项代码")
    detail: Note = Field(default="", description="说明")
    household_id: UUID | None = Field(default=None, description="户编号（求助必填）")
    resident_id: UUID | None = Field(default=None, description="要帮的人")
    place: Position | None = Field(default=None, description="位置（事件必填）")
    place_note: ShortText = Field(default="", description="位置说明，如“新建路口东侧”")
    starts_at: Utc | None = Field(default=None, description="希望开始时间")
    ends_at: Utc | None = Field(default=None, description="希望结束时间")
    minutes: Annotated[int, Field(ge=5, le=1440)] | None = Field(default=None, description="大约需要几分钟")
    urgency: Urgency = Field(default=Urgency.soon, description="紧急程度 0-3")
    language: Language | None = Field(default=None, description="需要的语言")
    contact_phone: Phone | None = Field(default=None, description="联系电话")
    photos: list[PhotoIn] = Field(default_factory=list, max_length=MOST, description="照片清单；照片随后分块上传")

    @model_validator(mode="after")
    def _hang_together(self) -> Self:
        category = CATEGORIES.get(self.category)
        if category is None or category.kind is not self.kind:
            raise ValueError("category does not belong to this kind")
        if self.household_id is None and self.place is None:
            raise ValueError("a household or a place is needed")
        if self.kind is RequestKind.help and self.household_id is None:
            raise ValueError("help is for a household")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        if len({photo.sha256 for photo in self.photos}) < len(self.photos):
            raise ValueError("a photo is named twice")
        return self


class RequestOut(WireOut):
    """A stored request."""

    id: UUID = Field(description="编号")
    number: str = Field(description="能念出来的编号：社区、日期、序号、校验位")
    area_code: AreaCode = Field(description="所属网格编码")
    happened_in: AreaCode = Field(description="发生时的网格编码，永不改变")
    kind: RequestKind = Field(description="种类")
    category: str = Field(description="事项代码")
    title: str = Field(description="事项名称")
    detail: str = Field(description="说明")
    household_id: UUID | None = Field(description="户编号")
    resident_id: UUID | None = Field(description="要帮的人")
    lon: Lon | None = Field(description="经度（WGS-84）")
    lat: Lat | None = Field(description="纬度（WGS-84）")
    place_note: str = Field(description="位置说明")
    starts_at: Utc | None = Field(description="希望开始时间")
    ends_at: Utc | None = Field(description="希望结束时间")
    minutes: int = Field(description="大约需要几分钟")
    urgency: Urgency = Field(description="紧急程度")
    state: RequestState = Field(description="状态")
    owner_name: str = Field(description="首问责任人")
    handler_name: str = Field(description="经办人")
    volunteer_id: UUID | None = Field(description="答应来帮的志愿者")
    visit_id: UUID | None = Field(default=None, description="由哪次走访转来")
    photo_count: int = Field(default=0, description="附有几张照片，见照片清单")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class MoveIn(WireIn):
    """A step to another state, with the reason where one is owed."""

    model_config = example({"to": "handling"})

    to: RequestState = Field(description="要到的状态")
    reason: ShortText = Field(default="", description="理由（退回、不予受理、取消时必填）")


class RequestEventOut(WireOut):
    """A step that a request took."""

    id: UUID = Field(description="编号")
    at: Utc = Field(description="时间")
    from_state: RequestState | None = Field(description="从哪个状态（刚提出时为空）")
    to_state: RequestState = Field(description="到哪个状态")
    reason: str = Field(description="理由")
    by: str = Field(description="谁")
