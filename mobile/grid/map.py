"""The map of the worker's cells: polygons, a mark for each stairwell, the worker's own place. No tiles, no network."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, Mesh, Rectangle, SmoothEllipse, SmoothLine, SmoothQuad, SmoothRoundedRectangle
from kivy.graphics.tesselator import Tesselator
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.properties import ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.stencilview import StencilView
from kivy.uix.widget import Widget

from mobile.grid.rules import DEGREE_M, LonLat, StairMark
from mobile.widgets.tokens import T

Point = tuple[float, float]

MARGIN, REACH, SLOP, SLACK = 26, 28, 8, 60
CLOSEST = 5.0
"""dp for a metre: nearer than that there is nothing more to see."""

# state: fill, edge, ink and the edge's width in dp
STATES = {
    "recent": ("pine", "white", "white", 2),
    "month": ("mid", "mid_edge", "mid_ink", 1.5),
    "long": ("pepper", "white", "white", 2),
    "never": ("white", "ink2", "ink", 2.5),
}


@dataclass(frozen=True, slots=True)
class LocalGround:
    """Metres around the middle of the bounds: degrees are too large for the float32 of a graphics card."""

    lon: float
    lat: float

    def metres(self, place: LonLat) -> Point:
        east = (place[0] - self.lon) * math.cos(math.radians(self.lat))
        return east * DEGREE_M, (place[1] - self.lat) * DEGREE_M


def draw_mark(state: str, x: float, y: float, size: float) -> None:
    """Word, form and colour say the same: circle, rounded square, diamond, hollow ring."""
    fill, edge, _ink, line = STATES[state]
    Color(*getattr(T, edge))
    _form(state, x, y, size / 2 + (dp(line) if edge == "white" else 0))
    Color(*getattr(T, fill))
    _form(state, x, y, size / 2 - (0 if edge == "white" else dp(line)))


def _form(state: str, x: float, y: float, half: float) -> None:
    if state == "long":
        # A diamond looks smaller than a circle of its width.
        far = half * 1.3
        SmoothQuad(points=(x, y + far, x + far, y, x, y - far, x - far, y))
    elif state == "month":
        SmoothRoundedRectangle(pos=(x - half, y - half), size=(2 * half, 2 * half), radius=[half / 2])
    else:
        SmoothEllipse(pos=(x - half, y - half), size=(2 * half, 2 * half))


class StateDot(Widget):
    """A mark without a number, for the legend."""

    state = StringProperty("recent")

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "state"):
            self.fbind(name, draw)
        draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        with self.canvas:
            draw_mark(self.state, self.center_x, self.center_y, self.height * 0.78)


class CellMap(StencilView):
    """Drag, pinch or turn the wheel to look closer; a tap finds the nearest stairwell within a finger's width."""

    cells, bounds = ListProperty(), ObjectProperty((0.0, 0.0, 0.0, 0.0))
    marks, chosen = ListProperty(), StringProperty("")
    here = ObjectProperty(None, allownone=True)
    zoom = NumericProperty(1.0)
    letter = NumericProperty(14)

    __events__ = ("on_mark",)

    def __init__(self, **kwargs: object) -> None:
        self._ground, self._centre = LocalGround(0, 0), (0.0, 0.0)
        self._shapes: list[tuple[list[Sequence[float]], list[list[Point]]]] = []
        self._fingers: list[MotionEvent] = []
        self._moved = 0.0
        super().__init__(**kwargs)
        self._draw_soon = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "marks", "chosen", "here", "zoom", "letter"):
            self.fbind(name, self._draw_soon)
        self.fbind("cells", self._survey)
        self.fbind("bounds", self._survey)
        self._survey()

    def on_mark(self, key: str) -> None:
        """A stairwell was tapped, or with '' none."""

    def on_chosen(self, _map: object, key: str) -> None:
        place = next((mark for mark in self.marks if mark.key == key), None)
        if place:
            self.look_at((place.lon, place.lat))

    def look_at(self, place: LonLat) -> None:
        """At the first zoom everything is in sight already."""
        if self.zoom > 1:
            self._move_to(*self._ground.metres(place))

    def at(self, place: LonLat) -> Point:
        """Where a place is drawn."""
        return self._on_screen(self._ground.metres(place))

    # --- looking
    def _survey(self, *_: object) -> None:
        west, south, east, north = self.bounds
        self._ground, self._centre = LocalGround((west + east) / 2, (south + north) / 2), (0.0, 0.0)
        self._half = self._ground.metres((east, north))
        rings = [[[self._ground.metres(point) for point in ring] for ring in cell.rings] for cell in self.cells]
        self._shapes = [(_triangles(cell), cell) for cell in rings]
        self._draw_soon()

    @property
    def _scale(self) -> float:
        """Pixels for a metre."""
        wide, high = (max(half * 2, 1) for half in self._half)
        room = max(self.width - 2 * dp(MARGIN), 1) / wide, max(self.height - 2 * dp(MARGIN), 1) / high
        return float(min(room)) * self.zoom

    def _on_screen(self, point: Point) -> Point:
        scale = self._scale
        x, y = (point[0] - self._centre[0]) * scale, (point[1] - self._centre[1]) * scale
        return self.center_x + x, self.center_y + y

    def _move_to(self, east: float, north: float) -> None:
        """Never so far that no ground is left to see, but far enough to bring a mark out from under the button."""
        spare, slack = 1 - 1 / self.zoom, dp(SLACK) / self._scale
        across, along = self._half[0] * spare + slack, self._half[1] * spare + slack
        self._centre = max(-across, min(across, east)), max(-along, min(along, north))
        self._draw_soon()

    def look_closer(self, factor: float, x: float, y: float) -> None:
        """The ground under the fingers stays under them."""
        before = self._scale
        self.zoom = max(1.0, min(self.zoom * factor, max(1.0, dp(CLOSEST) * self.zoom / before)))
        shift = 1 / before - 1 / self._scale
        east, north = (x - self.center_x) * shift, (y - self.center_y) * shift
        self._move_to(self._centre[0] + east, self._centre[1] + north)

    # --- touching
    def on_touch_down(self, touch: MotionEvent) -> bool:
        if not self.collide_point(*touch.pos):
            return False
        if touch.is_mouse_scrolling:
            self.look_closer(1.25 if touch.button == "scrolldown" else 0.8, *touch.pos)
            return True
        touch.grab(self)
        self._moved = 0.0 if not self._fingers else math.inf
        self._fingers.append(touch)
        return True

    def on_touch_move(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return False
        self._moved += math.hypot(touch.dx, touch.dy)
        others = [finger for finger in self._fingers if finger is not touch]
        if others:
            fixed = others[0].pos
            apart = math.dist(touch.ppos, fixed)
            self.look_closer(math.dist(touch.pos, fixed) / max(apart, 1), *fixed)
        elif self._moved > dp(SLOP):
            self._move_to(self._centre[0] - touch.dx / self._scale, self._centre[1] - touch.dy / self._scale)
        return True

    def on_touch_up(self, touch: MotionEvent) -> bool:
        if touch.grab_current is not self:
            return False
        touch.ungrab(self)
        self._fingers.remove(touch)
        if not self._fingers and self._moved <= dp(SLOP):
            self.dispatch("on_mark", self._nearest(touch.pos))
        return True

    def _nearest(self, finger: Point) -> str:
        away = {mark.key: math.dist(finger, self.at((mark.lon, mark.lat))) for mark in self.marks}
        nearest = min(away, key=away.__getitem__, default="")
        return nearest if nearest and away[nearest] <= dp(REACH) else ""

    # --- drawing
    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        with self.canvas:
            Color(*T.map_ground)
            Rectangle(pos=self.pos, size=self.size)
            for triangles, rings in self._shapes:
                self._draw_cell(triangles, rings)
            if self.here:
                self._draw_here(*self.at(self.here))
            # The chosen one last: its ring lies on its neighbours.
            size = self._mark_size
            for mark in sorted(self.marks, key=lambda mark: mark.key == self.chosen):
                self._draw_stairs(mark, *self.at((mark.lon, mark.lat)), size)

    def _draw_cell(self, triangles: list[Sequence[float]], rings: list[list[Point]]) -> None:
        Color(*T.map_block)
        for flat in triangles:
            places = [self._on_screen((flat[n], flat[n + 1])) for n in range(0, len(flat), 4)]
            vertices = [value for x, y in places for value in (x, y, 0, 0)]
            Mesh(vertices=vertices, indices=list(range(len(places))), mode="triangle_fan")
        Color(*T.pine)
        for ring in rings:
            outline = [value for point in ring for value in self._on_screen(point)]
            SmoothLine(points=outline, width=dp(1.5), joint="round", close=True)

    def _draw_here(self, x: float, y: float) -> None:
        for color, radius in ((T.white, dp(12)), (T.river, dp(9))):
            Color(*color)
            SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))

    def _draw_stairs(self, mark: StairMark, x: float, y: float, size: float) -> None:
        if mark.key == self.chosen:
            Color(*T.ink)
            SmoothLine(circle=(x, y, size * 11 / 14 - dp(1.5)), width=dp(1.5))
        draw_mark(mark.state, x, y, size)
        number = CoreLabel(text=str(mark.count), font_name="Semi", font_size=size / 2)
        number.refresh()
        wide, high = number.texture.size
        Color(*getattr(T, STATES[mark.state][2]))
        Rectangle(texture=number.texture, pos=(round(x - wide / 2), round(y - high / 2)), size=(wide, high))

    @property
    def _mark_size(self) -> float:
        """Grows with its number's letters, but only as far as the nearest neighbours leave room."""
        places = [self.at((mark.lon, mark.lat)) for mark in self.marks]
        room = min((math.dist(a, b) for a, b in combinations(places, 2)), default=math.inf)
        return float(max(dp(28), min(self.letter * 2, dp(38), room - dp(4))))


def _triangles(rings: list[list[Point]]) -> list[Sequence[float]]:
    """A cell as fans of triangles in metres; its inner rings stay holes."""
    tesselator = Tesselator()
    for ring in rings:
        tesselator.add_contour([value for point in ring for value in point])
    tesselator.tesselate()
    return [vertices for vertices, _indices in tesselator.meshes]
