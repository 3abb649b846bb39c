"""Distances on the ground, stairwells as groups of doors, and how long ago a door was last answered."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from shared.residents import HouseholdOut
from shared.texts import _

WALK_M_PER_MIN = 70
DEGREE_M = 111_320
RECENT_DAYS, MONTH_DAYS = 30, 60
SEEN_WORDS = {"recent": _("30 天内"), "month": _("31–60 天"), "long": _("60 天以上"), "never": _("没见过")}
_WORST_FIRST = ("long", "never", "month", "recent")

LonLat = tuple[float, float]


@dataclass(frozen=True, slots=True)
class StairMark:
    """One stairwell on the map: how many doors, its worst state, and the house it belongs to."""

    key: str
    lon: float
    lat: float
    count: int
    state: str
    area_code: str
    house: str
    house_name: str


def metres(a: LonLat, b: LonLat) -> float:
    """Distance of two places that are close enough for the earth to be flat between them."""
    east = (b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, b[1] - a[1]) * DEGREE_M


def walking_minutes(distance_m: float) -> int:
    return max(1, math.ceil(distance_m / WALK_M_PER_MIN))


def seen_state(last_seen_on: date | None, today: date) -> str:
    if last_seen_on is None:
        return "never"
    days = (today - last_seen_on).days
    return "recent" if days <= RECENT_DAYS else "month" if days <= MONTH_DAYS else "long"


def stair_key(household: HouseholdOut) -> str:
    """Doors that share a stairwell; a house without one stands for itself."""
    stairs = (household.area_code, household.compound, household.building, household.unit)
    return "|".join(stairs) if household.building or household.unit else str(household.id)


def house_key(household: HouseholdOut) -> str:
    return "|".join((household.area_code, household.compound, household.building))


def stair_title(household: HouseholdOut) -> str:
    return " ".join(part for part in (household.building, household.unit) if part) or household.compound


def short_name(cell_name: str) -> str:
    """第3网格 of 杨家坪社区第3网格: beside the title there is no room for what its worker knows by heart."""
    numbered = re.search(r"第[0-9一二三四五六七八九十百]+网格$", cell_name)
    return numbered.group() if numbered else cell_name


def by_stairs(households: Iterable[HouseholdOut]) -> dict[str, list[HouseholdOut]]:
    """Stairwells with their doors, the highest floor first, as one would draw the house."""
    groups: dict[str, list[HouseholdOut]] = {}
    for household in households:
        groups.setdefault(stair_key(household), []).append(household)
    for doors in groups.values():
        doors.sort(key=lambda door: door.room)
        doors.sort(key=lambda door: _floor(door.room), reverse=True)
    return groups


def marks(groups: dict[str, list[HouseholdOut]], today: date) -> list[StairMark]:
    """A mark for every stairwell of which at least one door has a place."""
    found = []
    for key, doors in groups.items():
        places = [(door.lon, door.lat) for door in doors if door.lon is not None and door.lat is not None]
        if places:
            states = {seen_state(door.last_seen_on, today) for door in doors}
            worst = next(state for state in _WORST_FIRST if state in states)
            lon, lat = (sum(axis) / len(places) for axis in zip(*places, strict=True))
            house, name = house_key(doors[0]), doors[0].building
            found.append(StairMark(key, lon, lat, len(doors), worst, doors[0].area_code, house, name))
    return found


def rings(geometry: dict[str, Any]) -> list[list[LonLat]]:
    """Every ring of a GeoJSON Polygon or MultiPolygon, outer and inner alike: the map only draws lines."""
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return [[(point[0], point[1]) for point in ring] for polygon in polygons for ring in polygon]


def bounds(shapes: Iterable[list[LonLat]]) -> tuple[float, float, float, float]:
    """Least and greatest longitude and latitude; zeros when there is nothing."""
    points = [point for ring in shapes for point in ring]
    if not points:
        return (0.0, 0.0, 0.0, 0.0)
    lons, lats = zip(*points, strict=True)
    return (min(lons), min(lats), max(lons), max(lats))


def _floor(room: str) -> str:
    """Rooms are floor and two digits, so 1001 stands above 302."""
    return room[:-2].rjust(4, "0") if room.isdigit() else ""
