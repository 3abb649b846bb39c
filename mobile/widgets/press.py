"""Everything that is pressed: buttons, chips, tiles, links and the groups that choose among them."""

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior

from mobile.widgets.fitting import Even, Flow
from mobile.widgets.layout import Box, Col
from mobile.widgets.lines import natural_width


class Press(ButtonBehavior, Box):
    """An icon and a word; `mark` stands in the icon's place. `need_w` and `need_h` are what they want: layouts give
    at least that."""

    text = StringProperty("")
    icon = StringProperty("")
    mark = StringProperty("")
    ink = ColorProperty((0, 0, 0, 1))
    icon_ink = ColorProperty((0, 0, 0, 1))
    solid = BooleanProperty(False)
    strong = BooleanProperty(True)
    label_size = NumericProperty(18)
    icon_size = NumericProperty(22)
    gap = NumericProperty(dp(8))
    pad_x = NumericProperty(dp(16))
    minh = NumericProperty(dp(48))
    need_w = NumericProperty(0)
    need_h = NumericProperty(dp(48))

    def beside(self, text: str, icon: str, label_size: float, icon_size: float) -> float:
        """Width of icon and word in one line."""
        word = self.word_width(text, label_size)
        return word + (icon_size if icon else 0) + (self.gap if icon and text else 0)

    def word_width(self, text: str, size: float) -> float:
        # Measured in the heavier face, so that choosing a chip does not move its neighbours.
        return natural_width(text, "Semi", size) + 2 if text else 0.0


class Btn(Press):
    kind = OptionProperty("primary", options=["primary", "outline", "plain", "tint", "danger"])
    big = BooleanProperty(False)


class Link(Press):
    """A green word that acts."""


class Chip(Press):
    """Shows `on`; who holds the choice changes it."""

    on = BooleanProperty(False)


class UprightPress(Press):
    """The icon above the word."""


class Tile(UprightPress):
    on = BooleanProperty(False)
    big = BooleanProperty(False)


class RowTile(UprightPress):
    """The action at the right end of a row."""


class Choice(Col):
    """Chips or tiles from `options` (value, text, icon). `chosen` holds the values; one always stays chosen once
    one is, unless `multi`."""

    options = ListProperty()
    chosen = ListProperty()
    multi = BooleanProperty(False)
    cols = NumericProperty(0)
    tiles = BooleanProperty(False)
    big = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        later = Clock.create_trigger(self._build, -1)
        for name in ("options", "cols", "tiles", "big"):
            self.fbind(name, later)
        self.fbind("chosen", self._mark)
        self._presses: dict[object, Chip | Tile] = {}
        later()

    def pick(self, value: object) -> None:
        if not self.multi:
            self.chosen = [value]
        elif value in self.chosen:
            self.chosen = [v for v in self.chosen if v != value]
        else:
            self.chosen = [*self.chosen, value]

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        holder = Even(cols=self.cols) if self.cols else Flow()
        self._presses = {}
        for value, text, icon in self.options:
            press = Tile(text=text, icon=icon, big=self.big) if self.tiles else Chip(text=text, icon=icon)
            press.fbind("on_release", lambda _press, v=value: self.pick(v))
            self._presses[value] = press
            holder.add_widget(press)
        self.add_widget(holder)
        self._mark()

    def _mark(self, *_: object) -> None:
        for value, press in self._presses.items():
            press.on = value in self.chosen


class Asked(Choice):
    """A question whose answer the form decides on: `chosen` only shows what it holds."""

    __events__ = ("on_pick",)

    def pick(self, value: object) -> None:
        self.dispatch("on_pick", value)

    def on_pick(self, value: object) -> None:
        """Someone answered."""
