"""The whole of a list that is too long for chips."""

from collections.abc import Callable, Sequence

from kivy.properties import ListProperty, ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.residents import spelling
from mobile.residents.choices import Option
from mobile.widgets.fields import ListRow
from mobile.widgets.lists import Item

SHORT = 15
"""A list that is taken in at a glance needs no search."""


class PickRow(Item, ListRow):
    """One entry."""


class PickScreen(Screen):
    """Hands the value that is tapped to `pick`, and goes."""

    title, words, chosen = StringProperty(""), StringProperty(""), StringProperty("")
    shown, options = ListProperty([]), ListProperty([])
    pick = ObjectProperty()

    def __init__(self, title: str, options: Sequence[Option], chosen: str, pick: Callable[[str], object]) -> None:
        super().__init__(title=title, options=list(options), shown=list(options), chosen=chosen, pick=pick)

    @property
    def is_long(self) -> bool:
        return len(self.options) > SHORT

    def on_words(self, _screen: object, words: str) -> None:
        wanted = spelling.BREAK + spelling.plain(words)
        self.shown = [option for option in self.options if not words or wanted in spelling.name_keys(option[1])]

    def choose(self, value: str) -> None:
        shell_of(self).pop()
        self.pick(value)
