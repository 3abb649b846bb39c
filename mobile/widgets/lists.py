"""Lists of a view-model's items, parts that come and go, and rows that lead somewhere as a whole."""

import time

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.widget import Widget

from mobile.widgets.fitting import Even, Flow
from mobile.widgets.layout import Col, Row, Rule

MAKING_S = 0.008
"""So much of a frame goes into rows that follow; one is always made."""


class Item:
    """What a list fills: `item` is one of the view-model's, `vm` the view-model itself."""

    item = ObjectProperty(rebind=True)
    vm = ObjectProperty(None, rebind=True)


class Listed:
    """One widget of class `row` for each item. A row stays when only what it shows has changed.

    With `at_once`, only so many rows are there in the next frame; the others follow in the frames after it, so that
    whoever types a name need not wait for rows that lie below the screen.
    """

    items = ListProperty()
    row = StringProperty("")
    vm = ObjectProperty(None)
    ruled = BooleanProperty(False)
    at_once = NumericProperty(0)

    def __init__(self, **kwargs: object) -> None:
        self._made: list[list[Widget]] = []
        self._spare: list[list[Widget]] = []
        self._go_on = Clock.create_trigger(self._add_more)
        super().__init__(**kwargs)

    def on_items(self, *_: object) -> None:
        """In kv `items` comes last: it is built at once, with what stands above it."""
        at_once = int(self.at_once) or len(self.items)
        for _surplus in self._made[min(at_once, len(self.items)) :]:
            self._put_away(self._made.pop())
        for made, item in zip(self._made, self.items, strict=False):
            made[-1].item = item
        for item in self.items[len(self._made) : at_once]:
            self._add(item)
        self._go_on()

    def prepare(self, item: object) -> None:
        """Have the rows of the first frame ready before there is anything to show; one is made in each frame."""
        if len(self._made) + len(self._spare) < self.at_once:
            self._spare.append(self._new(item, first=not self._spare))
            Clock.schedule_once(lambda _dt: self.prepare(item))

    def _add_more(self, *_: object) -> None:
        started = time.perf_counter()
        while len(self._made) < len(self.items) and time.perf_counter() - started < MAKING_S:
            self._add(self.items[len(self._made)])
        if len(self._made) < len(self.items):
            self._go_on()

    def _add(self, item: object) -> None:
        fitting = next((one for one in self._spare if (len(one) == 1) == (not self._made or not self.ruled)), None)
        if fitting is None:
            fitting = self._new(item, first=not self._made)
        else:
            self._spare.remove(fitting)
            fitting[-1].item = item
        self._made.append(fitting)
        for widget in fitting:
            self.add_widget(widget)  # type: ignore[attr-defined]

    def _new(self, item: object, *, first: bool) -> list[Widget]:
        row = Factory.get(self.row)(item=item, vm=self.vm)
        return [Rule(), row] if self.ruled and not first else [row]

    def _put_away(self, made: list[Widget]) -> None:
        for widget in made:
            self.remove_widget(widget)  # type: ignore[attr-defined]
        if self.at_once:
            self._spare.append(made)


class Rows(Listed, Col):
    """One under another."""


class Tiles(Listed, Even):
    """In columns of one width."""


class Words(Listed, Flow):
    """After one another in lines, behind what kv puts first."""


class Part(Col):
    """Its children are there only while `on`: a hidden button must not be in the way of a finger."""

    on = BooleanProperty(True)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._hidden: list[Widget] = []
        show = Clock.create_trigger(self._show, -1)
        self.fbind("on", show)
        show()

    def _show(self, *_: object) -> None:
        if self.on:
            for widget in self._hidden:
                self.add_widget(widget)
            self._hidden = []
        elif self.children:
            self._hidden = self.children[::-1]
            self.clear_widgets()


class PressRow(ButtonBehavior, Row):
    """A row that leads somewhere as a whole."""


class PressCol(ButtonBehavior, Col):
    """The same for lines one under another."""
