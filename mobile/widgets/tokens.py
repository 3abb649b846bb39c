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
# token: (usual, high contrast). Tints are white there and get an edge instead, *_e, which is nothing in the usual look.
# Every pair differs and ink stands first, because kv asks again only for what has changed: else the class rule "words
# are ink" would be the last to speak, also over words that are white.
COLOURS: dict[str, tuple[str, str]] = {
    "ink": ("#1D2420", "#000000"),
    "bg": ("#F6F3EC", "#FFFFFF"),
    "surface": ("#FFFFFF", "#FFFFFE"),
    "inset": ("#F1EDE4", "#FFFFFF"),
    "ink2": ("#4B544E", "#1D2420"),
    "ink3": ("#5F6761", "#2F3632"),
    "pine": ("#0C6B49", "#00452C"),
    "pine_d": ("#084F36", "#00301E"),
    "pine_t": ("#E2F0E8", "#FFFFFF"),
    # On ink, where pine itself is too dark to read.
    "pine_l": ("#8FD6B3", "#90D6B3"),
    "river": ("#1D5A9E", "#0A3A75"),
    "river_t": ("#E4EEF8", "#FFFFFF"),
    "honey": ("#865000", "#5C3600"),
    "honey_i": ("#B36B00", "#5C3600"),
    "honey_t": ("#FCEFD3", "#FFFFFF"),
    "pepper": ("#B0281F", "#8A0F0A"),
    "pepper_d": ("#7A1611", "#8A0F0A"),
    "pepper_t": ("#FBE7E3", "#FFFFFF"),
    "plum": ("#6A3D8F", "#4A2269"),
    "plum_t": ("#F1E8F6", "#FFFFFF"),
    "white": ("#FFFFFF", "#FEFFFF"),
    "clear": ("#00000000", "#FFFFFF00"),
    "edge": ("#8F8878", "#000000"),
    "edge_s": ("#857F70", "#000000"),
    "line": ("#E4DFD3", "#1D2420"),
    "card_edge": ("#ECE7DC", "#000000"),
    "chevron": ("#8F8878", "#000000"),
    "off": ("#DAD4C6", "#A8A8A8"),
    "band": ("#FBE9C6", "#FFFFFF"),
    "band_ink": ("#3B2600", "#000000"),
    "band_ink2": ("#5E3800", "#1D2420"),
    "mid": ("#F2C14E", "#F2C24E"),
    "mid_ink": ("#3D2600", "#000000"),
    "mid_edge": ("#7A5A10", "#000000"),
    "map_ground": ("#EAE5D9", "#FFFFFF"),
    "map_water": ("#CFE0EC", "#B9D3E6"),
    "map_block": ("#F6F3EC", "#F1EDE4"),
    "pine_e": ("#00000000", "#00452C"),
    "river_e": ("#00000000", "#0A3A75"),
    "honey_e": ("#00000000", "#5C3600"),
    "pepper_e": ("#00000000", "#8A0F0A"),
    "plum_e": ("#00000000", "#4A2269"),
    "grey_e": ("#00000000", "#1D2420"),
    "chosen": ("#E2F0E8", "#00452C"),
    "chosen_ink": ("#084F36", "#FFFFFF"),
}
# What 大字版 does to a size that has no name, such as an icon's.
LARGE_FACTOR = 1.28


class Theme(EventDispatcher):
    """Change `large` or Metrics.fontscale and every bound label is laid out again; `contrast` repaints."""

    large = BooleanProperty(False)
    contrast = BooleanProperty(False)
    # `sp` and `pick` are properties holding functions: replacing them is what makes kv evaluate `T.sp('body')` again.
    sp = ObjectProperty()
    pick = ObjectProperty()
    inset_top = NumericProperty(0)
    inset_bottom = NumericProperty(0)

    bg = ColorProperty(COLOURS["bg"][0])
    surface = ColorProperty(COLOURS["surface"][0])
    inset = ColorProperty(COLOURS["inset"][0])
    ink = ColorProperty(COLOURS["ink"][0])
    ink2 = ColorProperty(COLOURS["ink2"][0])
    ink3 = ColorProperty(COLOURS["ink3"][0])
    pine = ColorProperty(COLOURS["pine"][0])
    pine_d = ColorProperty(COLOURS["pine_d"][0])
    pine_t = ColorProperty(COLOURS["pine_t"][0])
    pine_l = ColorProperty(COLOURS["pine_l"][0])
    river = ColorProperty(COLOURS["river"][0])
    river_t = ColorProperty(COLOURS["river_t"][0])
    honey = ColorProperty(COLOURS["honey"][0])
    honey_i = ColorProperty(COLOURS["honey_i"][0])
    honey_t = ColorProperty(COLOURS["honey_t"][0])
    pepper = ColorProperty(COLOURS["pepper"][0])
    pepper_d = ColorProperty(COLOURS["pepper_d"][0])
    pepper_t = ColorProperty(COLOURS["pepper_t"][0])
    plum = ColorProperty(COLOURS["plum"][0])
    plum_t = ColorProperty(COLOURS["plum_t"][0])
    white = ColorProperty(COLOURS["white"][0])
    clear = ColorProperty(COLOURS["clear"][0])
    edge = ColorProperty(COLOURS["edge"][0])
    edge_s = ColorProperty(COLOURS["edge_s"][0])
    line = ColorProperty(COLOURS["line"][0])
    card_edge = ColorProperty(COLOURS["card_edge"][0])
    chevron = ColorProperty(COLOURS["chevron"][0])
    off = ColorProperty(COLOURS["off"][0])
    band = ColorProperty(COLOURS["band"][0])
    band_ink = ColorProperty(COLOURS["band_ink"][0])
    band_ink2 = ColorProperty(COLOURS["band_ink2"][0])
    mid = ColorProperty(COLOURS["mid"][0])
    mid_ink = ColorProperty(COLOURS["mid_ink"][0])
    mid_edge = ColorProperty(COLOURS["mid_edge"][0])
    map_ground = ColorProperty(COLOURS["map_ground"][0])
    map_water = ColorProperty(COLOURS["map_water"][0])
    map_block = ColorProperty(COLOURS["map_block"][0])
    pine_e = ColorProperty(COLOURS["pine_e"][0])
    river_e = ColorProperty(COLOURS["river_e"][0])
    honey_e = ColorProperty(COLOURS["honey_e"][0])
    pepper_e = ColorProperty(COLOURS["pepper_e"][0])
    plum_e = ColorProperty(COLOURS["plum_e"][0])
    grey_e = ColorProperty(COLOURS["grey_e"][0])
    chosen = ColorProperty(COLOURS["chosen"][0])
    chosen_ink = ColorProperty(COLOURS["chosen_ink"][0])
    card_lw = NumericProperty(1)

    def __init__(self) -> None:
        super().__init__()
        self._renew()
        self.fbind("large", self._renew)
        self.fbind("contrast", self._repaint)
        Metrics.fbind("fontscale", self._renew)

    def _renew(self, *_: object) -> None:
        self.sp = _sizer(self.large)
        self.pick = _picker(self.large)

    def _repaint(self, *_: object) -> None:
        self.card_lw = 2 if self.contrast else 1
        for token, colours in COLOURS.items():
            setattr(self, token, colours[self.contrast])


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
