"""Positions: WGS-84, GCJ-02, BD-09 and distances. Pure; degrees in and out, longitude first."""

from collections.abc import Callable
from math import asin, atan2, cos, hypot, pi, radians, sin, sqrt

from shared.types import Crs

LonLat = tuple[float, float]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius; a distance by it is within 0.6 % of the ellipsoid's."""

# GCJ-02 shifts a position by smooth waves over the Krasovsky ellipsoid, inside this box only.
_AXIS_M, _ECCENTRICITY_2 = 6_378_245.0, 0.006_693_421_622_965_943_23
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_STEPS = 5
"""Each step of the inverse gains a factor of 400: 1.7 m after one, far below a millimetre after five."""

# BD-09 bends a GCJ-02 position once more, by ripples of its distance and direction from the origin, and moves it.
_RIPPLE = pi * 3000 / 180
_BD_EAST, _BD_NORTH = 0.0065, 0.006
_BD_STEPS = 8
"""Here a step gains a factor of 50 only."""


def to_wgs84(lon: float, lat: float, crs: Crs) -> LonLat:
    """Return the position in the system that everything is stored in."""
    if crs is Crs.bd09:
        lon, lat = _inverse(_to_bd09, lon, lat, _BD_STEPS)
    return (lon, lat) if crs is Crs.wgs84 else _inverse(to_gcj02, lon, lat, _STEPS)


def from_wgs84(lon: float, lat: float, crs: Crs) -> LonLat:
    """Return a stored position as another system has it."""
    if crs is Crs.wgs84:
        return lon, lat
    shifted = to_gcj02(lon, lat)
    return shifted if crs is Crs.gcj02 else _to_bd09(*shifted)


def to_gcj02(lon: float, lat: float) -> LonLat:
    """Return the position for a domestic map, some 400 m away; unchanged outside the country."""
    if not (_WEST <= lon <= _EAST and _SOUTH <= lat <= _NORTH):
        return lon, lat
    east, north = _shift_m(lon - 105.0, lat - 35.0)
    bend = 1 - _ECCENTRICITY_2 * sin(radians(lat)) ** 2
    parallel_m = radians(1) * _AXIS_M / sqrt(bend) * cos(radians(lat))
    meridian_m = radians(1) * _AXIS_M * (1 - _ECCENTRICITY_2) / (bend * sqrt(bend))
    return lon + east / parallel_m, lat + north / meridian_m


def _to_bd09(lon: float, lat: float) -> LonLat:
    far = hypot(lon, lat) + 0.00002 * sin(lat * _RIPPLE)
    turned = atan2(lat, lon) + 0.000003 * cos(lon * _RIPPLE)
    return far * cos(turned) + _BD_EAST, far * sin(turned) + _BD_NORTH


def _inverse(forth: Callable[[float, float], LonLat], lon: float, lat: float, steps: int) -> LonLat:
    """Invert by fixed-point steps: the shift hardly changes over its own length."""
    guess = lon, lat
    for _ in range(steps):
        there = forth(*guess)
        guess = guess[0] + lon - there[0], guess[1] + lat - there[1]
    return guess


def _shift_m(x: float, y: float) -> LonLat:
    """Metres to the east and north, by degrees from 105 E 35 N."""
    ripple = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    east = ripple + _waves(x, (20, 1), (40, 3), (150, 12), (300, 30))
    north = ripple + _waves(y, (20, 1), (40, 3), (160, 12), (320, 30))
    root = sqrt(abs(x))
    return (
        300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + east * 2 / 3,
        -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + north * 2 / 3,
    )


def _waves(at: float, *waves: tuple[int, int]) -> float:
    return sum(height * sin(at * pi / length) for height, length in waves)


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Return the great-circle distance in metres."""
    half_lat, half_lon = radians(lat_b - lat_a) / 2, radians(lon_b - lon_a) / 2
    chord = sin(half_lat) ** 2 + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))
