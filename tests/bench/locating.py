"""How long a place takes to find its cell, in this process."""

import random
import time
from math import cos, radians, sin
from statistics import median

import orjson

from backend.grid.locate import CountyGrid

SIDE, CORNERS, POINTS = 71, 24, 4000
_STEP = 0.01


def microseconds() -> float:
    """Return the time of one look-up among some 5,000 cells of 24 corners."""
    grid = CountyGrid(None, [_cell(i, j) for i in range(SIDE) for j in range(SIDE)])
    chance = random.Random(1)
    points = [(106 + chance.random() * SIDE * _STEP, 33 + chance.random() * SIDE * _STEP) for _ in range(POINTS)]
    found = sum(grid.find(*point) is not None for point in points)
    assert found > POINTS * 0.6, f"only {found} of {POINTS} places were found"
    return median(_round(grid, points) for _ in range(5))


def _round(grid: CountyGrid, points: list[tuple[float, float]]) -> float:
    started = time.perf_counter()
    for lon, lat in points:
        grid.find(lon, lat)
    return (time.perf_counter() - started) / len(points) * 1e6


def _cell(i: int, j: int) -> tuple[str, str, str]:
    west, south = 106 + i * _STEP, 33 + j * _STEP
    turns = [radians(360 * n / CORNERS) for n in range(CORNERS)]
    ring = [[west + _STEP * (0.5 + cos(t) / 2), south + _STEP * (0.5 + sin(t) / 2)] for t in turns]
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    return f"{i:03}{j:03}", "网格", orjson.dumps(geometry).decode()
