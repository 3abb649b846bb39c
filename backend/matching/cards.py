"""The coarse place on an invitation: a circle of at least twenty households, never a door.

The circle is drawn around a fixed square of the ground. Jitter would average out over repeated invitations; the same
square every time gives nothing away however often it is shown.
"""

import re
from collections import Counter
from collections.abc import Sequence
from math import atan2, ceil, cos, floor, pi, radians
from typing import NamedTuple

from backend.grid.geo import distance_m
from shared.texts import _

LonLat = tuple[float, float]

ENOUGH_HOUSEHOLDS = 20
SMALLEST_M = 200
_METRES_PER_DEGREE = 111_320.0
# One latitude for every square: squares are then fixed for ever, at the price of a few per cent of their width.
_LATITUDE = radians(34)

_DIRECTIONS = (_("东边"), _("东北边"), _("北边"), _("西北边"), _("西边"), _("西南边"), _("南边"), _("东南边"))
_CENTRAL = 0.35
"""Share of the way from the middle to the edge that still counts as the middle."""

_OFFICE = re.compile(r"(?:居民委员会|居委会)$|(?<=村)(?:民委员会|委会)$")


class Circle(NamedTuple):
    """A coarse place in WGS-84 degrees."""

    lon: float
    lat: float
    radius_m: int


class Neighbourhood:
    """The doors of one community, one entry for each household."""

    def __init__(self, name: str, doors: Sequence[LonLat]) -> None:
        self.name = _OFFICE.sub("", name)
        self._doors = doors
        self._counts: dict[int, Counter[tuple[int, int]]] = {}

    def around(self, lon: float, lat: float) -> Circle:
        """Return the circle around the smallest square that holds this door and enough households, or all there are."""
        size, enough = SMALLEST_M, min(ENOUGH_HOUSEHOLDS, len(self._doors))
        while self._households(size)[_square(lon, lat, size)] < enough:
            size *= 2  # squares of the next size cover these exactly, and in the end one covers everybody
        return _circle(_square(lon, lat, size), size)

    def _households(self, size: int) -> Counter[tuple[int, int]]:
        if size not in self._counts:
            self._counts[size] = Counter(_square(lon, lat, size) for lon, lat in self._doors)
        return self._counts[size]

    def label(self, circle: Circle) -> str:
        """Say roughly where in the community the circle lies, as in 新建路社区东边; without known doors only which."""
        if not self._doors:
            return self.name
        east = _offset(circle.lon, [lon for lon, _ in self._doors])
        north = _offset(circle.lat, [lat for _, lat in self._doors])
        if max(abs(east), abs(north)) < _CENTRAL:
            return _("{name}中间").format(name=self.name)
        return self.name + _DIRECTIONS[round(atan2(north, east) / (pi / 4)) % 8]


def _degrees(size: int) -> LonLat:
    return size / (_METRES_PER_DEGREE * cos(_LATITUDE)), size / _METRES_PER_DEGREE


def _square(lon: float, lat: float, size: int) -> tuple[int, int]:
    width, height = _degrees(size)
    return floor(lon / width), floor(lat / height)


def _circle(square: tuple[int, int], size: int) -> Circle:
    width, height = _degrees(size)
    west, south = square[0] * width, square[1] * height
    lon, lat = west + width / 2, south + height / 2
    # The corner nearer the equator is the farther one.
    corner = max(distance_m(lon, lat, west, south), distance_m(lon, lat, west, south + height))
    return Circle(round(lon, 6), round(lat, 6), ceil(corner / 10) * 10)


def _offset(value: float, values: Sequence[float]) -> float:
    """Return how far from the middle of the values this one lies; 1 is their edge."""
    low, high = min(values), max(values)
    half = (high - low) / 2
    return (value - low - half) / half if half else 0.0
