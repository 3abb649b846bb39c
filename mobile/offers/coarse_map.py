"""About where help is wanted: a circle on empty ground, without a door and without streets nobody has surveyed."""

from dataclasses import dataclass
from math import cos, radians

from kivy.clock import Clock
from kivy.graphics import (
    Color,
    Rectangle,
    RoundedRectangle,
    SmoothEllipse,
    SmoothLine,
    SmoothRoundedRectangle,
    StencilPop,
    StencilPush,
    StencilUnUse,
    StencilUse,
)
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.widget import Widget

from mobile.core import texts
from mobile.grid.rules import LonLat
from mobile.offers.rules import OfferCard
from mobile.widgets.tokens import T

METRES_PER_DEGREE = 111_320
STEPS = (100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things stand in a frame of the given size, y up; `step_m` is what the scale bar and the rings mean."""

    centre: tuple[float, float]
    radius: float
    home: tuple[float, float] | None
    step_m: int
    step: float


def plan(home: LonLat | None, centre: LonLat, radius_m: float, frame: tuple[float, float], margin: float) -> Plan:
    """Fit the circle and, if known, the volunteer's home into the frame, north up."""
    wide, high = frame
    east, north = _metres(centre, home) if home else (0.0, 0.0)
    left, right = min(-radius_m, east), max(radius_m, east)
    low, top = min(-radius_m, north), max(radius_m, north)
    # A circle alone would fill the frame and look like a very exact place.
    scale = min((wide - 2 * margin) / (right - left), (high - margin) / (top - low), high * 0.32 / radius_m)
    at = (wide / 2 - (left + right) / 2 * scale, high / 2 - (low + top) / 2 * scale)
    step_m = max((s for s in STEPS if s * scale <= wide / 4), default=STEPS[0])
    place = (at[0] + east * scale, at[1] + north * scale) if home else None
    return Plan(at, radius_m * scale, place, step_m, step_m * scale)


def _metres(start: LonLat, end: LonLat) -> tuple[float, float]:
    east = (end[0] - start[0]) * METRES_PER_DEGREE * cos(radians(start[1]))
    return east, (end[1] - start[1]) * METRES_PER_DEGREE


class CoarseMap(Widget):
    """Drawn from an OfferCard."""

    offer: OfferCard = ObjectProperty()
    contrast = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "contrast"):
            self.fbind(name, draw)
        self.ids.you.fbind("size", draw)

    def _draw(self, *_: object) -> None:
        offer = self.offer
        centre = (offer.coarse_lon, offer.coarse_lat)
        found = plan(offer.home, centre, offer.coarse_radius_m, (self.width, self.height), dp(40))
        self.canvas.before.clear()
        with self.canvas.before:
            StencilPush()
            RoundedRectangle(pos=self.pos, size=self.size, radius=[dp(12)])
            StencilUse()
            Color(*T.map_ground)
            Rectangle(pos=self.pos, size=self.size)
            self._draw_rings(found)
            self._draw_place(found)
            self._draw_home(found)
            self._draw_scale(found)
            StencilUnUse()
            RoundedRectangle(pos=self.pos, size=self.size, radius=[dp(12)])
            StencilPop()

    def _draw_rings(self, found: Plan) -> None:
        """As far from one another as the scale bar is long."""
        x, y = found.home or found.centre
        Color(*T.map_block)
        for number in range(1, int(self.width / found.step) + 1):
            SmoothLine(circle=(self.x + x, self.y + y, number * found.step), width=dp(1.5))

    def _draw_place(self, found: Plan) -> None:
        x, y, radius = self.x + found.centre[0], self.y + found.centre[1], found.radius
        Color(*T.pine[:3], 0.16)
        SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))
        Color(*T.pine)
        SmoothLine(circle=(x, y, radius), width=dp(1))

    def _draw_home(self, found: Plan) -> None:
        self.ids.you.opacity = 1 if found.home else 0
        if found.home is None:
            return
        x, y = self.x + found.home[0], self.y + found.home[1]
        for color, radius in ((T.white, dp(9.5)), (T.river, dp(6.5))):
            Color(*color)
            SmoothEllipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))
        # On the side where the circle is not, as far as there is room.
        aside, half = dp(14) + self.ids.you.width / 2, self.ids.you.width / 2
        wanted = x - aside if found.home[0] <= found.centre[0] else x + aside
        self.ids.you.center = (min(max(wanted, self.x + half), self.right - half), y)

    def _draw_scale(self, found: Plan) -> None:
        self.ids.scale.text = texts.distance(found.step_m)
        x, y = self.x + dp(10), self.y + dp(8)
        Color(*T.ink2)
        SmoothRoundedRectangle(pos=(x, y), size=(found.step, dp(3)), radius=[dp(1.5)])
        self.ids.scale.pos = (x, y + dp(2))
