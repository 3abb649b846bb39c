"""Doors: stairwells of apartment houses and a few courtyards, laid out inside each cell."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import NamedTuple

from shapely import Point, Polygon

from backend.demo.ground import frame_of
from backend.demo.ids import mint, stream
from backend.demo.records import Cell, Dwelling, Household
from backend.demo.words.places import COMMUNITIES, SIDE_ROOMS

_SPACE = 37.0
_ROW = 45.0
_MARGIN = 22.0
_OCCUPIED = 0.86
_GROUNDS = {ground.code: ground for ground in COMMUNITIES}

Place = tuple[float, float]
House = list[Place]


class Entrance(NamedTuple):
    """A stairwell or, without a unit, a courtyard; in local metres."""

    compound: str
    building: str
    unit: str
    place: Place


def build_homes(seed: int, cells: tuple[Cell, ...], founded: datetime) -> tuple[list[Dwelling], list[Household]]:
    """Return the doors that somebody lives behind, and one household for each."""
    rng = stream(seed, "homes")
    dwellings = [door for cell in cells for door in _doors(rng, cell, founded)]
    return dwellings, [Household(mint(rng, founded), door.area_code, door.id) for door in dwellings]


def _doors(rng: Random, cell: Cell, founded: datetime) -> Iterator[Dwelling]:
    for entrance in _entrances(rng, cell):
        lon, lat = frame_of(cell.code).to_lonlat(*entrance.place)
        name = entrance.compound, entrance.building, entrance.unit
        for room in _rooms(rng, entrance):
            yield Dwelling(mint(rng, founded), cell.code, *name, room, lon, lat)


def _rooms(rng: Random, entrance: Entrance) -> list[str]:
    if not entrance.unit:
        return list(SIDE_ROOMS[: rng.randint(1, 3)])
    floors = rng.choice((4, 5, 5, 5, 6))
    rooms = [f"{floor}0{door}" for floor in range(1, floors + 1) for door in (1, 2)]
    return [room for room in rooms if rng.random() < _OCCUPIED]


def _entrances(rng: Random, cell: Cell) -> list[Entrance]:
    houses, spare = _choose(rng, _rows(rng, cell))
    ground, number = _GROUNDS[cell.community_code], int(cell.code[-3:])
    compounds = ground.compounds[2 * number - 2 : 2 * number]
    lane = rng.choice(ground.lanes)
    courtyards = [
        # The cell's number opens the house number, so that two cells on one lane never share a gate.
        Entrance(lane, f"{number}{index:02d}号院", "", place)
        for index, place in enumerate(rng.sample(spare, min(len(spare), rng.randint(2, 4))), 1)
    ]
    return [*_stairwells(compounds, houses), *courtyards]


def _stairwells(compounds: tuple[str, ...], houses: list[House]) -> Iterator[Entrance]:
    """Name the western houses after one compound and the eastern ones after the other."""
    by_west = sorted(houses)
    half = (len(houses) + 1) // 2
    for compound, part in zip(compounds, (by_west[:half], by_west[half:]), strict=True):
        for building, house in enumerate(sorted(part, key=lambda h: -h[0][1]), 1):
            for unit, place in enumerate(house, 1):
                yield Entrance(compound, f"{building}号楼", f"{unit}单元", place)


def _choose(rng: Random, rows: list[House]) -> tuple[list[House], list[Place]]:
    """Pick houses for about nine stairwells; what is left between them is room for courtyards."""
    houses, wanted = [house for row in rows for house in _cut(rng, row)], rng.randint(8, 9)
    rng.shuffle(houses)
    chosen: list[House] = []
    while houses and sum(map(len, chosen)) < wanted:
        chosen.append(houses.pop())
    built = {place for house in chosen for place in house}
    return chosen, [place for row in rows for place in row if place not in built]


def _cut(rng: Random, row: House) -> Iterator[House]:
    """Cut a row of places into houses of one to three stairwells with a gap after each."""
    start = 0
    while start < len(row):
        units = rng.choice((1, 2, 2, 3))
        yield row[start : start + units]
        start += units + 1


def _rows(rng: Random, cell: Cell) -> list[House]:
    """Return places in rows, clear of the cell's border."""
    frame = frame_of(cell.code)
    inner = Polygon([frame.to_metres(point) for point in cell.ring]).buffer(-_MARGIN)
    west, south, east, north = inner.bounds
    rows = [
        [(west + column * _SPACE + rng.uniform(-3, 3), y + rng.uniform(-3, 3)) for column in _range(west, east, _SPACE)]
        for y in (south + row * _ROW for row in _range(south, north, _ROW))
    ]
    return [[place for place in row if inner.contains(Point(place))] for row in rows]


def _range(low: float, high: float, step: float) -> range:
    return range(int((high - low) / step) + 1)
