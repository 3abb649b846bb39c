"""One person on the screen."""

from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.residents.person import PersonDetail
from mobile.widgets.fitting import Spread
from mobile.widgets.lists import Item


class FactLine(Item, Spread):
    """A label and what is on file."""


class PersonScreen(Screen):
    """What is on file and what happened; the two ways to change it stand below."""

    vm: PersonDetail = ObjectProperty(rebind=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()
