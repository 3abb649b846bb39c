"""Visits on the wire."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.types import AreaCode, Crs, Day, Lat, Lon, Note, Utc, WireIn, WireOut, example


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


MODE_WORDS = {
    VisitMode.home: "入户",
    VisitMode.phone: "电话",
    VisitMode.encounter: "路遇",
    VisitMode.workplace: "单位",
}
OUTCOME_WORDS = {
    VisitOutcome.seen: "见到本人",
    VisitOutcome.family: "见到家人",
    VisitOutcome.absent: "家中无人",
    VisitOutcome.declined: "拒访",
    VisitOutcome.moved: "已搬走",
}
FINDING_WORDS = {
    Finding.fine: "都好",
    Finding.unwell: "身体不适",
    Finding.medication: "用药",
    Finding.heating: "取暖用火",
    Finding.low_mood: "心情不好",
    Finding.utilities: "水电问题",
    Finding.supplies: "缺吃缺用",
    Finding.dispute: "矛盾纠纷",
    Finding.safety: "安全隐患",
    Finding.other: "其他",
}
EVIDENCE_WORDS = {
    Evidence.at_door: "在门口",
    Evidence.near: "在附近",
    Evidence.far: "离得远",
    Evidence.vague: "定位不准",
    Evidence.mock: "模拟定位",
    Evidence.none: "没有定位",
}


class Fix(WireIn):
    """Where the phone was when the visit was written down."""

    lon: Lon = Field(description="经度")
    lat: Lat = Field(description="纬度")
    crs: Crs = Field(default=Crs.wgs84, description="坐标系")
    accuracy_m: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] = Field(description="误差（米）")
    age_s: Annotated[int, Field(ge=0, le=10**9)] = Field(default=0, description="定位距记录的秒数")
    mock: bool = Field(default=False, description="系统标记为模拟定位")


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
    received_at: Utc = Field(description="服务器收到时间")
