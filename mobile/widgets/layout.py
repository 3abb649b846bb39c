"""Layouts whose height comes from what they hold, so that no text is cut at any letter size."""

from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, VariableListProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget


def need_of(widget: Widget) -> float:
    """The width a widget wants, so that a layout can tell whether things fit beside each other."""
    for name in ("natural", "need_w"):
        if hasattr(widget, name):
            return float(getattr(widget, name))
    return float(widget.width) if widget.size_hint_x is None else 0.0


class Watching:
    """A layout that looks again when one of the `watched` properties of a child changes."""

    watched: tuple[str, ...] = ("natural", "need_w", "width")

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        super().add_widget(widget, *args, **kwargs)  # type: ignore[misc]
        for name in self.watched:
            if hasattr(widget, name):
                widget.fbind(name, self.look_again)
        self.look_again()

    def remove_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        super().remove_widget(widget, *args, **kwargs)  # type: ignore[misc]
        for name in self.watched:
            if hasattr(widget, name):
                widget.funbind(name, self.look_again)
        self.look_again()

    def look_again(self, *_: object) -> None:
        raise NotImplementedError


class Slotted:
    """Children that a screen gives go into the part with the id `slot`, once the part `last_part` is there."""

    slot = "spread"
    last_part = "spread"

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        if self.last_part in self.ids:  # type: ignore[attr-defined]
            self.ids[self.slot].add_widget(widget, *args, **kwargs)  # type: ignore[attr-defined]
        else:
            super().add_widget(widget, *args, **kwargs)  # type: ignore[misc]


class Stack(Watching, BoxLayout):
    """A row or column that knows the width it would like to have, as `natural`."""

    natural = NumericProperty(0)

    def look_again(self, *_: object) -> None:
        wants = [need_of(child) for child in self.children]
        if self.orientation == "horizontal":
            across = sum(wants) + self.spacing * (len(wants) - 1)
        else:
            across = max(wants, default=0)
        self.natural = across + self.padding[0] + self.padding[2]


class Row(Stack):
    """Side by side, as high as the highest."""


class Col(Stack):
    """One under another, as high as all together."""


class Body(Col):
    """The content of a Scroll, with the page's margins."""


class Page(BoxLayout):
    """The root of a screen. It paints its own ground, or a picture of it would be transparent."""


class Scroll(ScrollView):
    """Vertical only. Put one Body or Col into it.

    What is read stays where it is when something below it grows: Kivy itself keeps the share of the whole instead.
    """

    def __init__(self, **kwargs: object) -> None:
        self._was = 0.0
        super().__init__(**kwargs)

    def on_viewport_size(self, _scroll: object, size: tuple[float, float]) -> None:
        above, hidden = (1 - self.scroll_y) * max(self._was - self.height, 0), size[1] - self.height
        self._was = size[1]
        if above > 0 and hidden > 0:
            self.scroll_y: float = max(1 - above / hidden, 0)


class Gap(Widget):
    h = NumericProperty(dp(12))


class Rule(Widget):
    """A hairline; `inset_x` keeps it from the edges."""

    inset_x = NumericProperty(0)


class Box(BoxLayout):
    """A rounded surface with an optional edge."""

    fill = ColorProperty((1, 1, 1, 1))
    edge = ColorProperty((0, 0, 0, 0))
    lw = NumericProperty(0)
    radius = VariableListProperty([dp(16)])


class Card(Box):
    """White, with the card's edge and padding."""


class Group(Card):
    """A card whose rows go from edge to edge, with a Rule between two."""


class Inset(Box):
    """A quiet grey area inside a page."""


class Band(Box):
    """The warm head of an invitation's Group (radius 20): round on top only."""


class Circ(AnchorLayout):
    """A filled circle around one child; it grows when its child does."""

    fill = ColorProperty((1, 1, 1, 1))
    size_dp = NumericProperty(32)
    content = NumericProperty(0)

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        super().add_widget(widget, *args, **kwargs)
        widget.fbind("size", self._follow)

    def _follow(self, _child: Widget, size: tuple[float, float]) -> None:
        self.content = max(size) + dp(10)


class Sheet(BoxLayout):
    """The white bar that stays at the bottom. `inset` leaves room for the system bar when no tab bar is below."""

    inset = BooleanProperty(False)
