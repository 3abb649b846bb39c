"""住户详情."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import Shell, shell_of
from mobile.core.session import AppContext
from mobile.residents.choices import MORE
from mobile.residents.follow_up import FollowUps
from mobile.widgets.composed import load
from mobile.widgets.layout import Row
from mobile.widgets.lists import Item, PressRow
from mobile.widgets.tags import Tag
from shared.texts import _


class CareWord(Item, Tag):
    """A care flag."""


class UnsentMark(Item, Tag):
    """On this phone only, so far."""


class ResidencyWord(Tag):
    """How a person lives here: a colour, but no icon, since the icons of tags are about sending and deadlines."""

    def usual_icon(self, kind: str) -> str:
        return ""


class MemberRow(Item, PressRow):
    """One person of the household."""


class EventRow(Item, Row):
    """An event of the register."""


class VisitRow(Item, Row):
    """An earlier visit."""


class FollowedRow(Item, Row):
    """What is under way after a visit."""


class HouseholdScreen(Screen):
    """The door, who lives there, what was seen."""

    vm = ObjectProperty(rebind=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()

    def follow(self, value: str) -> None:
        """One tap asks for it; 更多 leads to all there is."""
        if value == MORE[0]:
            options = self.vm.follow.every_option()
            shell_of(self).push("pick", title=_("怎么跟进？"), options=options, chosen="", pick=self.follow)
        elif sentence := self.vm.follow.open(value):
            follow, shell = self.vm.follow, shell_of(self)
            shell.snack(sentence, follow.undo_seconds, on_undo=partial(_undo, follow, shell))


def _undo(follow: FollowUps, shell: Shell) -> None:
    if not follow.undo():
        shell.snack(_("已经送出去了，撤不回来"))


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)

    def household(household_id: UUID) -> Screen:
        return HouseholdScreen(vm=ctx.session.household(household_id))

    return {"household": household}
