"""Boundaries as shapes: what counts as a good one, where the county ends, overlaps and areas."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

import geojson_pydantic
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from backend.core.errors import Refusal
from backend.grid.founding import DATA
from backend.grid.geo import LonLat, from_wgs84, to_wgs84
from shared.errors import Code
from shared.texts import _
from shared.types import Crs

SLIVER_M2 = 1.0
"""Neighbours drawn with different tools meet in slivers; more than this is an overlap."""

OUTLINE_TOLERANCE_DEG = 0.005
"""About 500 m: the outline is too coarse to refuse a cell that follows the real border."""

# WGS-84
_AXIS_M, _FLATTENING = 6_378_137.0, 1 / 298.257223563
_E2 = _FLATTENING * (2 - _FLATTENING)
_E = _E2**0.5
_PIECE_DEG = 0.001

_geometry: TypeAdapter[geojson_pydantic.Polygon | geojson_pydantic.MultiPolygon] = TypeAdapter(
    Annotated[geojson_pydantic.Polygon | geojson_pydantic.MultiPolygon, Field(discriminator="type")]
)

_WHY_INVALID = {
    "Self-intersection": _("边界自己交叉了"),
    "Ring Self-intersection": _("边界碰到了自己"),
    "Hole lies outside shell": _("有一个洞在边界外面"),
    "Holes are nested": _("洞里面还有洞"),
    "Nested shells": _("一块地套在另一块地里"),
    "Duplicate Rings": _("有两圈完全一样"),
    "Interior is disconnected": _("里面被切断了"),
    "Too few points in geometry component": _("角太少"),
}


@dataclass(frozen=True, slots=True)
class Boundary:
    """A good boundary: its shape, and its GeoJSON as it is stored (two dimensions, type and coordinates only)."""

    shape: Any
    geojson: dict[str, Any]


def read(given: dict[str, Any]) -> Boundary:
    """Read GeoJSON; refuse anything but a valid Polygon or MultiPolygon with coordinates on this planet."""
    try:
        parsed = _geometry.validate_python(given)
    except (ValidationError, OverflowError, RecursionError) as error:
        raise _bad(_("要 GeoJSON 的 Polygon 或 MultiPolygon：每一圈至少四个点，首尾相同，坐标是数字。")) from error
    coordinates = _two_dimensions(parsed.coordinates)
    flat = np.array(list(_points(coordinates)), dtype=float).reshape(-1, 2)
    if not len(flat):
        raise _bad(_("边界是空的。"))
    if not (np.isfinite(flat).all() and (np.abs(flat) <= (180.0, 90.0)).all()):
        raise _bad(_("坐标要在经度 ±180、纬度 ±90 以内，经度在前。"))
    geojson = {"type": parsed.type, "coordinates": coordinates}
    shape = shapely.geometry.shape(geojson)
    if not shapely.is_valid(shape):
        raise _bad(_explain(shapely.is_valid_reason(shape)))
    return Boundary(shape, geojson)


def read_in(given: dict[str, Any], crs: Crs) -> Boundary:
    """Read GeoJSON whose positions are in another system."""
    boundary = read(given)
    if crs is Crs.wgs84:
        return boundary
    return read(_each(boundary.geojson, lambda lon, lat: to_wgs84(lon, lat, crs)))


def drawn_in(geometry: dict[str, Any], crs: Crs) -> dict[str, Any]:
    """Return a stored boundary for a map of another system."""
    return geometry if crs is Crs.wgs84 else _each(geometry, lambda lon, lat: from_wgs84(lon, lat, crs))


def _each(geometry: dict[str, Any], shift: Callable[[float, float], LonLat]) -> dict[str, Any]:
    return {**geometry, "coordinates": _shifted(geometry["coordinates"], shift)}


def _shifted(part: list[Any], shift: Callable[[float, float], LonLat]) -> list[Any]:
    if part and not isinstance(part[0], list):
        return [round(value, 9) for value in shift(part[0], part[1])]
    return [_shifted(inner, shift) for inner in part]


def as_text(geometry: dict[str, Any]) -> str:
    return orjson.dumps(geometry).decode()


def _bad(detail: str) -> Refusal:
    return Refusal(Code.bad_geometry, detail, pointer="/geometry")


def _two_dimensions(part: Any) -> list[Any]:
    """Return plain nested lists without altitudes and without empty parts."""
    if part and isinstance(part[0], float):
        return list(part[:2])
    return [_two_dimensions(inner) for inner in part if inner]


def _points(part: list[Any]) -> Iterable[list[float]]:
    if part and isinstance(part[0], float):
        yield part
    else:
        for inner in part:
            yield from _points(inner)


def _explain(reason: str) -> str:
    """Say in Chinese what is wrong and where, from e.g. `Self-intersection[106.5 33.9]`."""
    what, _unused, where = reason.partition("[")
    place = _("，").join(re.findall(r"-?\d+\.?\d*", where)[:2])
    words = _WHY_INVALID.get(what.strip(), _("图形无效"))
    return (
        _("{words}（在 {place} 附近）。").format(words=words, place=place)
        if place
        else _("{words}。").format(words=words)
    )


@cache
def outline(county: str) -> Any:
    """Return the county's outline with some tolerance, prepared for many questions; None when we have no map of it."""
    feature = orjson.loads((DATA / "fengxian_outline.geojson").read_bytes())
    if feature["properties"]["code"] != county:
        return None
    shape = shapely.geometry.shape(feature["geometry"]).buffer(OUTLINE_TOLERANCE_DEG)
    shapely.prepare(shape)
    return shape


def refuse_outside(county: str, boundary: Boundary) -> None:
    border = outline(county)
    if border is not None and not shapely.covers(border, boundary.shape):
        raise Refusal(Code.outside_county, pointer="/geometry")


def refuse_overlap(boundary: Boundary, neighbours: Iterable[tuple[str, str]]) -> None:
    """Refuse a boundary that takes ground from a neighbour, given as (code, GeoJSON text)."""
    for code, geojson in neighbours:
        common = shapely.intersection(boundary.shape, shapely.from_geojson(geojson))
        if (shared := area_m2(common)) > SLIVER_M2:
            raise Refusal(
                Code.cells_overlap,
                _("和网格 {code} 重叠了 {shared:.0f} 平方米。").format(code=code, shared=shared),
                pointer="/geometry",
            )


def area_m2(shape: Any) -> float:
    """Return the area on the WGS-84 ellipsoid.

    By the Lambert cylindrical equal-area projection, which is exact but for edges: there they bend, so they are cut
    into pieces of about 100 m first. That leaves an error of less than one part in a million.
    """
    return float(shapely.area(shapely.transform(shapely.segmentize(shape, _PIECE_DEG), _equal_area)))


def _equal_area(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    sine = np.sin(np.radians(lonlat[:, 1]))
    authalic = sine / (1 - _E2 * sine**2) + np.arctanh(_E * sine) / _E
    return np.column_stack([_AXIS_M * np.radians(lonlat[:, 0]), _AXIS_M * (1 - _E2) / 2 * authalic])
