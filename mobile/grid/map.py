"""The map of the worker's cells: polygons, houses, a mark for each stairwell. No tiles, no network."""

import math
from collections.abc import Sequence

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.stencilview import StencilView

from mobile.grid import drawing
from mobile.grid.ground import LocalGround, Point, Rect, Ring, around, inside, make_way, nearest_pair, triangles
from mobile.grid.marks import reach
from mobile.grid.rules import LonLat, StairMark
from mobile.widgets.tokens import T

MARGIN, REACH, SLOP, SLACK = 26, 28, 8, 60
CLOSEST = 5.0
"""dp for a metre: nearer than that there is nothing more to see."""
SMALLEST, LARGEST = 28, 38
CROWDED = 22
"""dp between the nearest two: below that, marks with numbers would have to leave their places too far."""
APART_M = 3.0


class CellMap(StencilView):
    """Drag, pinch or turn the wheel to look closer. A tap finds the nearest stairwell, or the cell under the finger.
    Stairwells too close for numbers are dots, until one is chosen: then the map comes closer."""

    cells, bounds = ListProperty(), ObjectProperty((0.0, 0.0, 0.0, 0.0))
    chosen_cell, overview = StringProperty(""), BooleanProperty(False)
    marks, chosen = ListProperty(), StringProperty("")
    here = ObjectProperty(None, allownone=True)
    zoom, letter = NumericProperty(1.0), NumericProperty(14)
    buttons, contrast = ListProperty(), BooleanProperty(False)

    __events__ = ("on_mark", "on_cell")

    def __init__(self, **kwargs: object) -> None:
        self._ground, self._centre, self._half = LocalGround(0, 0), (0.0, 0.0), (0.0, 0.0)
        self._shapes: list[tuple[list[Sequence[float]], list[Ring]]] = []
        self._nearest_m, self._moved = math.inf, 0.0
        self._fingers: list[MotionEvent] = []
        super().__init__(**kwargs)
        self._draw_soon = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "marks", "chosen", "chosen_cell", "here", "zoom", "letter", "buttons", "contrast"):
            self.fbind(name, self._draw_soon)
        for name in ("cells", "bounds", "marks"):
            self.fbind(name, self._survey)
        for name in ("size", "chosen"):
            self.fbind(name, self._look_at_chosen)
        self._survey()

    def on_mark(self, key: str) -> None:
        """A stairwell was tapped, or with '' none."""

    def on_cell(self, code: str) -> None:
        """A cell was tapped that is not the chosen one."""

    def look_at(self, place: LonLat) -> None:
        """At the first zoom everything is in sight already."""
        if self._closeness > 1:
            self._move_to(*self._ground.metres(place))

    def at(self, place: LonLat) -> Point:
        """Where a place is."""
        return self._on_screen(self._ground.metres(place))

    @property
    def crowded(self) -> bool:
        """Whether there is no room for numbers."""
        return self._nearest_m * self._scale < dp(CROWDED)

    def placed(self) -> list[tuple[StairMark, Point]]:
        """Where the marks are drawn: beside each other, also where stairwells are closer than that."""
        places = [self.at((mark.lon, mark.lat)) for mark in self.marks]
        if not self.crowded:
            size = self.mark_size
            keys = [mark.key for mark in self.marks]
            fixed = keys.index(self.chosen) if self.chosen in keys else -1
            places = make_way(places, [reach(mark.state, size) for mark in self.marks], fixed)
        return list(zip(self.marks, places, strict=True))

    @property
    def mark_size(self) -> float:
        """Grows with its number's letters, but only as far as the nearest neighbours leave room."""
        room = self._nearest_m * self._scale
        if self.crowded:
            return float(max(dp(9), min(room * 0.8, dp(16))))
        return float(max(dp(SMALLEST), min(self.letter * 2, dp(LARGEST), room - dp(4))))

    # --- looking
    def _survey(self, *_: object) -> None:
        west, south, east, north = self.bounds
        ground = LocalGround((west + east) / 2, (south + north) / 2)
        if ground != self._ground:
            self._ground, self._centre, self.zoom = ground, (0.0, 0.0), 1.0
        self._half = self._ground.metres((east, north))
        rings = [[[self._ground.metres(point) for point in ring] for ring in cell.rings] for cell in self.cells]
        self._shapes = [(triangles(cell), cell) for cell in rings]
        self._nearest_m = nearest_pair((self._ground.metres((mark.lon, mark.lat)) for mark in self.marks), APART_M)
        self._look_at_chosen()

    def _look_at_chosen(self, *_: object) -> None:
        """Also when the card below takes more of the map."""
        place = next((mark for mark in self.marks if mark.key == self.chosen), None)
        if place:
            self.look_at((place.lon, place.lat))
        elif self.zoom <= 1:
            self._centre = (0.0, 0.0)
        self._draw_soon()

    @property
    def _fit(self) -> float:
        """Pixels for a metre when all is in sight."""
        wide, high = (max(half * 2, 1) for half in self._half)
        margin = 2 * dp(MARGIN / 2 if self.overview else MARGIN)
        room = max(self.width - margin, 1) / wide, max(self.height - margin, 1) / high
        return float(min(room))

    @property
    def _closeness(self) -> float:
        """The zoom, or as close as the chosen mark needs to stand clear of its neighbours."""
        near = dp(SMALLEST + 2) / self._nearest_m if self.chosen else 0.0
        return max(1.0, self.zoom, min(near, dp(CLOSEST)) / self._fit)

    @property
    def _scale(self) -> float:
        return self._fit * self._closeness

    def _on_screen(self, point: Point) -> Point:
        scale = self._scale
        x, y = (point[0] - self._centre[0]) * scale, (point[1] - self._centre[1]) * scale
        return self.center_x + x, self.center_y + y

    def _in_metres(self, x: float, y: float) -> Point:
        scale = self._scale
        return (x - self.center_x) / scale + self._centre[0], (y - self.center_y) / scale + self._centre[1]

    def _move_to(self, east: float, north: float) -> None:
        """Never so far that no ground is left to see, but far enough to bring a mark out from under the button."""
        spare, slack = 1 - 1 / self._closeness, dp(SLACK) / self._scale
        across, along = self._half[0] * spare + slack, self._half[1] * spare + slack
        self._centre = max(-across, min(across, east)), max(-along, min(along, north))
        self._draw_soon()

    def look_closer(self, factor: float, x: float, y: float) -> None:
        """The ground under the fingers stays under them."""
        before = self._in_metres(x, y)
        self.zoom = max(1.0, min(self._closeness * factor, dp(CLOSEST) / self._fit))
        after = self._in_metres(x, y)
        self._move_to(self._centre[0] + before[0] - after[0], self._centre[1] + before[1] - after[1])

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
            self._tap(touch.pos)
        return True

    def _tap(self, finger: Point) -> None:
        mark = "" if self.overview and self.crowded else self._nearest(finger)
        cell = "" if mark else self._cell_under(finger)
        if cell and cell != self.chosen_cell:
            self.dispatch("on_cell", cell)
        else:
            self.dispatch("on_mark", mark)

    def _nearest(self, finger: Point) -> str:
        away = {mark.key: math.dist(finger, place) for mark, place in self.placed()}
        nearest = min(away, key=away.__getitem__, default="")
        return nearest if nearest and away[nearest] <= dp(REACH) else ""

    def _cell_under(self, finger: Point) -> str:
        place = self._in_metres(*finger)
        shapes = zip(self.cells, self._shapes, strict=True)
        return next((cell.code for cell, (_, rings) in shapes if inside(place, rings)), "")

    # --- drawing
    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        with self.canvas:
            Color(*T.map_ground)
            Rectangle(pos=self.pos, size=self.size)
            self._draw_cells()
            placed, size = self.placed(), self.mark_size
            names = drawing.draw_houses(placed, size) if not self.crowded else []
            if self.here:
                drawing.draw_here(*self.at(self.here))
            drawing.draw_stairs(placed, self.chosen, size, numbered=not self.crowded)
            frames = [drawing.mark_frame(mark, place, size, ringed=mark.key == self.chosen) for mark, place in placed]
            if self.overview:
                self._name_cells(frames)
            else:
                self._name_houses(names, frames)

    def _draw_cells(self) -> None:
        every = list(zip(self.cells, self._shapes, strict=True))
        for number, (cell, (fans, _)) in enumerate(every):
            # Neighbours differ, so that a cell can be told apart without its border.
            ground = T.surface if self.overview and number % 2 else T.map_block
            drawing.fill_cell(fans, ground if self._is_looked_at(cell.code) else T.map_ground, self._on_screen)
        for cell, (_, rings) in sorted(every, key=lambda each: self._is_looked_at(each[0].code)):
            drawing.draw_border(rings, self._on_screen, strong=self._is_looked_at(cell.code))

    def _is_looked_at(self, code: str) -> bool:
        return self.overview or code == self.chosen_cell

    def _border_frames(self) -> list[Rect]:
        every = zip(self.cells, self._shapes, strict=True)
        rings = [ring for cell, (_, rings) in every if self._is_looked_at(cell.code) for ring in rings]
        return drawing.border_frames(rings, self._on_screen)

    def _name_houses(self, names: list[tuple[str, Rect]], marks: list[Rect]) -> None:
        here = [around(self.at(self.here), dp(24), dp(24))] if self.here else []
        taken = [*marks, *here, *self.buttons, *self._border_frames()]
        drawing.name_houses(names, taken, self.letter, (*self.pos, self.right, self.top))

    def _name_cells(self, taken: list[Rect]) -> None:
        for cell, (_, rings) in zip(self.cells, self._shapes, strict=True):
            drawing.name_cell(cell.name, [self._on_screen(point) for point in rings[0]], taken, self.letter)
