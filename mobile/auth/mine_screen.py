"""我的: who I am, how sending stands, 大字版, the server's address, the way out."""

from collections.abc import Callable

from kivy.metrics import dp
from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.auth.lock import Lock
from mobile.auth.viewmodel import Mine
from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.core.settings import Settings
from mobile.inbox.screen import InboxLink
from mobile.inbox.viewmodel import Inbox
from mobile.requests.todo import Todo
from mobile.residents.checks import Checks
from mobile.sync.status import SyncStatus
from mobile.volunteers.readiness import Readiness
from mobile.widgets.composed import Ask, Asking, Composed, Parts, load
from mobile.widgets.fields import ListRow
from mobile.widgets.frame import Header, SubHeader
from mobile.widgets.layout import Col, Group, Rule, Sheet
from shared.texts import _


class MineRows(Col):
    vm = ObjectProperty(rebind=True)
    status = ObjectProperty(rebind=True)
    settings = ObjectProperty(rebind=True)
    lock = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class CheckRow(ListRow):
    """待核对, and how much of it."""

    checks = ObjectProperty(rebind=True)

    def on_release(self) -> None:
        shell_of(self).push("check")


class TodoLink(ListRow):
    """待办事项, and how many."""

    todo = ObjectProperty(rebind=True)

    def on_release(self) -> None:
        shell_of(self).push("todo")


class ReportedLink(ListRow):
    """我报过的."""

    def on_release(self) -> None:
        shell_of(self).push("reported")


class DutiesLink(ListRow):
    """我的分工."""

    def on_release(self) -> None:
        shell_of(self).push("duties")


class EventsRow(ListRow):
    """人员变动 of whichever household."""

    def on_release(self) -> None:
        shell_of(self).push("event")


class RegisterRow(ListRow):
    """登记一户."""

    def on_release(self) -> None:
        shell_of(self).push("household_form")


class SummaryRow(ListRow):
    """今日小结, for whoever visits people."""

    vm = ObjectProperty(rebind=True)

    def on_release(self) -> None:
        shell_of(self).push("summary")


class VolunteerRows(Group):
    """When, for what, and whether at all."""

    own: Readiness = ObjectProperty(rebind=True)

    def open(self, route: str) -> None:
        shell_of(self).push(route)


class SignOutAsk(Ask):
    vm = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class MineScreen(Asking):
    vm: Mine = ObjectProperty(rebind=True)

    def __init__(
        self,
        vm: Mine,
        status: SyncStatus,
        settings: Settings,
        lock: Lock,
        inbox: Inbox,
        checks: Checks | None,
        todo: Todo | None,
        own: Readiness | None,
    ) -> None:
        self._rows = MineRows(vm=vm, status=status, settings=settings, lock=lock, screen=self)
        self._rows.ids.work.add_widget(Rule(inset_x=dp(16)))
        self._rows.ids.work.add_widget(InboxLink(inbox=inbox))
        if checks is not None and todo is not None:
            work = CheckRow(checks=checks), TodoLink(todo=todo), SummaryRow(vm=vm), ReportedLink(), EventsRow()
            for row in (*work, RegisterRow(), DutiesLink()):
                self._rows.ids.work.add_widget(Rule(inset_x=dp(16)))
                self._rows.ids.work.add_widget(row)
        if own is not None:
            # Under the name, above the rest.
            self._rows.add_widget(VolunteerRows(own=own), index=len(self._rows.children) - 1)
        super().__init__(vm=vm)

    def on_pre_enter(self) -> None:
        self.vm.refresh()

    def open(self, route: str) -> None:
        shell_of(self).push(route)

    def head(self) -> Header:
        return Header(title=_("我的"))

    def body(self) -> Parts:
        return [self._rows]

    def question(self) -> SignOutAsk:
        return SignOutAsk(vm=self.vm, screen=self)


class ServerForm(Col):
    settings = ObjectProperty(rebind=True)


class SaveBar(Sheet):
    screen = ObjectProperty()


class ServerScreen(Composed):
    """The address given by the county. It counts from the next sign-in on."""

    settings: Settings = ObjectProperty(rebind=True)

    def __init__(self, settings: Settings) -> None:
        self._form = ServerForm(settings=settings)
        super().__init__(settings=settings)

    def save(self) -> None:
        self.settings.server = self._form.ids.address.text.strip()
        shell_of(self).back()

    def compose(self) -> tuple[Parts, Parts, Parts]:
        return [SubHeader(title=_("服务器"))], [self._form], [SaveBar(screen=self)]


def _mine(ctx: AppContext) -> MineScreen:
    session = ctx.session
    checks, todo = (session.checks, session.todo) if session.is_worker else (None, None)
    own = session.readiness if session.me.volunteer_id else None
    return MineScreen(session.mine, session.chip, ctx.settings, ctx.lock, session.inbox, checks, todo, own)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"me": lambda: _mine(ctx), "server": lambda: ServerScreen(ctx.settings)}
