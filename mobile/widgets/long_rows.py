"""Lists of any length: only rows on the screen exist, and one that leaves it is filled anew for the next."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile.widgets.fitting import Fitting
from mobile.widgets.layout import Rule
from mobile.widgets.tokens import T

GUESS = 96
"""dp of a row before one of its list has been seen."""

AHEAD = 0.2
"""Share of the screen, above it and below it, that is filled too: a finger must not pull blank ground into sight."""

AT_ONCE = 3
"""Rows that are made in one frame. Making one takes ten times as long as filling it, and nobody who types may wait."""


class LongRows(Fitting):
    """One under another, like Rows, for lists without end inside a Scroll: with a line between them, or with room.

    A row's class must show all it shows out of `item` and `vm`: what else it remembers would turn up in another row.
    """

    items = ListProperty()
    row = StringProperty("")
    vm = ObjectProperty(None)
    ruled, spacing = BooleanProperty(False), NumericProperty(0)
    watched = ("height",)

    def __init__(self, **kwargs: object) -> None:
        self._guess = 0.0
        """What a row that nobody has seen is taken for: the mean of the first that were, for as long as they hold. A
        guess that moved with every row would move the whole list under the finger."""
        self._tops: Sequence[float] = []
        """How far below the list's own top each row begins, and where the last one ends."""
        self._high: list[float | None] = []
        """What each row turned out to need, line or room above it included; None when it was not seen at this width."""
        self._at: dict[int, Widget] = {}
        self._since: dict[int, int] = {}
        """The frame in which each of them was filled."""
        self._lines: dict[Widget, Widget] = {}
        self._spare: list[Widget] = []
        self._scroll: ScrollView | None = None
        super().__init__(**kwargs)
        self.fbind("width", self._measure_anew)
        T.bind(sp=self._measure_anew)  # weakly: the list goes with its screen
        self.fbind("items", self._trigger_layout)

    def on_items(self, *_: object) -> None:
        """A row that is on the screen shows its new item in this frame."""
        del self._high[len(self.items) :]
        self._high += [None] * (len(self.items) - len(self._high))
        self._put_away(place for place in list(self._at) if place >= len(self.items))
        for place, widget in self._at.items():
            widget.item = self.items[place]

    def _measure_anew(self, *_: object) -> None:
        self._high, self._guess = [None] * len(self.items), 0.0
        self._trigger_layout()

    def do_layout(self, *_: object) -> None:
        scroll, before = self._found_scroll(), self._tops if self._guess else ()
        self._tops = self._added_up()
        if scroll is not None:
            self._stay(scroll, before)
            self._fill(self._in_sight(scroll))
        self._place()
        self.height = self._tops[-1]

    def _added_up(self) -> Sequence[float]:
        live = {place: self._needed(place) for place in self._at if not self._guess or self._has_settled(place)}
        for place, high in live.items():
            self._high[place] = high if self._has_settled(place) else None
        known = [high for high in self._high if high is not None]
        if known and not self._guess:
            self._guess = sum(known) / len(known)
        guess = self._guess or (sum(live.values()) / len(live) if live else dp(GUESS))
        return [0.0, *accumulate(live.get(at, guess if high is None else high) for at, high in enumerate(self._high))]

    def _needed(self, place: int) -> float:
        return float(self._at[place].height) + (self._between() if place else 0)

    def _between(self) -> float:
        return dp(1) if self.ruled else float(self.spacing)

    def _has_settled(self, place: int) -> bool:
        """In the frame in which a row is filled its height may still be that of another item."""
        return self._since[place] < Clock.frames

    def _stay(self, scroll: ScrollView, before: Sequence[float]) -> None:
        """Rows above the screen turned out higher or lower than they were taken for: those on it do not move."""
        hidden, top = scroll.children[0].height - scroll.height, self._seen_top(scroll)
        first = bisect_right(before, top) - 1
        if hidden > 0 and 0 < first < min(len(before), len(self._tops)):
            scroll.scroll_y -= (self._tops[first] - before[first]) / hidden

    def _seen_top(self, scroll: ScrollView) -> float:
        """How far below the list's top the screen begins."""
        content = scroll.children[0]
        hidden = content.height - scroll.height
        return float(self.top - (scroll.scroll_y * hidden + scroll.height if hidden > 0 else content.height))

    def _in_sight(self, scroll: ScrollView) -> range:
        top, more = self._seen_top(scroll), scroll.height * AHEAD
        first = bisect_right(self._tops, top - more) - 1
        last = bisect_right(self._tops, top + scroll.height + more)
        return range(max(first, 0), max(min(last, len(self.items)), 0))

    def _found_scroll(self) -> ScrollView | None:
        above = self.parent
        while above is not None and not isinstance(above, ScrollView):
            above = above.parent if above.parent is not above else None
        if above is not self._scroll:
            for scroll, bind in ((self._scroll, "funbind"), (above, "fbind")):
                for name in ("scroll_y", "size", "viewport_size") if scroll else ():
                    getattr(scroll, bind)(name, self._trigger_layout)
            self._scroll = above
        return above

    def _fill(self, wanted: range) -> None:
        self._put_away(place for place in list(self._at) if place not in wanted)
        missing = [place for place in wanted if place not in self._at]
        made = sum(since == Clock.frames for since in self._since.values())
        for place in missing[: len(self._spare) + max(AT_ONCE - made, 0)]:
            self._at[place] = self._filled(self.items[place])
            self._since[place] = Clock.frames
        if missing:
            Clock.schedule_once(self._trigger_layout)

    def _put_away(self, places: Iterable[int]) -> None:
        for place in places:
            widget = self._at.pop(place)
            del self._since[place]
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

    def _place(self) -> None:
        for place, widget in self._at.items():
            y = self.top - self._tops[place]
            if self.ruled and place:
                self._draw_line(self._lines[widget], y)
            y -= self._between() if place else 0
            widget.width = self.width
            widget.pos = self.x, y - widget.height

    def _draw_line(self, line: Widget, y: float) -> None:
        if line.parent is None:
            self.add_widget(line)
        line.width = self.width
        line.pos = self.x, y - dp(1)
