"""The few drawings: the app's sign and what an empty screen shows. Shapes are in the picture's own units, y down."""

from collections.abc import Sequence

from kivy.clock import Clock
from kivy.graphics import Color, Mesh, SmoothEllipse, SmoothLine, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from mobile.widgets.layout import Col

Shape = tuple[str, str, Sequence[float]]

# circle: cx cy r; rect: x y w h radius; poly: x y x y …, convex; line: width x y x y
PICTURES: dict[str, tuple[Shape, ...]] = {
    "done": (
        ("circle", "#E2F0E8", (100, 80, 70)),
        ("circle", "#F2C14E", (134, 44, 16)),
        ("poly", "#7DB79A", (103, 130, 136, 82, 172, 130)),
        ("poly", "#7DB79A", (30, 130, 78, 70, 126, 130)),
        ("poly", "#0C6B49", (56, 130, 78, 102, 104, 130)),
        ("rect", "#FFFFFF", (104, 104, 34, 26, 0)),
        ("poly", "#B0281F", (98, 106, 121, 86, 144, 106)),
        ("rect", "#B36B00", (116, 114, 10, 16, 0)),
        ("rect", "#084F36", (24, 129, 152, 4, 2)),
    ),
    "home": (
        ("circle", "#FCEFD3", (100, 80, 70)),
        ("rect", "#FFFFFF", (60, 72, 80, 58, 6)),
        ("poly", "#B0281F", (50, 76, 100, 34, 150, 76)),
        ("rect", "#B36B00", (90, 94, 20, 36, 3)),
        ("rect", "#F2C14E", (70, 86, 14, 14, 2)),
        ("rect", "#F2C14E", (116, 86, 14, 14, 2)),
        ("rect", "#7A5A10", (34, 129, 132, 4, 2)),
    ),
    "offline": (
        ("circle", "#E4EEF8", (100, 80, 70)),
        ("rect", "#1D5A9E", (64, 28, 72, 108, 14)),
        ("rect", "#FFFFFF", (68, 32, 64, 100, 10)),
        ("rect", "#BFD3EA", (78, 48, 44, 8, 4)),
        ("rect", "#BFD3EA", (78, 64, 44, 8, 4)),
        ("rect", "#BFD3EA", (78, 80, 28, 8, 4)),
        ("circle", "#B36B00", (136, 112, 24)),
        ("line", "#FFFFFF", (2.5, 126, 102, 146, 122)),
        ("line", "#FFFFFF", (2.5, 146, 102, 126, 122)),
    ),
    "mark": (
        ("rect", "#0C6B49", (0, 0, 34, 34, 10)),
        ("rect", "#7DB79A", (38, 0, 34, 34, 10)),
        ("rect", "#E5A83B", (0, 38, 34, 34, 10)),
        ("poly", "#B0281F", (38, 53, 55, 39, 72, 53, 72, 60, 38, 60)),
        ("rect", "#B0281F", (38, 53, 34, 19, 8)),
        ("rect", "#FFFFFF", (50, 58, 10, 14, 3)),
    ),
}


class Drawing(Widget):
    """Draws `picture` scaled to the widget's width; `unit_w` is the picture's own width."""

    picture = OptionProperty("done", options=list(PICTURES))
    unit_w = NumericProperty(200)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw, -1)
        for name in ("pos", "size", "picture"):
            self.fbind(name, draw)
        draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        k = self.width / self.unit_w
        with self.canvas:
            for form, color, numbers in PICTURES[self.picture]:
                Color(*get_color_from_hex(color))
                getattr(self, f"_{form}")(k, *numbers)

    def _circle(self, k: float, cx: float, cy: float, r: float) -> None:
        SmoothEllipse(pos=(self.x + (cx - r) * k, self.top - (cy + r) * k), size=(2 * r * k, 2 * r * k))

    def _rect(self, k: float, x: float, y: float, w: float, h: float, r: float) -> None:
        pos = (self.x + x * k, self.top - (y + h) * k)
        SmoothRoundedRectangle(pos=pos, size=(w * k, h * k), radius=[max(r * k, 1)])

    def _poly(self, k: float, *points: float) -> None:
        xs = [self.x + x * k for x in points[::2]]
        ys = [self.top - y * k for y in points[1::2]]
        vertices = [n for x, y in zip(xs, ys, strict=True) for n in (x, y, 0, 0)]
        Mesh(vertices=vertices, indices=list(range(len(xs))), mode="triangle_fan")
        # A mesh has jagged edges; a thin smooth line around it has not.
        outline = [n for pair in zip(xs, ys, strict=True) for n in pair]
        SmoothLine(points=outline, width=dp(0.5), close=True)

    def _line(self, k: float, width: float, *points: float) -> None:
        flat = [self.x + n * k if place % 2 == 0 else self.top - n * k for place, n in enumerate(points)]
        SmoothLine(points=flat, width=width * k, cap="round")


class Mark(Drawing):
    """The app's sign: a grid whose fourth cell is a home."""

    size_dp = NumericProperty(76)


class EmptyState(Col):
    """Nothing to do, or nothing to be done now: said kindly, with what can be done (children: buttons)."""

    picture = OptionProperty("done", options=list(PICTURES))
    title = StringProperty("")
    text = StringProperty("")
