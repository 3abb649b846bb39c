"""Field types used on every wire: times, ids, place codes, positions and text that PostgreSQL can store."""

import os
import time
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

AREA_LEVELS: Final = (2, 4, 6, 9, 12, 15)
"""Lengths of a place code: province, city, county, town, community, cell."""


def to_utc(moment: datetime) -> datetime:
    """Turn an aware time into UTC, so that a retry reads exactly like the first reply."""
    return moment.astimezone(UTC)


def _storable(moment: datetime) -> datetime:
    """Look at the year in UTC: a time that only its zone brings into range could be stored and never be read again."""
    near = 1899 <= moment.year <= 2201  # further away it may have no time in UTC at all
    if not (near and 1900 <= to_utc(moment).year <= 2200):
        raise ValueError("year must be between 1900 and 2200")
    return to_utc(moment)


def _storable_day(day: date) -> date:
    if not 1880 <= day.year <= 2200:
        raise ValueError("year must be between 1880 and 2200")
    return day


# PostgreSQL refuses NUL in text; refusing it here makes that a 422 with a pointer instead of a server error.
_NO_NUL = r"^[^\x00]*$"

Utc = Annotated[AwareDatetime, AfterValidator(_storable)]
Day = Annotated[date, AfterValidator(_storable_day)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=_NO_NUL)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=_NO_NUL)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=_NO_NUL)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")]
# Not \d, which also takes the digits of other scripts.
AreaCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6}|[0-9]{9}|[0-9]{12}|[0-9]{15})$")]
CountyCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
CommunityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
CellCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{15}$")]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]


class Crs(StrEnum):
    """Coordinate system of a caller's position; everything stored is WGS-84 (CGCS2000 at this accuracy)."""

    wgs84 = "wgs84"
    gcj02 = "gcj02"
    bd09 = "bd09"


class WireIn(BaseModel):
    """What a caller sends: an unknown field is a mistake and is said so."""

    # What was sent is about people, and the text of an error may end in a log.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class WireOut(BaseModel):
    """What the server answers: an older phone ignores fields that it does not know."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


def example(body: dict[str, Any]) -> ConfigDict:
    """Configuration that shows a body in the API description."""
    return ConfigDict(json_schema_extra={"examples": [body]})


class Position(WireIn):
    """A place given by a caller, with the coordinate system it is in."""

    lon: Lon = Field(description="经度（度）")
    lat: Lat = Field(description="纬度（度）")
    crs: Crs = Field(description="坐标系：wgs84（含 CGCS2000）、gcj02 或 bd09")


class Point(WireOut):
    """A stored place in WGS-84 degrees."""

    lon: Lon = Field(description="经度（WGS-84，度）")
    lat: Lat = Field(description="纬度（WGS-84，度）")


def uuid7(unix_ms: int | None = None) -> UUID:
    """Make a UUID version 7 (RFC 9562): 48 bits of milliseconds, then random. Never an order, never a secret."""
    ms = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    value = (ms & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def is_within(area_code: str, prefix: str) -> bool:
    """Say whether a place lies in an area. Both are codes on level boundaries, so a plain prefix test is exact."""
    return area_code.startswith(prefix)


def community_of(area_code: str) -> str:
    """Return the community of a cell or community code; a wider code stands for itself."""
    return area_code[:12]
