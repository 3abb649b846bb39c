"""Lists of a view-model's items, parts that come and go, and rows that lead somewhere as a whole."""

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.widget import Widget

from mobile.widgets.fitting import Even, Flow
from mobile.widgets.layout import Col, Row, Rule


class Item:
    """What a list fills: `item` is one of the view-model's, `vm` the view-model itself."""

    item = ObjectProperty(rebind=True)
    vm = ObjectProperty(None, rebind=True)


class Listed:
    """One widget of class `row` for each item. A row stays when only what it shows has changed, and one that is left
    over is kept for the next item: making a row costs far more than filling it."""

    items = ListProperty()
    row = StringProperty("")
    vm = ObjectProperty(None)
    ruled = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        self._made: list[list[Widget]] = []
        self._spare: list[list[Widget]] = []
        super().__init__(**kwargs)

    def on_items(self, *_: object) -> None:
        """In kv `items` comes last: it is built at once, with what stands above it."""
        for _surplus in self._made[len(self.items) :]:
            self._put_away(self._made.pop())
        for made, item in zip(self._made, self.items, strict=False):
            made[-1].item = item
        for item in self.items[len(self._made) :]:
            self._add(item)

    def _add(self, item: object) -> None:
        if self._spare:
            made = self._spare.pop()
            made[-1].item = item
        else:
            row = Factory.get(self.row)(item=item, vm=self.vm)
            made = [Rule(), row] if self.ruled and self._made else [row]
        self._made.append(made)
        for widget in made:
            self.add_widget(widget)  # type: ignore[attr-defined]

    def _put_away(self, made: list[Widget]) -> None:
        """Rows go from the last and come back in its place: the first, which has no line above it, stays the first."""
        for widget in made:
            self.remove_widget(widget)  # type: ignore[attr-defined]
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
