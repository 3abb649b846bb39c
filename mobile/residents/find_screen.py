"""找人, and the magnifier that leads there."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from kivy.clock import Clock
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.residents.finder import Finder, FoundRow
from mobile.widgets.lists import Item, PressRow
from mobile.widgets.press import Btn, Link
from shared.texts import _

Pick = Callable[[UUID], object]


class FindLink(Link):
    """In the header of 今日."""

    def on_release(self) -> None:
        shell_of(self).push("find")


class FindButton(Btn):
    """Asks for a household, and hands it to `pick`."""

    pick = ObjectProperty()

    def on_release(self) -> None:
        shell_of(self).push("find", pick=self.pick)


class FoundPerson(Item, PressRow):
    """Somebody who was found."""


class FindScreen(Screen):
    """Opens who was found; with `pick` it is asked for a household, and hands that back."""

    vm: Finder = ObjectProperty(rebind=True)
    title = StringProperty(_("找人"))

    def __init__(self, vm: Finder, pick: Pick | None = None, **kwargs: object) -> None:
        self._pick = pick
        super().__init__(vm=vm, title=_("是哪一户？") if pick else _("找人"), **kwargs)

    def on_pre_enter(self, *_: Any) -> None:
        """Nobody comes here for anything but to type."""
        self.vm.in_sight = True
        self.vm.refresh()
        Clock.schedule_once(self._focus)

    def on_leave(self, *_: Any) -> None:
        self.vm.in_sight = False

    def open(self, row: FoundRow) -> None:
        shell = shell_of(self)
        if self._pick is not None:
            shell.pop()
            self._pick(row.household_id)
        elif row.resident_id is not None:
            shell.push("person", resident_id=row.resident_id)
        else:
            shell.push("household", household_id=row.household_id)

    def register(self) -> None:
        shell_of(self).push("household_form", pick=self._picked if self._pick else None)

    def _picked(self, household_id: UUID) -> None:
        assert self._pick is not None
        shell_of(self).pop()
        self._pick(household_id)

    def _focus(self, *_: object) -> None:
        self.ids.words.ids.field.focus = not self.vm.words
