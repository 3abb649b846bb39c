"""Lists of any length: only rows on the screen exist, and one that leaves it is filled anew for the next."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile.widgets.fitting import Fitting
from mobile.widgets.layout import Rule

GUESS = 96
"""dp of a row before one of its list has been seen."""

AHEAD = 0.2
"""Share of the screen, above it and below it, that is filled too: a finger must not pull blank ground into sight."""


class LongRows(Fitting):
    """One under another, like Rows, for lists without end inside a Scroll.

    A row's class must show all it shows out of `item` and `vm`: what else it remembers would turn up in another row.
    """

    items = ListProperty()
    row = StringProperty("")
    vm = ObjectProperty(None)
    ruled = BooleanProperty(False)
    watched = ("height",)

    def __init__(self, **kwargs: object) -> None:
        self._high: list[float | None] = []
        """What each row turned out to need, line above it included; None when it was not seen at this width."""
        self._at: dict[int, Widget] = {}
        self._since: dict[int, int] = {}
        """The frame in which each of them was filled: until the next one its height may be that of another item."""
        self._lines: dict[Widget, Widget] = {}
        self._spare: list[Widget] = []
        self._scroll: ScrollView | None = None
        super().__init__(**kwargs)
        self.fbind("width", self._measure_anew)
        self.fbind("items", self._trigger_layout)

    def on_items(self, *_: object) -> None:
        """A row that is on the screen shows its new item in this frame."""
        del self._high[len(self.items) :]
        self._high += [None] * (len(self.items) - len(self._high))
        self._put_away(place for place in list(self._at) if place >= len(self.items))
        for place, widget in self._at.items():
            widget.item = self.items[place]

    def _measure_anew(self, *_: object) -> None:
        self._high = [None] * len(self.items)

    def do_layout(self, *_: object) -> None:
        if not self.items:
            self.height = 0
            return
        self._note_heights()
        self._fill(self._in_sight(tops := self._tops()))
        self._place(tops)
        self.height = tops[-1]

    def _note_heights(self) -> None:
        for place, widget in self._at.items():
            self._high[place] = widget.height + (dp(1) if self.ruled and place else 0)

    def _tops(self) -> Sequence[float]:
        """How far below the list's own top each row begins, and where the last one ends."""
        known = [high for high in self._high if high is not None]
        guess = sum(known) / len(known) if known else dp(GUESS)
        return [0.0, *accumulate(guess if high is None else high for high in self._high)]

    def _in_sight(self, tops: Sequence[float]) -> range:
        scroll = self._found_scroll()
        if scroll is None:
            return range(0)
        content, more = scroll.children[0], scroll.height * AHEAD
        hidden = max(content.height - scroll.height, 0)
        seen_top = self.top - (scroll.scroll_y * hidden + scroll.height if hidden else content.height)
        first = bisect_right(tops, seen_top - more) - 1
        last = bisect_right(tops, seen_top + scroll.height + more)
        return range(max(first, 0), max(min(last, len(self.items)), 0))

    def _found_scroll(self) -> ScrollView | None:
        above = self.parent
        while above is not None and not isinstance(above, ScrollView):
            above = above.parent if above.parent is not above else None
        if above is not self._scroll:
            for scroll, bind in ((self._scroll, "funbind"), (above, "fbind")):
                for name in ("scroll_y", "size") if scroll else ():
                    getattr(scroll, bind)(name, self._trigger_layout)
            self._scroll = above
        return above

    def _fill(self, wanted: range) -> None:
        self._put_away(place for place in list(self._at) if place not in wanted)
        for place in wanted:
            if place not in self._at:
                self._at[place] = self._filled(self.items[place])
                self._since[place] = Clock.frames

    def _put_away(self, places: Iterable[int]) -> None:
        for place in places:
            widget = self._at.pop(place)
            if self._since.pop(place) == Clock.frames and place < len(self._high):
                self._high[place] = None
            self._spare.append(widget)
            self.remove_widget(widget)
            if widget in self._lines:
                self.remove_widget(self._lines[widget])

    def _filled(self, item: object) -> Widget:
        if self._spare:
            widget = self._spare.pop()
            widget.item = item
        else:
            widget = Factory.get(self.row)(item=item, vm=self.vm, size_hint_x=None)
            if self.ruled:
                self._lines[widget] = Rule(size_hint_x=None)
        widget.width = self.width
        self.add_widget(widget)
        return widget

    def _place(self, tops: Sequence[float]) -> None:
        for place, widget in self._at.items():
            y = self.top - tops[place]
            if self.ruled and place:
                self._draw_line(self._lines[widget], y)
                y -= dp(1)
            widget.width = self.width
            widget.pos = self.x, y - widget.height

    def _draw_line(self, line: Widget, y: float) -> None:
        if line.parent is None:
            self.add_widget(line)
        line.width = self.width
        line.pos = self.x, y - dp(1)
