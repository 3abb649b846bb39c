"""Which cell a place lies in: a tree of the county's cells in this process.

Every change of a cell gives the county's grid a new random version, in the same transaction. A tree is kept with the
version it was read at, so any number of processes, and a restored backup, can never answer from an old map.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import shapely

from backend.core.handover import beyond_scope
from backend.core.transaction import Transaction
from backend.grid import queries
from backend.grid.boundaries import outline
from backend.grid.geo import LonLat


class Place(NamedTuple):
    """A cell as far as a place needs it."""

    code: str
    name: str


class SpecialPlace(NamedTuple):
    """A special-purpose cell as far as a place needs it."""

    code: str
    name: str
    purpose: str
    unit_name: str


class CountyGrid:
    """The cells of a county as they are now. On a shared edge of basic cells the lowest code has it; special-purpose
    ones lie over them, in a tree of their own: what everybody asks for is not slowed by what few have."""

    def __init__(
        self, version: UUID | None, cells: Sequence[tuple[str, str, str]],
        special: Sequence[tuple[str, str, str, str, str]] = (),
    ) -> None:  # fmt: skip
        """Take basic cells as (code, name, GeoJSON text), special-purpose ones with purpose and unit behind."""
        ordered = sorted(cells)
        self.version = version
        self._places = [Place(code, name) for code, name, _ in ordered]
        self._tree = shapely.STRtree(shapely.from_geojson([geojson for *_, geojson in ordered]))
        self._specials = [SpecialPlace(code, name, purpose, unit) for code, name, _, purpose, unit in special]
        self._special_tree = shapely.STRtree(shapely.from_geojson([geojson for _, _, geojson, *_ in special]))

    def special_at(self, lon: float, lat: float) -> list[SpecialPlace]:
        if not self._specials:
            return []
        hits = self._special_tree.query(shapely.points(lon, lat), predicate="intersects")
        return [self._specials[at] for at in sorted(hits)]

    def find(self, lon: float, lat: float) -> Place | None:
        hits = self._tree.query(shapely.points(lon, lat), predicate="intersects")
        return self._places[hits.min()] if hits.size else None

    @property
    def places(self) -> Sequence[Place]:
        """Every basic cell, by its code."""
        return self._places

    def inner_points(self) -> list[tuple[Place, LonLat]]:
        """Return every basic cell, by its code, with a point that lies in it."""
        points = shapely.get_coordinates(shapely.point_on_surface(self._tree.geometries)).tolist()
        return [(place, (lon, lat)) for place, (lon, lat) in zip(self._places, points, strict=True)]

    def find_many(self, points: Sequence[LonLat]) -> dict[LonLat, Place]:
        """Look many places up at once; one outside every cell is left out."""
        inputs, hits = self._tree.query(shapely.points(np.array(points)), predicate="intersects")
        lowest = np.full(len(points), len(self._places))
        np.minimum.at(lowest, inputs, hits)
        return {point: self._places[at] for point, at in zip(points, lowest, strict=True) if at < len(self._places)}


_grids: dict[str, CountyGrid] = {}


async def grid_of(tx: Transaction, version: UUID | None = None) -> CountyGrid:
    """Return the county's grid as it is now, for one small look-up (unless the caller brings it) while it has not
    changed."""
    version = version or await queries.grid_version(tx.conn, tx.county)
    known = _grids.get(tx.county)
    if known is None or known.version != version:
        known = _grids[tx.county] = await _read(tx, version) if version else CountyGrid(version, [])
    return known


async def _read(tx: Transaction, version: UUID) -> CountyGrid:
    """Read all cells of the county: a phone may stand in a cell that its owner does not work in."""
    async with beyond_scope(tx, "grid.read", "county", UUID(int=0), tx.county):
        basic = await queries.basic_cells(tx.conn, tx.county, tx.county)
        special = await queries.special_cells(tx.conn, tx.county, tx.county)
    return CountyGrid(version, basic, special)


async def cell_at(tx: Transaction, lon: float, lat: float) -> str | None:
    """Return the code of the cell that this WGS-84 position lies in."""
    place = (await grid_of(tx)).find(lon, lat)
    return place.code if place else None


async def cells_at(tx: Transaction, points: Sequence[LonLat], version: UUID | None = None) -> Mapping[Any, str]:
    """Return the cell codes of many WGS-84 positions; one outside every cell is left out."""
    if not points:
        return {}
    grid = await grid_of(tx, version)
    if len(points) == 1:  # a fourth of the time of the way for many
        place = grid.find(*points[0])
        return {points[0]: place.code} if place else {}
    found = grid.find_many(points)
    return {point: place.code for point, place in found.items()}


def in_county(county: str, lon: float, lat: float) -> bool:
    """Say whether a WGS-84 position lies in the county, as far as its coarse outline can tell."""
    border = outline(county)
    return border is None or bool(shapely.intersects_xy(border, lon, lat))
