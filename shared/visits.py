"""Visits on the wire."""

from enum import StrEnum
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.attachments import MOST, PhotoIn
from shared.requests import CATEGORIES, RequestKind, Urgency
from shared.texts import _
from shared.types import AreaCode, Crs, Day, Lat, Lon, Note, ShortText, Utc, WireIn, WireOut, example


class VisitMode(StrEnum):
    """How the worker met the household."""

    home = "home"
    phone = "phone"
    encounter = "encounter"
    workplace = "workplace"


class VisitOutcome(StrEnum):
    """What came of it."""

    seen = "seen"
    family = "family"
    absent = "absent"
    declined = "declined"
    moved = "moved"


class Finding(StrEnum):
    """What the worker noticed."""

    fine = "fine"
    unwell = "unwell"
    medication = "medication"
    heating = "heating"
    low_mood = "low_mood"
    utilities = "utilities"
    supplies = "supplies"
    dispute = "dispute"
    safety = "safety"
    other = "other"


class Evidence(StrEnum):
    """How well a fix supports that the worker stood at the door. A grade for readers, never a reason to refuse."""

    at_door = "at_door"
    near = "near"
    far = "far"
    vague = "vague"
    mock = "mock"
    none = "none"


class CorrectionKind(StrEnum):
    """What on the register turned out wrong at the door."""

    phone = "phone"
    moved_away = "moved_away"
    not_known = "not_known"
    new_person = "new_person"
    other = "other"


class CorrectionState(StrEnum):
    """Whether somebody has seen to it."""

    open = "open"
    done = "done"
    refused = "refused"


MODE_WORDS = {
    VisitMode.home: _("入户"),
    VisitMode.phone: _("电话"),
    VisitMode.encounter: _("路遇"),
    VisitMode.workplace: _("单位"),
}
OUTCOME_WORDS = {
    VisitOutcome.seen: _("见到本人"),
    VisitOutcome.family: _("见到家人"),
    VisitOutcome.absent: _("家中无人"),
    VisitOutcome.declined: _("拒访"),
    VisitOutcome.moved: _("已搬走"),
}
FINDING_WORDS = {
    Finding.fine: _("都好"),
    Finding.unwell: _("身体不适"),
    Finding.medication: _("用药"),
    Finding.heating: _("取暖用火"),
    Finding.low_mood: _("心情不好"),
    Finding.utilities: _("水电问题"),
    Finding.supplies: _("缺吃缺用"),
    Finding.dispute: _("矛盾纠纷"),
    Finding.safety: _("安全隐患"),
    Finding.other: _("其他"),
}
CORRECTION_WORDS = {
    CorrectionKind.phone: _("电话不对"),
    CorrectionKind.moved_away: _("已搬走"),
    CorrectionKind.not_known: _("查无此人"),
    CorrectionKind.new_person: _("有新住进来的人"),
    CorrectionKind.other: _("其他"),
}
EVIDENCE_WORDS = {
    Evidence.at_door: _("在门口"),
    Evidence.near: _("在附近"),
    Evidence.far: _("离得远"),
    Evidence.vague: _("定位不准"),
    Evidence.mock: _("模拟定位"),
    Evidence.none: _("没有定位"),
}


class Fix(WireIn):
    """Where the phone was when the visit was written down."""

    lon: Lon = Field(description="经度")
    lat: Lat = Field(description="纬度")
    crs: Crs = Field(default=Crs.wgs84, description="坐标系")
    accuracy_m: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] = Field(description="误差（米）")
    age_s: Annotated[int, Field(ge=0, le=10**9)] = Field(default=0, description="定位距记录的秒数")
    mock: bool = Field(default=False, description="系统标记为模拟定位")


class RequestFollowUp(WireIn):
    """A finding that becomes a request of the household. An open one of the same category takes it up instead."""

    kind: Literal["request"] = Field(description="转成求助或事件")
    id: UUID = Field(description="编号，由手机生成；新开时就是求助的编号")
    category: Annotated[str, Field(pattern=r"^[a-z_]{2,40}$")] = Field(description="事项代码")
    resident_id: UUID | None = Field(default=None, description="要帮的人")
    detail: Note = Field(default="", description="说明")
    urgency: Urgency = Field(default=Urgency.soon, description="紧急程度 0-3")

    @model_validator(mode="after")
    def _for_a_home(self) -> Self:
        category = CATEGORIES.get(self.category)
        if category is None or category.kind is RequestKind.matter:
            raise ValueError("neither help nor an incident")
        return self


class CorrectionFollowUp(WireIn):
    """Something on the register that is wrong, to be looked at by a person."""

    kind: Literal["correction"] = Field(description="登记信息有误")
    id: UUID = Field(description="编号，由手机生成")
    what: CorrectionKind = Field(description="哪里不对")
    resident_id: UUID | None = Field(default=None, description="关于谁；新住进来的人为空")
    said: Note = Field(default="", description="门口听到的说法，如新的电话")


FollowUp = Annotated[RequestFollowUp | CorrectionFollowUp, Field(discriminator="kind")]


class FollowUpIn(WireIn):
    """A follow-up of a visit that was recorded before."""

    follow_up: FollowUp = Field(description="要办的事，或要改的登记")


class VisitIn(WireIn):
    """A visit as a worker writes it down."""

    model_config = example(
        {
            "household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
            "mode": "home",
            "outcome": "seen",
            "findings": ["unwell"],
            "note": "说头晕",
            "visited_at": "2026-11-23T10:42:00+08:00",
            "return_on": "2026-11-24",
            "fix": {"lon": 106.5214, "lat": 33.9112, "crs": "wgs84", "accuracy_m": 8, "age_s": 2, "mock": False},
            "follow_ups": [
                {"kind": "request", "id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e05", "category": "escort_hospital"},
                {"kind": "correction", "id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e06", "what": "phone"},
            ],
            "photos": [
                {
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "size": 184320,
                    "width": 1600,
                    "height": 1200,
                }
            ],
        }
    )

    household_id: UUID = Field(description="户编号")
    resident_id: UUID | None = Field(default=None, description="见到的人")
    mode: VisitMode = Field(default=VisitMode.home, description="走访方式")
    outcome: VisitOutcome = Field(description="结果")
    findings: list[Finding] = Field(default_factory=list, max_length=12, description="发现的情况")
    note: Note = Field(default="", description="说明")
    visited_at: Utc = Field(description="走访时间")
    return_on: Day | None = Field(default=None, description="约好再来的日期")
    fix: Fix | None = Field(default=None, description="定位")
    follow_ups: list[FollowUp] = Field(default_factory=list, max_length=6, description="由此要办的事、要改的登记")
    photos: list[PhotoIn] = Field(default_factory=list, max_length=MOST, description="照片清单；照片随后分块上传")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.id for one in self.follow_ups}) < len(self.follow_ups):
            raise ValueError("a follow-up is named twice")
        if len({photo.sha256 for photo in self.photos}) < len(self.photos):
            raise ValueError("a photo is named twice")
        return self


class VisitOut(WireOut):
    """A stored visit."""

    id: UUID = Field(description="编号，由手机生成")
    area_code: AreaCode = Field(description="所属网格编码（户现在的网格）")
    happened_in: AreaCode = Field(description="发生时的网格编码，永不改变")
    household_id: UUID = Field(description="户编号")
    resident_id: UUID | None = Field(description="见到的人")
    worker_id: UUID = Field(description="走访人账号")
    worker_name: str = Field(description="走访人姓名")
    mode: VisitMode = Field(description="走访方式")
    outcome: VisitOutcome = Field(description="结果")
    findings: list[Finding] = Field(description="发现的情况")
    note: str = Field(description="说明")
    visited_at: Utc = Field(description="走访时间")
    return_on: Day | None = Field(description="约好再来的日期")
    lon: Lon | None = Field(description="定位经度（WGS-84）")
    lat: Lat | None = Field(description="定位纬度（WGS-84）")
    accuracy_m: float | None = Field(description="误差（米）")
    distance_m: int | None = Field(description="离门口的距离（米）")
    fix_area_code: AreaCode | None = Field(description="定位点所在网格")
    evidence: Evidence = Field(description="位置证据等级")
    photo_count: int = Field(default=0, description="附有几张照片，见照片清单")
    received_at: Utc = Field(description="服务器收到时间")


class FollowUpOut(WireOut):
    """What became of a follow-up."""

    id: UUID = Field(description="编号，由手机生成")
    kind: Literal["request", "correction"] = Field(description="求助（事件），或登记更正")
    target_id: UUID = Field(description="求助或更正的编号；已有同类未办结的，就是那一件")
    attached: bool = Field(description="已有同类未办结的，并入了那一件")


class CorrectionOut(WireOut):
    """A doubt about the register that a worker brought back from a door."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所属网格编码")
    household_id: UUID = Field(description="户编号")
    resident_id: UUID | None = Field(description="关于谁")
    visit_id: UUID = Field(description="哪次走访发现的")
    what: CorrectionKind = Field(description="哪里不对")
    said: str = Field(description="门口听到的说法")
    noted_by: str = Field(description="谁记的")
    state: CorrectionState = Field(description="待核对、已更正、不更正")
    reason: str = Field(description="不更正的理由，或办理说明")
    settled_by: str = Field(description="谁办的；未办为空")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class CorrectionSettleIn(WireIn):
    """What a person decided about it."""

    model_config = example({"state": "done", "reason": "电话已改"})

    state: Literal[CorrectionState.done, CorrectionState.refused] = Field(description="已更正，或不更正")
    reason: ShortText = Field(default="", description="说明；不更正时必填")
