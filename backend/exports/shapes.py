"""Geometry on its way out: RFC 7946 orientation, and another coordinate system when one is asked for. Pure."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

LonLat = tuple[float, float]
Move = Callable[[float, float], LonLat]


def outward(geometry: dict[str, Any] | None, move: Move | None) -> dict[str, Any] | None:
    """Return a point, polygon or several with each position moved and each outer ring counter-clockwise."""
    if geometry is None:
        return None
    kind, coordinates = geometry["type"], geometry["coordinates"]
    match kind:
        case "Point":
            return {"type": kind, "coordinates": _position(coordinates, move)}
        case "Polygon":
            return {"type": kind, "coordinates": _polygon(coordinates, move)}
        case "MultiPolygon":
            return {"type": kind, "coordinates": [_polygon(part, move) for part in coordinates]}
    raise ValueError(f"no such geometry is stored: {kind}")


def _position(position: Sequence[float], move: Move | None) -> list[float]:
    lon, lat = move(position[0], position[1]) if move else (position[0], position[1])
    return [round(lon, 8), round(lat, 8)]


def _polygon(rings: Sequence[Sequence[Sequence[float]]], move: Move | None) -> list[list[list[float]]]:
    moved = [[_position(position, move) for position in ring] for ring in rings]
    return [_turned(ring, left=place == 0) for place, ring in enumerate(moved)]


def _turned(ring: list[list[float]], *, left: bool) -> list[list[float]]:
    """Return a ring with its inside on the left (an outer one) or on the right (a hole)."""
    return ring if (_twice_area(ring) > 0) == left else ring[::-1]


def _twice_area(ring: Sequence[Sequence[float]]) -> float:
    # From the first corner: between coordinates of a hundred degrees the products of a small ring would cancel out.
    east, north = ring[0][0], ring[0][1]
    flat = [(x - east, y - north) for x, y in ring]
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(flat))
