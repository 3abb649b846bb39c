"""The design tokens: colours, type sizes and system bar insets, as properties that kv follows live.

kv files say `#:import T mobile.widgets.tokens.T` and then `T.pine` or `T.sp('title')`.
"""

from collections.abc import Callable

from kivy.event import EventDispatcher
from kivy.metrics import Metrics, sp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty

# style: (normal, 大字版), in sp
SIZES: dict[str, tuple[float, float]] = {
    "disp": (34, 42),
    "kind": (29, 35),
    "title": (25, 31),
    "card": (23, 31),
    "name": (19, 26),
    "head": (20, 26),
    "body": (17, 22),
    "sub": (15, 20),
    "cap": (14, 18),
    "btn": (18, 24),
    "btn_big": (22, 29),
}
# What 大字版 does to a size that has no name, such as an icon's.
LARGE_FACTOR = 1.28


class Theme(EventDispatcher):
    """Change `large` or Metrics.fontscale and every bound label is laid out again."""

    large = BooleanProperty(False)
    # `sp` and `pick` are properties holding functions: replacing them is what makes kv evaluate `T.sp('body')` again.
    sp = ObjectProperty()
    pick = ObjectProperty()
    inset_top = NumericProperty(0)
    inset_bottom = NumericProperty(0)

    bg = ColorProperty("#F6F3EC")
    surface = ColorProperty("#FFFFFF")
    inset = ColorProperty("#F1EDE4")
    ink = ColorProperty("#1D2420")
    ink2 = ColorProperty("#4B544E")
    ink3 = ColorProperty("#5F6761")
    pine = ColorProperty("#0C6B49")
    pine_d = ColorProperty("#084F36")
    pine_t = ColorProperty("#E2F0E8")
    # On ink, where pine itself is too dark to read.
    pine_l = ColorProperty("#8FD6B3")
    river = ColorProperty("#1D5A9E")
    river_t = ColorProperty("#E4EEF8")
    honey = ColorProperty("#865000")
    honey_i = ColorProperty("#B36B00")
    honey_t = ColorProperty("#FCEFD3")
    pepper = ColorProperty("#B0281F")
    pepper_d = ColorProperty("#7A1611")
    pepper_t = ColorProperty("#FBE7E3")
    plum = ColorProperty("#6A3D8F")
    plum_t = ColorProperty("#F1E8F6")
    white = ColorProperty("#FFFFFF")
    clear = ColorProperty("#00000000")
    edge = ColorProperty("#8F8878")
    edge_s = ColorProperty("#857F70")
    line = ColorProperty("#E4DFD3")
    card_edge = ColorProperty("#ECE7DC")
    chevron = ColorProperty("#8F8878")
    off = ColorProperty("#DAD4C6")
    band = ColorProperty("#FBE9C6")
    band_ink = ColorProperty("#3B2600")
    band_ink2 = ColorProperty("#5E3800")
    mid = ColorProperty("#F2C14E")
    mid_ink = ColorProperty("#3D2600")
    mid_edge = ColorProperty("#7A5A10")
    map_ground = ColorProperty("#EAE5D9")
    map_water = ColorProperty("#CFE0EC")
    map_block = ColorProperty("#F6F3EC")

    def __init__(self) -> None:
        super().__init__()
        self._renew()
        self.fbind("large", self._renew)
        Metrics.fbind("fontscale", self._renew)

    def _renew(self, *_: object) -> None:
        self.sp = _sizer(self.large)
        self.pick = _picker(self.large)


def _sizer(large: bool) -> Callable[[str | float], float]:
    def size(style: str | float) -> float:
        if isinstance(style, str):
            return float(sp(SIZES[style][large]))
        return float(sp(style * (LARGE_FACTOR if large else 1)))

    return size


def _picker(large: bool) -> Callable[[object, object], object]:
    """Large print says less: T.pick('记走访', '记')."""

    def pick(normal: object, in_large: object) -> object:
        return in_large if large else normal

    return pick


T = Theme()
