"""Plane geometry of the map: metres, filled cells, marks that make way for each other, and room for a word."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from kivy.graphics.tesselator import Tesselator

from mobile.grid.rules import DEGREE_M, LonLat

Point = tuple[float, float]
Ring = list[Point]
Rect = tuple[float, float, float, float]
"""Left, foot, right, top."""

ROUNDS = 40
TOUCHING = 0.5


@dataclass(frozen=True, slots=True)
class LocalGround:
    """Metres around the middle of the bounds: degrees are too large for the float32 of a graphics card."""

    lon: float
    lat: float

    def metres(self, place: LonLat) -> Point:
        east = (place[0] - self.lon) * math.cos(math.radians(self.lat))
        return east * DEGREE_M, (place[1] - self.lat) * DEGREE_M


def triangles(rings: Sequence[Ring]) -> list[Sequence[float]]:
    """A cell as fans of triangles; its inner rings stay holes."""
    tesselator = Tesselator()
    for ring in rings:
        tesselator.add_contour([value for point in ring for value in point])
    tesselator.tesselate()
    return [vertices for vertices, _indices in tesselator.meshes]


def inside(point: Point, rings: Iterable[Ring]) -> bool:
    """Whether a line from the point to the east crosses the rings an odd number of times."""
    x, y = point
    odd = False
    for ring in rings:
        for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]):
            if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
                odd = not odd
    return odd


def frame(points: Iterable[Point]) -> Rect:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def nearest_pair(places: Iterable[Point], apart: float) -> float:
    """How near two places come to each other, but for those closer than `apart`, which no scale could part."""
    ways = (math.dist(a, b) for a, b in combinations(places, 2))
    return min((way for way in ways if way > apart), default=math.inf)


def make_way(places: Sequence[Point], radii: Sequence[float], fixed: int = -1) -> list[Point]:
    """Push overlapping circles apart, no further than it takes; the `fixed` one stays where it is."""
    moved = list(places)
    pairs = list(combinations(range(len(moved)), 2))
    for _ in range(ROUNDS):
        if not sum(_part(moved, a, b, radii[a] + radii[b], fixed) for a, b in pairs):
            break
    return moved


def _part(moved: list[Point], a: int, b: int, wanted: float, fixed: int) -> bool:
    (ax, ay), (bx, by) = moved[a], moved[b]
    away = math.hypot(bx - ax, by - ay)
    lack = wanted - away
    if lack <= TOUCHING:
        return False
    # Two in one place part sideways.
    east, north = ((bx - ax) / away, (by - ay) / away) if away else (1.0, 0.0)
    share = 0.0 if a == fixed else 1.0 if b == fixed else 0.5
    back, on = lack * share, lack * (1 - share)
    moved[a] = ax - east * back, ay - north * back
    moved[b] = bx + east * on, by + north * on
    return True


def along(ring: Ring, step: float) -> Iterator[Point]:
    """Points on the way around a closed ring."""
    for (ax, ay), (bx, by) in pairwise([*ring, ring[0]]):
        count = max(1, math.ceil(math.hypot(bx - ax, by - ay) / step))
        yield from ((ax + (bx - ax) * part / count, ay + (by - ay) * part / count) for part in range(count))


def around(centre: Point, wide: float, high: float) -> Rect:
    return centre[0] - wide / 2, centre[1] - high / 2, centre[0] + wide / 2, centre[1] + high / 2


def overlap(a: Rect, b: Rect) -> float:
    """The area that two rectangles share."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def covered(rect: Rect, taken: Iterable[Rect]) -> float:
    return sum(overlap(rect, other) for other in taken)
