"""Divisions and grid cells on the wire."""

from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from shared.types import AreaCode, CellCode, Day, Name, Utc, WireIn, WireOut, example


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


Geometry = Annotated[dict[str, Any], Field(description="GeoJSON Polygon 或 MultiPolygon，WGS-84")]


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
    geometry: Geometry
    from_day: Day | None = Field(default=None, description="边界生效日期，默认今天")


class CellOut(WireOut):
    """A cell with its present boundary."""

    id: UUID = Field(description="编号")
    code: CellCode = Field(description="网格编码：社区 12 位 + 序号 3 位")
    name: str = Field(description="网格名称")
    kind: CellKind = Field(description="网格种类")
    community_code: str = Field(description="社区编码")
    geometry: Geometry
    from_day: Day = Field(description="边界生效日期")
    area_m2: int = Field(description="面积（平方米）")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class LocateOut(WireOut):
    """Which cell a point lies in."""

    cell_code: CellCode = Field(description="网格编码")
    cell_name: str = Field(description="网格名称")
    lon: float = Field(description="经度（WGS-84）")
    lat: float = Field(description="纬度（WGS-84）")
