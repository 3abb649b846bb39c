"""Made-up ground: communities lie along a bending valley, cut into cells without gap or overlap.

Every line is drawn once, as points already rounded to six decimals, and both neighbours read the same points. The walls
of the upper and the lower row stand at different places, so that the map is no chessboard.
"""

from datetime import datetime
from itertools import pairwise
from math import cos, radians, sin
from random import Random
from typing import NamedTuple

from backend.demo.ids import mint, stream
from backend.demo.records import Cell, LonLat
from backend.demo.words.places import COMMUNITIES, Ground

_METRES_PER_DEGREE = 111_320.0
_STEP = 76.0
_STEPS = 12
_HEIGHT = 236.0
# Inner walls of one row in steps from the community's west end; no cell is narrower than three steps.
_WALLS = ((4, 8), (3, 8), (4, 9), (5, 9), (3, 7), (5, 8))


class Frame(NamedTuple):
    """Local metres (east, north) around an origin."""

    lon: float
    lat: float

    def to_lonlat(self, x: float, y: float) -> LonLat:
        east = _METRES_PER_DEGREE * cos(radians(self.lat))
        return round(self.lon + x / east, 6), round(self.lat + y / _METRES_PER_DEGREE, 6)

    def to_metres(self, point: LonLat) -> tuple[float, float]:
        east = _METRES_PER_DEGREE * cos(radians(self.lat))
        return (point[0] - self.lon) * east, (point[1] - self.lat) * _METRES_PER_DEGREE


SHUANGSHIPU = Frame(106.52, 33.91)
FENGZHOU = Frame(106.66, 33.96)
_VALLEYS = ((SHUANGSHIPU, COMMUNITIES[:3]), (FENGZHOU, COMMUNITIES[3:]))


def frame_of(area_code: str) -> Frame:
    """Return the local frame of a community or of a cell in it."""
    return next(frame for frame, grounds in _VALLEYS if any(area_code.startswith(g.code) for g in grounds))


def draw_cells(seed: int, founded: datetime) -> tuple[Cell, ...]:
    """Draw the six cells of each community."""
    rng = stream(seed, "ground")
    return tuple(
        Cell(mint(rng, founded), f"{ground.code}{number:03d}", ground.code, f"{ground.name}第{number}网格", ring)
        for frame, grounds in _VALLEYS
        for ground, rings in zip(grounds, _Valley(rng, frame, grounds).rings(), strict=True)
        for number, ring in enumerate(rings, 1)
    )


class _Valley:
    """Three long lines (south, middle, north) and the walls between them."""

    def __init__(self, rng: Random, frame: Frame, grounds: tuple[Ground, ...]) -> None:
        self._rng, self._frame, self._count = rng, frame, len(grounds)
        self._bend = rng.uniform(30, 60)
        self._lines = [self._long_line(offset) for offset in (-_HEIGHT, 0.0, _HEIGHT)]
        self._walls: dict[tuple[int, int], list[LonLat]] = {}

    def rings(self) -> list[list[tuple[LonLat, ...]]]:
        """Return the rings of each community: the northern row from west to east, then the southern one."""
        return [self._community(index * _STEPS) for index in range(self._count)]

    def _community(self, west: int) -> list[tuple[LonLat, ...]]:
        north, south = self._rng.sample(_WALLS, 2)
        rows = ((1, (0, *north, _STEPS)), (0, (0, *south, _STEPS)))
        return [self._ring(row, west + left, west + right) for row, walls in rows for left, right in pairwise(walls)]

    def _ring(self, row: int, left: int, right: int) -> tuple[LonLat, ...]:
        below, above = self._lines[row][left : right + 1], self._lines[row + 1][left : right + 1]
        ring = [*below, *self._wall(row, right), *above[::-1], *self._wall(row, left)[::-1]]
        return (*ring, ring[0])

    def _wall(self, row: int, step: int) -> list[LonLat]:
        """Return the inner points of a wall from south to north, the same for both sides."""
        if (row, step) not in self._walls:
            foot, top = (self._frame.to_metres(self._lines[line][step]) for line in (row, row + 1))
            self._walls[row, step] = [self._between(foot, top, share) for share in (0.34, 0.67)]
        return self._walls[row, step]

    def _between(self, foot: tuple[float, float], top: tuple[float, float], share: float) -> LonLat:
        x, y = (a + (b - a) * share for a, b in zip(foot, top, strict=True))
        return self._frame.to_lonlat(x + self._rng.uniform(-14, 14), y + self._rng.uniform(-8, 8))

    def _long_line(self, offset: float) -> list[LonLat]:
        length = self._count * _STEPS
        return [self._bent(step - length / 2, offset) for step in range(length + 1)]

    def _bent(self, step: float, offset: float) -> LonLat:
        x = step * _STEP + self._rng.uniform(-10, 10)
        y = offset + self._bend * sin(step / 5) + step * 4 + self._rng.uniform(-11, 11)
        return self._frame.to_lonlat(x, y)
