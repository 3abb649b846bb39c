"""Offers and tasks on the wire: what a volunteer sees before and after saying yes."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.requests import Urgency
from shared.texts import _
from shared.types import AreaCode, Lat, Lon, ShortText, Utc, WireIn, WireOut, example


class OfferState(StrEnum):
    """Where an offer stands. It is never an order: `declined` costs nothing."""

    offered = "offered"
    accepted = "accepted"
    declined = "declined"
    expired = "expired"
    recalled = "recalled"
    handed_back = "handed_back"


class ReasonCode(StrEnum):
    """Why this volunteer was thought of."""

    free_then = "free_then"
    near = "near"
    did_this_before = "did_this_before"
    knows_person = "knows_person"
    has_skill = "has_skill"
    speaks = "speaks"


class Reason(WireOut):
    """One reason in plain words."""

    code: ReasonCode = Field(description="理由代码")
    text: str = Field(description="一句话")


class DeclineReason(StrEnum):
    """Why not this time; may be left out."""

    busy = "busy"
    too_far = "too_far"
    unwell = "unwell"
    not_suited = "not_suited"
    other = "other"


DECLINE_WORDS = {
    DeclineReason.busy: _("那会儿有事"),
    DeclineReason.too_far: _("有点远"),
    DeclineReason.unwell: _("身体不舒服"),
    DeclineReason.not_suited: _("这件事做不来"),
    DeclineReason.other: _("别的原因"),
}


class OfferOut(WireOut):
    """A help request offered to one volunteer: kind, time and a coarse place, no name, age, door or phone."""

    id: UUID = Field(description="邀请编号")
    request_id: UUID = Field(description="求助编号")
    volunteer_id: UUID = Field(description="志愿者编号")
    state: OfferState = Field(description="状态")
    category: str = Field(description="事项代码")
    title: str = Field(description="事项名称")
    hint: str = Field(description="一句说明")
    starts_at: Utc | None = Field(description="开始时间")
    ends_at: Utc | None = Field(description="结束时间")
    minutes: int = Field(description="大约几分钟")
    urgency: Urgency = Field(description="紧急程度")
    place_label: str = Field(description="大概位置，如“新建路社区东边”")
    coarse_lon: Lon = Field(description="大概位置圆心经度（WGS-84）")
    coarse_lat: Lat = Field(description="大概位置圆心纬度（WGS-84）")
    coarse_radius_m: int = Field(description="圆半径（米），圆内至少 20 户")
    distance_m: int = Field(description="离住处大约多远（米，取整）")
    reasons: list[Reason] = Field(description="为什么想到您，最多三条")
    made_at: Utc = Field(description="发出时间")
    expires_at: Utc = Field(description="最晚答复时间")
    rev: int = Field(description="修订号")


class TaskState(StrEnum):
    """Steps after a yes."""

    accepted = "accepted"
    serving = "serving"
    finished = "finished"
    handed_back = "handed_back"
    cancelled = "cancelled"


class TaskOut(WireOut):
    """What the winner sees. Name, door and phone are empty again once the task has ended."""

    id: UUID = Field(description="任务编号，即邀请编号")
    request_id: UUID = Field(description="求助编号")
    volunteer_id: UUID = Field(description="志愿者编号")
    state: TaskState = Field(description="状态")
    category: str = Field(description="事项代码")
    title: str = Field(description="事项名称")
    starts_at: Utc | None = Field(description="开始时间")
    ends_at: Utc | None = Field(description="结束时间")
    minutes: int = Field(description="大约几分钟")
    person_name: str = Field(description="要帮的人")
    person_age: int | None = Field(description="年龄")
    person_note: str = Field(description="相处提示")
    door: str = Field(description="门牌")
    phone: str = Field(description="电话")
    lon: Lon | None = Field(description="门的经度（WGS-84）")
    lat: Lat | None = Field(description="门的纬度（WGS-84）")
    accepted_at: Utc = Field(description="答应时间")
    checked_in_at: Utc | None = Field(description="签到时间")
    checked_out_at: Utc | None = Field(description="签退时间")
    late: bool = Field(default=False, description="说过会晚一点")
    rev: int = Field(description="修订号")


class CallOut(WireOut):
    """A line of the phone-call list: somebody to ring because no phone took the offer."""

    offer_id: UUID = Field(description="邀请编号")
    area_code: AreaCode = Field(description="求助所在网格编码")
    volunteer_id: UUID = Field(description="志愿者编号")
    volunteer_name: str = Field(description="志愿者姓名")
    volunteer_phone: str = Field(description="志愿者电话")
    title: str = Field(description="事项名称")
    starts_at: Utc | None = Field(description="开始时间")
    ends_at: Utc | None = Field(description="结束时间")
    place_label: str = Field(description="大概位置")
    urgency: Urgency = Field(description="紧急程度")
    expires_at: Utc = Field(description="最晚答复时间")
    quiet: bool = Field(description="现在是志愿者的免打扰时间，除非有生命危险不要打")


class ForgottenOut(WireOut):
    """A task whose end nobody has told: the volunteer is rung up and what they say is written down."""

    task_id: UUID = Field(description="任务编号")
    area_code: AreaCode = Field(description="求助所在网格编码")
    volunteer_id: UUID = Field(description="志愿者编号")
    volunteer_name: str = Field(description="志愿者姓名")
    volunteer_phone: str = Field(description="志愿者电话")
    title: str = Field(description="事项名称")
    checked_in_at: Utc = Field(description="签到时间")
    minutes: int = Field(description="原来大约要几分钟")


class DeclineIn(WireIn):
    """A no, with a reason if one was given."""

    model_config = example({"reason": "busy"})

    reason: DeclineReason | None = Field(default=None, description="理由，可不填")


class SpokenIn(WireIn):
    """What a volunteer said on the phone, written down by a worker."""

    model_config = example({"accepts": True})

    accepts: bool = Field(description="答应了")
    reason: DeclineReason | None = Field(default=None, description="不行的理由，可不填")


class HandBackIn(WireIn):
    """Giving a task back."""

    model_config = example({"reason": "家里临时有事"})

    reason: ShortText = Field(default="", description="理由，可不填")


class CheckIn(WireIn):
    """The moment of 签到 or 签退, as the phone saw it."""

    model_config = example({"at": "2026-11-24T09:03:00+08:00"})

    at: Utc = Field(description="手机上的时间")


class SpokenStep(StrEnum):
    """What a volunteer can report by phone call."""

    check_in = "check_in"
    check_out = "check_out"


class SpokenStepIn(WireIn):
    """When a volunteer arrived or left, as they said on the phone; written down by a worker."""

    model_config = example({"step": "check_in", "at": "2026-11-24T09:03:00+08:00"})

    step: SpokenStep = Field(description="到了（签到）或走了（签退）")
    at: Utc = Field(description="志愿者说的时间；不能比现在晚，也不能早于七天前")
