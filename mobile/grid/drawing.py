"""Cells, houses, stairwells and names on the map, drawn into the canvas that is open."""

import math
from collections.abc import Callable, Sequence
from itertools import product

from kivy.core.text import Label as CoreLabel
from kivy.graphics import (
    Color,
    Mesh,
    PopMatrix,
    PushMatrix,
    Rectangle,
    Rotate,
    SmoothEllipse,
    SmoothLine,
    SmoothRoundedRectangle,
)
from kivy.metrics import dp

from mobile.grid.ground import Point, Rect, Ring, along, around, covered, frame
from mobile.grid.marks import STATES, draw_mark, reach
from mobile.grid.rules import StairMark
from mobile.widgets.lines import extent
from mobile.widgets.tokens import T

OnScreen = Callable[[Point], Point]
Placed = Sequence[tuple[StairMark, Point]]
LEAST_LETTER = 11
NAME_SIZE = 0.9
RING = 11 / 14
"""Outer radius of the chosen one's ring, for a mark's width of 1: 44 around 28."""


def mark_frame(mark: StairMark, place: Point, size: float, *, ringed: bool = False) -> Rect:
    across = 2 * max(reach(mark.state, size), size * RING if ringed else 0)
    return around(place, across, across)


def fill_cell(fans: Sequence[Sequence[float]], color: Sequence[float], on_screen: OnScreen) -> None:
    Color(*color)
    for flat in fans:
        places = [on_screen((flat[n], flat[n + 1])) for n in range(0, len(flat), 4)]
        vertices = [value for x, y in places for value in (x, y, 0, 0)]
        Mesh(vertices=vertices, indices=list(range(len(places))), mode="triangle_fan")


def draw_border(rings: Sequence[Ring], on_screen: OnScreen, *, strong: bool) -> None:
    Color(*(T.pine if strong else T.chevron))
    for ring in rings:
        outline = [value for point in ring for value in on_screen(point)]
        SmoothLine(points=outline, width=dp(1.5 if strong else 0.75), joint="round", close=True)


def border_frames(rings: Sequence[Ring], on_screen: OnScreen) -> list[Rect]:
    """The border as a row of dots, for a name must not lie across it."""
    dots = (dot for ring in rings for dot in along([on_screen(point) for point in ring], dp(6)))
    return [around(dot, dp(4), dp(4)) for dot in dots]


def draw_houses(placed: Placed, size: float) -> list[tuple[str, Rect]]:
    """A quiet block behind the stairwells of each house: where its doors are, for nobody has surveyed its walls.
    Returns the names and what house and marks cover."""
    houses: dict[str, list[tuple[StairMark, Point]]] = {}
    for mark, place in placed:
        houses.setdefault(mark.house, []).append((mark, place))
    found = []
    for stairs in houses.values():
        first, last = _ends([place for _, place in stairs])
        _block(first, last, size)
        corners = [around(end, size * 1.6, size * 0.8) for end in (first, last)]
        corners += [mark_frame(mark, place, size) for mark, place in stairs]
        found.append((stairs[0][0].house_name, frame([point for rect in corners for point in (rect[:2], rect[2:])])))
    return found


def _ends(places: list[Point]) -> tuple[Point, Point]:
    return max(product(places, places), key=lambda ends: (math.dist(*ends), ends[1]))


def _block(first: Point, last: Point, size: float) -> None:
    across, along = last[0] - first[0], last[1] - first[1]
    wide, high = math.hypot(across, along) + size * 1.6, size * 0.8
    x, y = (first[0] + last[0]) / 2, (first[1] + last[1]) / 2
    PushMatrix()
    Rotate(angle=math.degrees(math.atan2(along, across)), origin=(x, y))
    for color, inset in ((T.off, 0.0), (T.white, dp(1))):
        Color(*color)
        box = (x - wide / 2 + inset, y - high / 2 + inset)
        SmoothRoundedRectangle(pos=box, size=(wide - 2 * inset, high - 2 * inset), radius=[dp(4) - inset])
    PopMatrix()


def draw_stairs(placed: Placed, chosen: str, size: float, *, numbered: bool) -> None:
    # The chosen one last: its ring lies on its neighbours.
    for mark, (x, y) in sorted(placed, key=lambda each: each[0].key == chosen):
        if mark.key == chosen:
            Color(*T.ink)
            SmoothLine(circle=(x, y, size * RING - dp(1.5)), width=dp(1.5))
        draw_mark(mark.state, x, y, size)
        if numbered:
            _write(str(mark.count), (x, y), size / 2, getattr(T, STATES[mark.state][2]))


def draw_here(x: float, y: float) -> None:
    for color, radius in ((T.white, dp(12)), (T.river, dp(9))):
        Color(*color)
        SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))


def name_houses(houses: Sequence[tuple[str, Rect]], taken: list[Rect], letter: float, window: Rect) -> None:
    """Above, beside or below the house, wherever there is room; without room the card says it."""
    taken = [*taken, *(rect for _, rect in houses)]
    for name, house in houses:
        size = min(letter, dp(16)) * NAME_SIZE
        wide, high = _extent(name, size)
        middle, level = (house[0] + house[2]) / 2, (house[1] + house[3]) / 2
        spots = [(middle, house[3] + high / 2 + dp(1)), (house[2] + wide / 2 + dp(3), level),
                 (house[0] - wide / 2 - dp(3), level), (middle, house[1] - high / 2 - dp(1))]  # fmt: skip
        for spot in spots:
            rect = around(spot, wide, high)
            if not covered(rect, taken) and covered(rect, [window]) > wide * high * 0.99:
                taken.append(around(spot, wide + dp(8), high))
                _write(name, spot, size, T.ink2, bold=False)
                break


def name_cell(name: str, ring: Sequence[Point], marks: Sequence[Rect], letter: float) -> None:
    """Where it hides the fewest doors, with smaller letters in a small cell."""
    left, foot, right, top = frame(ring)
    size = min(letter, dp(16))
    while _extent(name, size)[0] + dp(20) > (right - left) * 0.9 and size > dp(LEAST_LETTER):
        size -= 1
    wide, high = _extent(name, size)
    wide, high = wide + dp(14), high + dp(8)
    levels = [(foot + top) / 2 + (top - foot) * share for share in (0, 0.1, -0.1, 0.2, -0.2, 0.28, -0.28)]
    spots = [around(((left + right) / 2, level), wide, high) for level in levels]
    best = min(spots, key=lambda rect: covered(rect, marks))
    for color, inset in ((T.pine, 0.0), (T.white, dp(1))):
        Color(*color)
        box, radius = (best[0] + inset, best[1] + inset), high / 2 - inset
        SmoothRoundedRectangle(pos=box, size=(wide - 2 * inset, high - 2 * inset), radius=[radius])
    _write(name, ((left + right) / 2, (best[1] + best[3]) / 2), size, T.pine_d)


def _write(word: str, middle: Point, size: float, color: Sequence[float], *, bold: bool = True) -> None:
    label = CoreLabel(text=word, font_name="Semi" if bold else "Text", font_size=size)
    label.refresh()
    wide, high = label.texture.size
    Color(*color)
    Rectangle(texture=label.texture, pos=(round(middle[0] - wide / 2), round(middle[1] - high / 2)), size=(wide, high))


def _extent(word: str, size: float) -> tuple[float, float]:
    """As wide as the word, as high as its characters: a line box is 1.4 em."""
    return extent("Semi", size, word), size * 1.05
