"""Screens put together from parts that come and go, and the question that stands in for their bottom bar."""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from kivy.clock import Clock
from kivy.event import EventDispatcher
from kivy.lang import Builder
from kivy.properties import BooleanProperty, OptionProperty, StringProperty
from kivy.uix.screenmanager import Screen
from kivy.uix.widget import Widget

from mobile import widgets
from mobile.widgets.layout import Sheet
from mobile.widgets.tokens import T

Parts = Sequence[Widget]


@cache
def load(python_file: str) -> None:
    """Read the kv file beside a screen's module, once and after the kit's: rules apply in the order they were read."""
    widgets.load()
    if python_file != __file__:
        load(__file__)
    Builder.load_file(str(Path(python_file).with_suffix(".kv")))


class Composed(Screen):
    """Head, scrolled body and bottom bar. kv cannot say "only if", so `compose` is asked again when one of the
    followed properties changes; while the screen is out of sight, once when it is entered again."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._stale = False
        self._again = Clock.create_trigger(self._show_if_seen, -1)
        # Changes with 大字版 and with the system's letter size.
        T.bind(sp=self.changed)
        self.fbind("on_pre_enter", self._catch_up)
        self._show()

    def compose(self) -> tuple[Parts, Parts, Parts]:
        """The widgets of the head, the body and the bar as they shall be now."""
        raise NotImplementedError

    def follow(self, source: EventDispatcher, names: Iterable[str]) -> None:
        for name in names:
            source.bind(**{name: self.changed})

    def changed(self, *_: object) -> None:
        self._again()

    def _catch_up(self, *_: object) -> None:
        if self._stale:
            self._again()

    def _show_if_seen(self, *_: object) -> None:
        self._stale = self.get_parent_window() is None
        if not self._stale:
            self._show()

    def _show(self) -> None:
        places = (self.ids.head, self.ids.body, self.ids.bar)
        for place, parts in zip(places, self.compose(), strict=True):
            place.clear_widgets()
            for part in parts:
                place.add_widget(part)


class Asking(Composed):
    """A screen whose bar can turn into a question. The back key first leaves the question."""

    asking = BooleanProperty(False)

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.fbind("asking", self.changed)

    def on_back(self) -> bool:
        asked, self.asking = self.asking, False
        return asked

    def compose(self) -> tuple[Parts, Parts, Parts]:
        bar = self.question() if self.asking else self.bar()
        return [self.head()], self.body(), [bar] if bar else []

    def head(self) -> Widget:
        raise NotImplementedError

    def body(self) -> Parts:
        raise NotImplementedError

    def bar(self) -> Widget | None:
        """What stands below as long as nothing is asked."""
        return None

    def question(self) -> Widget | None:
        raise NotImplementedError


class Ask(Sheet):
    """A question with two answers. Children stand between the words and the buttons, and scroll if there are many."""

    title, text = StringProperty(""), StringProperty("")
    yes_text, no_text = StringProperty(""), StringProperty("")
    kind = OptionProperty("primary", options=["primary", "outline", "danger"])

    __events__ = ("on_yes", "on_no")

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        if "answers" in self.ids:
            self.ids.inside.add_widget(widget, *args, **kwargs)
        else:
            super().add_widget(widget, *args, **kwargs)

    def on_yes(self) -> None:
        """The right button."""

    def on_no(self) -> None:
        """The left button."""
