"""Layouts that give way when letters grow: wrap, fewer columns, or one under the other."""

from collections.abc import Sequence
from math import ceil

from kivy.metrics import dp
from kivy.properties import NumericProperty
from kivy.uix.layout import Layout
from kivy.uix.widget import Widget

from mobile.widgets.layout import Watching, need_of


class Fitting(Watching, Layout):
    """Sets its own height in do_layout. Children are told their width, never the other way round."""

    watched: tuple[str, ...] = ("size", "natural", "need_w", "need_h", "minimum_height")
    spacing = NumericProperty(dp(8))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(size_hint_y=None, **kwargs)
        for name in ("pos", "size", "children", "spacing"):
            self.fbind(name, self._trigger_layout)

    def look_again(self, *_: object) -> None:
        self._trigger_layout()

    def shown(self) -> list[Widget]:
        return list(reversed(self.children))


def _height(widget: Widget) -> float:
    """A stretched child must still tell how high it would be by itself."""
    for name in ("need_h", "minimum_height"):
        if hasattr(widget, name):
            return float(getattr(widget, name))
    return float(widget.height)


def _empty(widget: Widget) -> bool:
    """A word that is not there must not take the space around it."""
    return bool(widget.size_hint_x is None and not widget.width)


class Flow(Fitting):
    """Left to right, wrapping, each line centred: chips, tags, short words."""

    def do_layout(self, *_: object) -> None:
        y = self.top
        for line in self._lines():
            high = max(widget.height for widget in line)
            x = self.x
            for widget in line:
                widget.pos = x, y - (high + widget.height) / 2
                x += widget.width + self.spacing
            y -= high + self.spacing
        self.height = max(self.top - y - self.spacing, 0)

    def _lines(self) -> list[list[Widget]]:
        lines: list[list[Widget]] = []
        used = 0.0
        for widget in self.shown():
            if hasattr(widget, "need_w"):
                widget.width = min(widget.need_w, self.width)
            if not lines or used + widget.width > self.width:
                lines.append([])
                used = 0.0
            lines[-1].append(widget)
            used += widget.width + self.spacing
        return lines


class Even(Fitting):
    """Columns of one width and rows of one height; fewer columns when the words do not fit."""

    cols = NumericProperty(4)

    def do_layout(self, *_: object) -> None:
        widgets = self.shown()
        cols = self._columns(widgets)
        wide = (self.width - self.spacing * (cols - 1)) / cols
        y = self.top
        for start in range(0, len(widgets), cols):
            row = widgets[start : start + cols]
            high = max(map(_height, row))
            y -= high
            for place, widget in enumerate(row):
                widget.size = wide, high
                widget.pos = self.x + place * (wide + self.spacing), y
            y -= self.spacing
        self.height = max(self.top - y - self.spacing, 0)

    def _columns(self, widgets: Sequence[Widget]) -> int:
        widest = max(map(need_of, widgets), default=0)
        fitting = int((self.width + self.spacing + 1) // (widest + self.spacing)) if widest else self.cols
        cols = max(1, min(int(self.cols), fitting))
        if cols == self.cols or not widgets:
            return cols
        # Four that fit by three look better two and two.
        return ceil(len(widgets) / ceil(len(widgets) / cols))


class Pair(Fitting):
    """Buttons side by side, the last takes the room that is left; stacked, with the last on top, when too narrow."""

    def do_layout(self, *_: object) -> None:
        widgets = self.shown()
        wants = [need_of(widget) for widget in widgets]
        if sum(wants) + self.spacing * (len(widgets) - 1) <= self.width + 1:
            self._beside(widgets, wants)
        else:
            self._stacked(widgets[::-1])

    def _beside(self, widgets: Sequence[Widget], wants: list[float]) -> None:
        self.height = max(map(_height, widgets), default=0)
        x = self.x
        for widget, want in zip(widgets, wants, strict=True):
            want = self.right - x if widget is widgets[-1] else want
            widget.size = want, self.height
            widget.pos = x, self.y
            x += want + self.spacing

    def _stacked(self, widgets: Sequence[Widget]) -> None:
        self.height = sum(map(_height, widgets)) + self.spacing * (len(widgets) - 1)
        y = self.top
        for widget in widgets:
            widget.size = self.width, _height(widget)
            y -= widget.height
            widget.pos = self.x, y
            y -= self.spacing


class LesserButtons(Pair):
    """Stay side by side when the main button takes a line of its own."""

    natural = NumericProperty(0)


class Spread(Fitting):
    """`leads` things on the left, the rest on the right; what does not fit goes to a line of its own."""

    leads = NumericProperty(1)

    def do_layout(self, *_: object) -> None:
        for widget in self.children:
            if hasattr(widget, "need_w"):
                widget.width = min(widget.need_w, self.width)
        lines = self._lines(self.shown())
        y = self.top
        for line, rights in lines:
            self._widen(line, rights)
            high = max(widget.height for widget in line + rights)
            self._place(line, self.x, y, high)
            across = sum(widget.width for widget in rights) + self.spacing * (len(rights) - 1)
            self._place(rights, self.right - across, y, high)
            y -= high + dp(2)
        self.height = max(self.top - y - dp(2), 0)

    def _lines(self, widgets: list[Widget]) -> list[tuple[list[Widget], list[Widget]]]:
        lefts = [widget for widget in widgets[: int(self.leads)] if not _empty(widget)]
        rights = [widget for widget in widgets[int(self.leads) :] if not _empty(widget)]
        if not lefts:
            return [([], rights)] if rights else []
        if self._room(lefts[1:] + rights) >= need_of(lefts[0]):
            return [(lefts, rights)]
        later: list[tuple[list[Widget], list[Widget]]] = [([left], []) for left in lefts[1:]]
        if self._room(rights) >= min(need_of(lefts[0]), self.width * 0.55):
            return [(lefts[:1], rights), *later]
        return [(lefts[:1], []), *later, ([], rights)]

    def _room(self, others: Sequence[Widget]) -> float:
        return float(self.width - sum(widget.width + self.spacing for widget in others))

    def _widen(self, lefts: Sequence[Widget], rights: Sequence[Widget]) -> None:
        """The first on the left takes what it needs, or all the room that is left."""
        if lefts and lefts[0].size_hint_x is not None:
            room = self._room([*lefts[1:], *rights])
            lefts[0].width = max(min(need_of(lefts[0]), room) if len(lefts) > 1 else room, 1)

    def _place(self, widgets: Sequence[Widget], x: float, top: float, high: float) -> None:
        for widget in widgets:
            widget.pos = x, top - (high + widget.height) / 2
            x += widget.width + self.spacing
