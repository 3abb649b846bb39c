"""待核对 on the screen: what waits for a decision, and the buttons that settle it."""

from functools import partial
from typing import Any
from uuid import UUID

from kivy.properties import NumericProperty, ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.conflicts.items import Action, Version
from mobile.core.navigation import Shell, shell_of
from mobile.residents.checks import Arrival, Checks, Returned
from mobile.residents.doubts import LEAVES, Doubt
from mobile.residents.twins import Side, Twin
from mobile.widgets.layout import Box, Card, Col
from mobile.widgets.lists import Item
from shared.texts import _


class ArrivalCard(Item, Card):
    """Who should have come, and whether they did."""


class TwinCard(Item, Card):
    """Two rows that may be one person, beside each other."""


class SideBox(Box):
    """One of the two rows."""

    side: Side = ObjectProperty(rebind=True)
    need_w = NumericProperty(0)


class ReturnedCard(Item, Card):
    """What I wrote, and why it was not taken."""


class ValueLine(Item, Col):
    """A field; of a conflict with what the community has beside it."""


class ValueBox(Box):
    """One of two values."""

    icon, word, value = StringProperty(""), StringProperty(""), StringProperty("")
    need_w = NumericProperty(0)


class CheckScreen(Screen):
    """`giving_up` is the item that is asked about before it is let go, `merging` the pair that is to be one row,
    `leaving` the doubt of which the reason is asked why nothing is changed."""

    vm: Checks = ObjectProperty(rebind=True)
    giving_up: Returned | None = ObjectProperty(None, allownone=True)
    merging: Twin | None = ObjectProperty(None, allownone=True)
    leaving: Doubt | None = ObjectProperty(None, allownone=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()

    def on_back(self) -> bool:
        asked = any(one is not None for one in (self.giving_up, self.merging, self.leaving))
        self.giving_up = self.merging = self.leaving = None
        return asked

    def correct(self, item: Doubt) -> None:
        """The form says what was heard; saving it settles the doubt."""
        route = "event" if item.kind in LEAVES else "person_form"
        shell_of(self).push(route, household_id=item.household_id, resident_id=item.resident_id, correction_id=item.id)

    def leave(self, reason: str) -> None:
        if self.leaving is not None:
            shell_of(self).snack(self.vm.leave(self.leaving, reason))
            self.leaving = None

    def arrived(self, item: Arrival) -> None:
        """Which household they live in is known to whoever stands at the door."""
        shell_of(self).push("find", pick=partial(self._arrived, item.id))

    def not_arrived(self, item: Arrival) -> None:
        self._settled(self.vm.not_arrived(item.id))

    def one_person(self) -> None:
        if self.merging is not None:
            self._settled(self.vm.decide(self.merging, True))
            self.merging = None

    def two_people(self, item: Twin) -> None:
        self._settled(self.vm.decide(item, False))

    def give_up(self) -> None:
        if self.giving_up is not None:
            self.vm.give_up(self.giving_up.op_id)
            self.giving_up = None

    def settle_side(self, side: Version) -> None:
        self._settle(side.item_id, side.choice)

    def settle(self, action: Action) -> None:
        self._settle(action.item_id, action.what)

    def _settle(self, item_id: UUID, choice: str) -> None:
        queue = self.vm.queue
        sentence = queue.settle(item_id, choice)
        if sentence:
            shell_of(self).snack(sentence, queue.undo_seconds, on_undo=queue.undo)

    def _arrived(self, move_id: UUID, household_id: UUID) -> None:
        self._settled(self.vm.arrived(move_id, household_id))

    def _settled(self, sentence: str) -> None:
        shell = shell_of(self)
        if sentence:
            shell.snack(sentence, self.vm.undo_seconds, on_undo=partial(_undo, self.vm, shell))


def _undo(vm: Checks, shell: Shell) -> None:
    if not vm.undo():
        shell.snack(_("已经送出去了，撤不回来"))
