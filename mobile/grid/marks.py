"""What a stairwell looks like: word, form and colour say the same."""

from kivy.clock import Clock
from kivy.graphics import Color, SmoothEllipse, SmoothQuad, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.widget import Widget

from mobile.widgets.tokens import T

# state: fill, edge, ink and the edge's width in dp
STATES = {
    "recent": ("pine", "white", "white", 2),
    "month": ("mid", "mid_edge", "mid_ink", 1.5),
    "long": ("pepper", "white", "white", 2),
    "never": ("white", "ink2", "ink", 2.5),
}
DIAMOND = 1.3
"""A diamond looks smaller than a circle of its width."""


def draw_mark(state: str, x: float, y: float, size: float) -> None:
    """Circle, rounded square, diamond, hollow ring."""
    fill, edge, _ink, line = STATES[state]
    Color(*getattr(T, edge))
    _form(state, x, y, size / 2 + (dp(line) if edge == "white" else 0))
    Color(*getattr(T, fill))
    _form(state, x, y, size / 2 - (0 if edge == "white" else dp(line)))


def reach(state: str, size: float) -> float:
    """How far a mark's coloured form goes from its middle."""
    return size / 2 * (DIAMOND if state == "long" else 1) + dp(1)


def _form(state: str, x: float, y: float, half: float) -> None:
    if state == "long":
        far = half * DIAMOND
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
