"""我的网格: a map of stairwells, the doors of one, the person behind one door."""

from collections.abc import Callable
from typing import Any

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle, SmoothLine
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.screenmanager import Screen
from kivy.uix.scrollview import ScrollView

from mobile.core.session import AppContext
from mobile.grid import map as _map  # noqa: F401  their widgets are named in the kv
from mobile.residents import find_screen
from mobile.residents import screen as residents
from mobile.sync import screen as sync
from mobile.widgets.composed import load
from mobile.widgets.layout import Box, Col, Row
from mobile.widgets.lists import Item
from mobile.widgets.tokens import T

# state of a door: fill, ink
DOOR_LOOKS = {
    "recent": ("pine_t", "pine_d"),
    "month": ("honey_t", "honey"),
    "long": ("pepper", "white"),
    "never": ("white", "ink2"),
}
DASH, DASH_GAP, DASH_WIDTH = 4, 3, 1.5


class DoorPress(Item, ButtonBehavior, Box):
    """A door of the chosen stairwell; a dashed edge where nobody was ever met."""

    need_w, need_h = NumericProperty(0), NumericProperty(0)
    dashed, chosen = BooleanProperty(False), BooleanProperty(False)
    ink = ColorProperty((0, 0, 0, 1))

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        draw = Clock.create_trigger(self._draw_edge, -1)
        for name in ("pos", "size", "dashed"):
            self.fbind(name, draw)
        draw()

    def look(self, state: str, place: int, _contrast: bool) -> object:
        return getattr(T, DOOR_LOOKS[state][place])

    def _draw_edge(self, *_: object) -> None:
        # Kivy dashes only lines one pixel wide.
        self.canvas.after.clear()
        if self.dashed:
            with self.canvas.after:
                Color(*T.ink3)
                self._dash_sides(float(self.radius[0]), dp(DASH_WIDTH))

    def _dash_sides(self, radius: float, thick: float) -> None:
        for x in _dashes(self.x + radius, self.right - radius):
            for y in (self.y, self.top - thick):
                Rectangle(pos=(x, y), size=(dp(DASH), thick))
        for y in _dashes(self.y + radius, self.top - radius):
            for x in (self.x, self.right - thick):
                Rectangle(pos=(x, y), size=(thick, dp(DASH)))
        inner = radius - thick / 2
        for x, start in ((self.right - radius, 0), (self.x + radius, 270)):
            SmoothLine(circle=(x, self.top - radius, inner, start + 20, start + 70), width=thick / 2)
        for x, start in ((self.right - radius, 90), (self.x + radius, 180)):
            SmoothLine(circle=(x, self.y + radius, inner, start + 20, start + 70), width=thick / 2)


def _dashes(start: float, end: float) -> list[float]:
    """Where dashes begin, so that they and the gaps around them fill the side evenly."""
    count = max(1, round((end - start) / dp(DASH + DASH_GAP)))
    step = (end - start) / count
    return [start + step * place + (step - dp(DASH)) / 2 for place in range(count)]


class StateWord(Item, Row):
    """One entry of the legend."""


class CellPress(Item, ButtonBehavior, Box):
    """One of several cells."""

    need_w, need_h = NumericProperty(0), NumericProperty(0)


class PersonCard(Item, Col):
    """Who lives behind the chosen door."""


class GridScreen(Screen):
    """The worker's ground."""

    vm = ObjectProperty(rebind=True)
    chip = ObjectProperty(rebind=True)

    def __init__(self, ctx: AppContext, **kwargs: object) -> None:
        self._ctx = ctx
        super().__init__(vm=ctx.session.grid, chip=ctx.session.chip, **kwargs)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()

    def on_back(self) -> bool:
        """The back key first leaves the cell for all of them."""
        inside = len(self.vm.cells) > 1 and not self.vm.overview
        if inside:
            self.vm.choose_cell("")
        return inside

    def locate(self) -> None:
        self._ctx.spawn(self._locate())

    def show_person(self) -> None:
        """After the next frame, when everything has its height: the chosen door and the head of its card in sight."""
        Clock.schedule_once(self._scroll_to_person)

    def _scroll_to_person(self, *_: object) -> None:
        panel, inner, rows, doors = (self.ids[name] for name in ("panel", "inner", "rows", "doors"))
        _scroll(panel, self.ids.person.top - inner.y if self.vm.person else inner.height)
        for tile in doors.children:
            if str(tile.item.household_id) == self.vm.chosen_door:
                _scroll(rows, tile.center_y - doors.y + rows.height / 2)

    async def _locate(self) -> None:
        await self.vm.locate()
        if self.vm.here:
            self.ids.map.look_at(self.vm.here)


def _scroll(view: ScrollView, top: float) -> None:
    """Show a height of the content, counted from its foot, at the upper edge."""
    hidden = view.children[0].height - view.height
    view.scroll_y = max(0.0, min((top - view.height) / hidden, 1.0)) if hidden > 0 else 1


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    for file in (residents.__file__, find_screen.__file__, sync.__file__, __file__):
        load(file)
    return {"grid": lambda: GridScreen(ctx)}
