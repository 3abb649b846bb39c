"""Divisions and grid cells on the wire."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from shared.errors import Code
from shared.identifiers import full_credit_code
from shared.texts import _
from shared.types import AreaCode, CellCode, Crs, Day, Name, Position, ShortText, Utc, WireIn, WireOut, example


class Level(StrEnum):
    """Level of an administrative division."""

    province = "province"
    city = "city"
    county = "county"
    town = "town"
    community = "community"


class DivisionOut(WireOut):
    """An administrative division of the national statistical codes."""

    code: AreaCode = Field(description="行政区划编码")
    level: Level = Field(description="级别")
    name: str = Field(description="名称")
    parent_code: AreaCode | None = Field(description="上级编码")


class CellKind(StrEnum):
    """A basic cell partitions its community; a special-purpose one lies over basic cells."""

    basic = "basic"
    special = "special"


class Purpose(StrEnum):
    """What a special-purpose cell is for."""

    school = "school"
    factory = "factory"
    hospital = "hospital"
    market = "market"
    site = "site"
    scenic = "scenic"
    other = "other"


PURPOSE_WORDS = {
    Purpose.school: _("学校"),
    Purpose.factory: _("工厂企业"),
    Purpose.hospital: _("医院"),
    Purpose.market: _("商场市场"),
    Purpose.site: _("建筑工地"),
    Purpose.scenic: _("景区"),
    Purpose.other: _("其他"),
}

Geometry = Annotated[dict[str, Any], Field(description="GeoJSON Polygon 或 MultiPolygon，WGS-84")]


def _read_unit_code(given: str, info: ValidationInfo) -> str:
    """Bring a unit's code to how it is stored. Only what was sent is looked at, so a basic cell may leave it out."""
    if not given:
        return given
    if info.data.get("kind") is CellKind.basic:
        raise PydanticCustomError("unit_of_basic_cell", "a unit belongs to a special-purpose cell")
    code = full_credit_code(given)
    if code is None:
        raise PydanticCustomError("credit_code", "not a unified social credit code")
    return code


UnitCode = Annotated[ShortText, AfterValidator(_read_unit_code)]
"""Stands behind `kind` in its model."""

Given = TypeVar("Given")


def _fitting(given: Given, kind: CellKind, purpose: Purpose | None, unit_name: str) -> Given:
    if kind is CellKind.basic and (purpose or unit_name):
        raise ValueError("a purpose and a unit belong to a special-purpose cell")
    return given


class CellIn(WireIn):
    """A cell with its boundary as of a day."""

    model_config = example(
        {
            "name": "杨家坪社区第3网格",
            "kind": "basic",
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[106.52, 33.91], [106.524, 33.91], [106.524, 33.913], [106.52, 33.913], [106.52, 33.91]]
                ],
            },
            "from_day": "2026-11-23",
        }
    )

    name: Name = Field(description="网格名称")
    kind: CellKind = Field(default=CellKind.basic, description="网格种类")
    purpose: Purpose | None = Field(default=None, description="专属网格的用途")
    unit_name: ShortText = Field(default="", description="专属网格里的单位名称")
    unit_code: UnitCode = Field(default="", description="专属网格里单位的统一社会信用代码（GB 32100）")
    geometry: Geometry
    from_day: Day | None = Field(default=None, description="边界生效日期，默认今天")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        return _fitting(self, self.kind, self.purpose, self.unit_name)


class CellOut(WireOut):
    """A cell with its present boundary."""

    id: UUID = Field(description="编号")
    code: CellCode = Field(description="网格编码：社区 12 位 + 序号 3 位")
    name: str = Field(description="网格名称")
    kind: CellKind = Field(description="网格种类")
    purpose: Purpose | None = Field(default=None, description="专属网格的用途")
    unit_name: str = Field(default="", description="专属网格里的单位名称")
    unit_code: str = Field(default="", description="专属网格里单位的统一社会信用代码（GB 32100）")
    community_code: str = Field(description="社区编码")
    geometry: Geometry
    crs_name: Crs = Field(default=Crs.wgs84, description="边界的坐标系")
    from_day: Day = Field(description="边界生效日期")
    area_m2: int = Field(description="面积（平方米）")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class CellName(WireOut):
    """A cell of the county by its name, wherever its reader works: somebody may move there."""

    code: CellCode = Field(description="网格编码")
    name: str = Field(description="网格名称")


class CellNamesOut(WireOut):
    """All basic cells of the county."""

    cells: list[CellName] = Field(description="全县的基础网格，按编码排")


class SpecialHere(WireOut):
    """A special-purpose cell that a place lies in; it lies over the basic one."""

    cell_code: CellCode = Field(description="专属网格编码")
    cell_name: str = Field(description="专属网格名称")
    purpose: Purpose | None = Field(description="用途")
    unit_name: str = Field(description="单位名称")


class LocateOut(WireOut):
    """Which cell a point lies in."""

    cell_code: CellCode = Field(description="网格编码")
    cell_name: str = Field(description="网格名称")
    lon: float = Field(description="经度（WGS-84）")
    lat: float = Field(description="纬度（WGS-84）")
    special: list[SpecialHere] = Field(default_factory=list, description="这个位置上的专属网格")


LOCATE_LIMIT = 1000


class LocateManyIn(WireIn):
    """Places to be found in one go."""

    model_config = example({"points": [{"lon": 106.52, "lat": 33.91, "crs": "wgs84"}]})

    points: Annotated[list[Position], Field(min_length=1, max_length=LOCATE_LIMIT, description="位置，各带坐标系")]


class LocateAnswer(WireOut):
    """What came of one place: its cell, or why not."""

    index: int = Field(description="在这次请求里的位置，从 0 起")
    found: LocateOut | None = Field(description="所在网格")
    code: Code | None = Field(default=None, description="错误代码")
    sentence: str | None = Field(default=None, description="给人看的一句话")


class LocateManyOut(WireOut):
    """An answer for each place, in order."""

    answers: list[LocateAnswer] = Field(description="逐个结果")


class CellShape(CellIn):
    """A cell of a plan: new, or as it shall be."""

    model_config = example({
        "code": "610330100008003", "name": "杨家坪社区第3网格", "kind": "basic",
        "geometry": {"type": "Polygon", "coordinates": [
            [[106.52, 33.91], [106.524, 33.91], [106.524, 33.913], [106.52, 33.913], [106.52, 33.91]]]},
    })  # fmt: skip

    code: CellCode = Field(description="网格编码")
    from_day: None = Field(default=None, exclude=True, description="不用填，见方案的生效日期")


class _Loose(WireIn):
    """GeoJSON written by other tools, ours included, carries members that are no mistake."""

    model_config = ConfigDict(extra="ignore")


class GridProperties(_Loose):
    """What a feature says of its cell."""

    code: CellCode = Field(description="网格编码")
    name: Name = Field(description="网格名称")
    kind: CellKind = Field(default=CellKind.basic, description="网格种类")
    purpose: Purpose | None = Field(default=None, description="专属网格的用途")
    unit_name: ShortText = Field(default="", description="专属网格里的单位名称")
    unit_code: UnitCode = Field(default="", description="专属网格里单位的统一社会信用代码（GB 32100）")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        return _fitting(self, self.kind, self.purpose, self.unit_name)


class GridFeature(_Loose):
    """A cell as a GeoJSON feature."""

    type: Literal["Feature"] = Field(description="固定为 Feature")
    geometry: Geometry
    properties: GridProperties = Field(description="网格的属性")


CELLS_AT_ONCE = 300


class GridIn(_Loose):
    """All cells of a community as a GeoJSON FeatureCollection."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"examples": [{
        "type": "FeatureCollection", "crs_name": "wgs84", "effective_on": "2026-12-01",
        "features": [{
            "type": "Feature", "properties": {"code": "610330100008003", "name": "杨家坪社区第3网格"},
            "geometry": {"type": "Polygon", "coordinates": [
                [[106.52, 33.91], [106.524, 33.91], [106.524, 33.913], [106.52, 33.913], [106.52, 33.91]]]},
        }],
    }]})  # fmt: skip

    type: Literal["FeatureCollection"] = Field(description="固定为 FeatureCollection")
    features: Annotated[
        list[GridFeature], Field(min_length=1, max_length=CELLS_AT_ONCE, description="这个社区的全部网格")
    ]
    crs_name: Crs = Field(default=Crs.wgs84, description="坐标系：wgs84、gcj02 或 bd09")
    outline: dict[str, Any] | None = Field(default=None, description="社区边界（GeoJSON），有就核对")
    effective_on: Day | None = Field(default=None, description="生效日期，默认今天")
    reason: ShortText = Field(default="", description="为什么调整")


class Fault(StrEnum):
    """What can be wrong with the cells of a community."""

    bad_shape = "bad_shape"
    wrong_code = "wrong_code"
    twice = "twice"
    overlap = "overlap"
    outside_community = "outside_community"
    outside_county = "outside_county"
    gap = "gap"


class GridFinding(WireOut):
    """One thing that was found. A gap is told and may stay: a river belongs to nobody."""

    fault: Fault = Field(description="问题种类")
    cells: list[str] = Field(description="涉及的网格编码")
    area_m2: int | None = Field(default=None, description="面积（平方米）")
    geometry: dict[str, Any] | None = Field(default=None, description="在地图上的位置（GeoJSON）")
    sentence: str = Field(description="给人看的一句话")
    blocks: bool = Field(description="不改好就不能用")


class GridReport(WireOut):
    """Everything that was found, at once."""

    sound: bool = Field(description="可以用")
    findings: list[GridFinding] = Field(description="逐条问题")


class PlanState(StrEnum):
    """How far a plan of new boundaries has come."""

    draft = "draft"
    scheduled = "scheduled"
    applied = "applied"
    cancelled = "cancelled"


PLAN_WORDS = {
    PlanState.draft: _("草稿"),
    PlanState.scheduled: _("等生效"),
    PlanState.applied: _("已生效"),
    PlanState.cancelled: _("已取消"),
}


class PlanIn(WireIn):
    """New boundaries for a community, from a day on."""

    model_config = example({
        "community_code": "610330100008", "effective_on": "2026-12-01", "reason": "新楼入住，第3网格拆成两个",
        "cells": [{
            "code": "610330100008003", "name": "杨家坪社区第3网格", "kind": "basic",
            "geometry": {"type": "Polygon", "coordinates": [
                [[106.52, 33.91], [106.524, 33.91], [106.524, 33.913], [106.52, 33.913], [106.52, 33.91]]]},
        }],
        "closed": ["610330100008009"],
    })  # fmt: skip

    community_code: str = Field(pattern=r"^[0-9]{12}$", description="社区编码")
    effective_on: Day = Field(description="生效日期")
    reason: ShortText = Field(default="", description="为什么调整")
    cells: list[CellShape] = Field(max_length=CELLS_AT_ONCE, description="新的或变了的网格")
    closed: list[CellCode] = Field(default_factory=list, max_length=CELLS_AT_ONCE, description="撤销的网格")

    @model_validator(mode="after")
    def _about_one_community(self) -> Self:
        codes = [cell.code for cell in self.cells] + self.closed
        if not codes:
            raise ValueError("a plan changes something")
        if len(codes) != len(set(codes)) or any(code[:12] != self.community_code for code in codes):
            raise ValueError("each cell once, and all of one community")
        return self


class Decision(WireIn):
    """Where a household goes that the map cannot place."""

    household_id: UUID = Field(description="户编号")
    cell_code: CellCode = Field(description="归哪个网格")


class DecisionsIn(WireIn):
    """Decisions of a person; earlier ones about other households stay."""

    model_config = example({
        "decisions": [{"household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01", "cell_code": "610330100008003"}]
    })  # fmt: skip

    decisions: list[Decision] = Field(max_length=5000, description="逐户的决定")


class Moving(WireOut):
    """Who and what goes from one cell to another."""

    from_area: AreaCode = Field(description="现在的网格编码")
    to_area: AreaCode = Field(description="以后的网格编码")
    households: list[UUID] = Field(description="户")
    residents: list[UUID] = Field(description="居民")
    requests: list[UUID] = Field(description="没办完的求助和事件")
    due_visits: list[UUID] = Field(description="到期该走访的户")
    offers: list[UUID] = Field(description="没答复的邀请")


class WhyUndecided(StrEnum):
    """Why the map cannot say where a household goes."""

    no_position = "no_position"
    outside = "outside"
    disagrees = "disagrees"


class Undecided(WireOut):
    """A household that a person must place. Without a decision it stays, unless its cell is closed."""

    household_id: UUID = Field(description="户编号")
    head_name: str = Field(description="户主")
    door: str = Field(description="门牌")
    cell_code: AreaCode = Field(description="现在的网格编码")
    why: WhyUndecided = Field(description="没有坐标、在网格外、或登记的网格和坐标不一致")
    must: bool = Field(description="现在的网格要撤销，必须决定")
    decided: CellCode | None = Field(description="已决定归哪个网格")


class PreviewOut(WireOut):
    """What a plan will do if it is applied as things stand now."""

    plan_id: UUID = Field(description="方案编号")
    ready: bool = Field(description="没有还要决定的，边界也没问题")
    findings: list[GridFinding] = Field(description="边界的问题")
    moving: list[Moving] = Field(description="从哪个网格到哪个网格，各有谁和什么")
    undecided: list[Undecided] = Field(description="要人来决定的户")


class PlanOut(WireOut):
    """A plan of new boundaries."""

    id: UUID = Field(description="编号")
    community_code: str = Field(description="社区编码")
    effective_on: Day = Field(description="生效日期")
    reason: str = Field(description="为什么调整")
    state: PlanState = Field(description="进展")
    cells: list[CellShape] = Field(description="新的或变了的网格")
    closed: list[CellCode] = Field(description="撤销的网格")
    decisions: list[Decision] = Field(description="逐户的决定")
    made_by: str = Field(description="谁拟的")
    moved: dict[str, int] = Field(
        description="生效时移了多少：households、residents、requests、visits、offers、doors（空房）"
    )
    applied_at: Utc | None = Field(description="什么时候生效的")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class GridLoadedOut(WireOut):
    """What came of loading all cells of a community."""

    changed: bool = Field(description="和现在的不一样")
    plan: PlanOut | None = Field(description="由此生成的方案；没有变化则为空")
    report: GridReport = Field(description="边界核对结果")
