"""消息 on the screen, and the row that leads there."""

from collections.abc import Callable
from typing import Any

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import VOLUNTEER_TABS, WORKER_TABS, shell_of
from mobile.core.session import AppContext
from mobile.inbox.viewmodel import Inbox, InboxLine
from mobile.widgets.composed import load
from mobile.widgets.fields import ListRow
from mobile.widgets.layout import Group
from mobile.widgets.lists import Item, PressRow
from mobile.widgets.tags import Tag

TABS = frozenset(route for route, _word, _icon in (*WORKER_TABS, *VOLUNTEER_TABS))


class InboxLink(ListRow):
    """The bell with the number of what nobody has looked at: always in 我的, on the home screens while there is any.

    It is a row, for beside 找人 and the sync chip a header has no room for a third thing.
    """

    inbox = ObjectProperty(None, rebind=True)

    def on_release(self) -> None:
        shell_of(self).push("inbox")


class InboxNews(Group):
    """The row as it stands alone on a home screen."""

    inbox = ObjectProperty(None, rebind=True)


class NewMark(Item, Tag):
    """Nobody has looked at it."""


class InboxRow(Item, PressRow):
    """One notice; it leads to what it is about."""

    def on_release(self) -> None:
        shell, line, vm = shell_of(self), self.item, self.vm
        vm.read(line.key)
        open_line(shell, line)


def open_line(shell: Any, line: InboxLine) -> None:
    if line.route in TABS:
        shell.tab(line.route)
    else:
        shell.push(line.route, **line.arguments)


class InboxScreen(Screen):
    """What was looked at stays in the list; only its mark goes."""

    vm: Inbox = ObjectProperty(rebind=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"inbox": lambda: InboxScreen(vm=ctx.session.inbox)}
