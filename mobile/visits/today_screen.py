"""今日走访, the worker's home screen."""

from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.session import AppContext
from mobile.inbox.screen import InboxLink  # noqa: F401  (named in today_screen.kv)
from mobile.widgets.layout import Card
from mobile.widgets.lists import Item, PressRow


class NextCard(Item, Card):
    """The door to go to now."""


class DoorRow(Item, PressRow):
    """A later door. The row leads to the household, its tile to 记走访."""


class TodayScreen(Screen):
    """Who to see and why."""

    vm = ObjectProperty(rebind=True)
    chip = ObjectProperty(rebind=True)
    checks = ObjectProperty(rebind=True)
    todo = ObjectProperty(rebind=True)
    inbox = ObjectProperty(rebind=True)

    def __init__(self, ctx: AppContext, **kwargs: object) -> None:
        self._ctx = ctx
        session = ctx.session
        shown = {"chip": session.chip, "checks": session.checks, "todo": session.todo, "inbox": session.inbox}
        super().__init__(vm=session.today, **shown, **kwargs)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()
        self._ctx.spawn(self.vm.locate())

    def try_again(self) -> None:
        self._ctx.session.sync_screen.send_now()
