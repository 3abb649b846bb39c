"""我的分工 on the screen."""

from collections.abc import Callable
from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.session import AppContext
from mobile.duties.viewmodel import Duties
from mobile.widgets.composed import load
from mobile.widgets.fields import ListRow
from mobile.widgets.layout import Col, Row
from mobile.widgets.lists import Item
from mobile.widgets.tags import Tag


class RoleRow(Item, Row):
    """A role and who has it."""


class MineMark(Item, Tag):
    """It is me."""


class ShareRow(Item, Col):
    """How many households somebody looks after."""


class TeamCard(Item, Col):
    """A cell with its roles."""


class MyDoorRow(Item, ListRow):
    """A household that is mine to look after."""


class DutiesScreen(Screen):
    """Who answers for what, as it came with the last pull."""

    vm: Duties = ObjectProperty(rebind=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"duties": lambda: DutiesScreen(vm=ctx.session.duties)}
