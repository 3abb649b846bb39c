"""同步情况, and the chip that leads to it from everywhere."""

from collections.abc import Callable
from typing import Any

from kivy.metrics import dp
from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen
from kivy.uix.widget import Widget

from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.sync.status import SyncStatus
from mobile.sync.viewmodel import OperationLine, PhotoLine, SyncScreen
from mobile.widgets.composed import Composed, Parts, load
from mobile.widgets.frame import SectionHead, SubHeader
from mobile.widgets.layout import Card, Col, Gap, Group, Row, Rule, Sheet
from mobile.widgets.pieces import ErrorBand, WhyBox
from mobile.widgets.press import Btn
from mobile.widgets.tags import SyncChip
from mobile.widgets.text import Txt
from mobile.widgets.tokens import T
from shared.texts import _

SHOWN_LINES = 30
"""A month without network would otherwise be drawn row by row."""


class SyncLink(SyncChip):
    source: SyncStatus | None = ObjectProperty(None, rebind=True)
    said = StringProperty("")

    def words(self, status: str, count: float, large: bool) -> str:
        """What looks like a refusal, like no network or like a record, and is none, must not read like it."""
        source = self.source
        if source and source.needs_update:
            return _("请更新应用")  # the rest of the sentence stands on the page behind the chip
        if source and (source.needs_sign_in or (status == "offline" and not source.offline)):
            return str(source.text)
        if source and source.only_photos and status in ("unsent", "sent"):
            return _("{count} 张没送").format(count=int(count)) if large else str(source.text)
        return str(super().words(status, count, large))

    def on_said(self, *_: object) -> None:
        self.ids.tag.text = self.words(self.status, self.count, T.large or self.brief)

    def on_release(self) -> None:
        shell_of(self).push("sync")


class SyncHead(Col):
    """The four counters and what green means."""

    vm = ObjectProperty(rebind=True)
    status = ObjectProperty(rebind=True)


class RefusedHead(SectionHead):
    """First of all."""


class UnsentHead(SectionHead):
    """On this phone only."""


class SentHead(SectionHead):
    """Left, without a receipt so far."""


class RefusedCard(Card):
    """Why it came back; a button if something can be done about it."""

    line: OperationLine = ObjectProperty()
    screen = ObjectProperty()

    def on_kv_post(self, _base: object) -> None:
        line = self.line
        buttons = FixButtons if line.can_fix else CheckButton if line.can_check else AsideButton
        self.add_widget(buttons(card=self))


class FixButtons(Col):
    card = ObjectProperty()


class CheckButton(Col):
    card = ObjectProperty()


class AsideButton(Col):
    card = ObjectProperty()


class PhotoCard(Card):
    """A photo the server did not keep."""

    line: PhotoLine = ObjectProperty()
    vm = ObjectProperty()


class LossCard(Card):
    """What could not be opened any more when the app started."""

    vm = ObjectProperty(rebind=True)


class OperationRow(Row):
    line: OperationLine = ObjectProperty()
    icon = StringProperty("")
    ink = ObjectProperty()


class SendBar(Sheet):
    vm = ObjectProperty(rebind=True)
    status = ObjectProperty(rebind=True)


class SyncPage(Composed):
    vm: SyncScreen = ObjectProperty(rebind=True)

    def __init__(self, vm: SyncScreen) -> None:
        super().__init__(vm=vm)
        self.follow(vm, ("refused", "unsent", "sent", "problem_line", "photos_back", "photo_line", "loss_line"))
        self.follow(vm.status, ("needs_sign_in",))

    def on_pre_enter(self) -> None:
        self.vm.refresh()

    def fix(self, line: OperationLine) -> None:
        household_id = self.vm.fix(line.op_id)
        if household_id is not None:
            shell_of(self).push("visit", household_id=household_id)

    def leave(self) -> None:
        """先放着: it stays in the list and on the chip."""
        shell_of(self).back()

    def check(self) -> None:
        """What belongs to the register is decided with both values in sight."""
        shell_of(self).push("check")

    def put_aside(self, line: OperationLine) -> None:
        self.vm.put_aside(line.op_id)

    def compose(self) -> tuple[Parts, Parts, Parts]:
        vm = self.vm
        lists = [*self._refused(), *self._photos(), *self._waiting()]
        return (
            [SubHeader(title=_("同步情况"))],
            [SyncHead(vm=vm, status=vm.status), *self._loss(), *self._problem(), *self._sign_in(), *lists],
            [SendBar(vm=vm, status=vm.status)],
        )

    def _problem(self) -> Parts:
        """Having no network is nobody's fault and not an error."""
        if not self.vm.problem_line:
            return []
        offline = self.vm.status.offline
        said = WhyBox(icon="wifi-slash") if offline else ErrorBand()
        said.text = self.vm.problem_line
        return [Gap(), said]

    def _sign_in(self) -> Parts:
        if not self.vm.status.needs_sign_in:
            return []
        return [Gap(), Btn(icon="key", text=_("重新登录"), on_release=lambda press: shell_of(press).push("sign_in"))]

    def _photos(self) -> Parts:
        parts: list[Widget] = [Gap(), WhyBox(icon="camera", text=self.vm.photo_line)] if self.vm.photo_line else []
        if self.vm.photos_back:
            cards = Col(spacing=dp(12))
            for line in self.vm.photos_back[:SHOWN_LINES]:
                cards.add_widget(PhotoCard(line=line, vm=self.vm))
            parts += [RefusedHead(title=self.vm.photos_title), cards, *_more(self.vm.photos_back)]
        return parts

    def _loss(self) -> Parts:
        return [Gap(), LossCard(vm=self.vm)] if self.vm.loss_line else []

    def _refused(self) -> Parts:
        if not self.vm.refused:
            return []
        cards = Col(spacing=dp(12))
        for line in self.vm.refused[:SHOWN_LINES]:
            cards.add_widget(RefusedCard(line=line, screen=self))
        return [RefusedHead(title=self.vm.refused_title), cards, *_more(self.vm.refused)]

    def _waiting(self) -> Parts:
        vm = self.vm
        unsent = _section(UnsentHead(title=vm.unsent_title), vm.unsent, T.honey_i)
        return [*unsent, *_section(SentHead(title=vm.sent_title), vm.sent, T.river)]


def _section(head: SectionHead, lines: list[OperationLine], ink: object) -> Parts:
    if not lines:
        return []
    group = Group()
    for place, line in enumerate(lines[:SHOWN_LINES]):
        if place:
            group.add_widget(Rule())
        group.add_widget(OperationRow(line=line, icon=head.icon, ink=ink))
    return [head, group, *_more(lines)]


def _more(lines: list[Any]) -> Parts:
    rest = len(lines) - SHOWN_LINES
    return [Txt(raw=_("……还有 {rest} 条").format(rest=rest), style="cap", halign="center")] if rest > 0 else []


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"sync": lambda: SyncPage(ctx.session.sync_screen)}
