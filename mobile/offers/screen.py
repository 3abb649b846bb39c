"""求助邀请: the volunteer's home screen."""

from collections.abc import Callable

from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.inbox.screen import InboxNews
from mobile.inbox.viewmodel import Inbox
from mobile.offers import task_screen
from mobile.offers.coarse_map import CoarseMap
from mobile.offers.forgotten import Forgotten
from mobile.offers.forgotten_ask import ForgottenAsk, asks_with
from mobile.offers.rules import OfferCard
from mobile.offers.viewmodel import Invitations
from mobile.sync.screen import SyncLink  # noqa: F401  (named in screen.kv)
from mobile.sync.status import SyncStatus
from mobile.widgets.composed import Ask, Asking, Parts, load
from mobile.widgets.frame import Header
from mobile.widgets.layout import Card, Gap, Group, Rule, Sheet
from mobile.widgets.pictures import EmptyState
from mobile.widgets.pieces import Reason
from mobile.widgets.press import Btn
from mobile.widgets.snackbar import Snackbar
from mobile.widgets.tags import Tag
from mobile.widgets.tokens import T
from shared.texts import _


class InviteHeader(Header):
    vm = ObjectProperty(rebind=True)
    status = ObjectProperty(rebind=True)


class SpeakHeader(Header):
    """Of 大字版: whoever reads with difficulty can listen."""

    vm = ObjectProperty(rebind=True)


class OfferView(Group):
    """What, when, about where, and why you."""

    offer: OfferCard = ObjectProperty()

    def on_kv_post(self, _base: object) -> None:
        if self.offer.urgent:
            self.ids.tags.add_widget(Tag(kind="over", icon="clock", text=_("比较急")))
        self.ids.plan.add_widget(Rule() if T.large else CoarseMap(offer=self.offer))
        for icon, text in self.offer.reasons:
            self.ids.reasons.add_widget(Reason(icon=icon, text=text))


class Notice(Card):
    """Why an answer did not count."""

    vm = ObjectProperty(rebind=True)


class Promised(Group):
    """The yes of a moment ago; leads to the task."""

    vm = ObjectProperty(rebind=True)

    def show_task(self) -> None:
        shell_of(self).tab("tasks")


class NoOffer(EmptyState):
    vm = ObjectProperty(rebind=True)
    status = ObjectProperty(rebind=True)


class AnswerBar(Sheet):
    screen = ObjectProperty()
    expiry = StringProperty("")


class LargeAnswerBar(Sheet):
    """One under the other; when to answer stands with the reasons."""

    screen = ObjectProperty()


class DeclineAsk(Ask):
    """Why not, or no word about it."""

    screen = ObjectProperty()


class InviteScreen(Asking):
    vm: Invitations = ObjectProperty(rebind=True)
    status: SyncStatus = ObjectProperty(rebind=True)

    def __init__(self, vm: Invitations, status: SyncStatus, inbox: Inbox, forgotten: Forgotten) -> None:
        self._inbox, self._forgotten = inbox, forgotten
        super().__init__(vm=vm, status=status)
        self.follow(vm, ("offer", "more", "has_accepted", "notice"))
        self.follow(inbox, ("besides_offers",))
        self.follow(forgotten, ("task_id",))
        asks_with(self, forgotten)
        vm.bind(on_accepted=self._say_accepted, on_declined=self._say_declined, notice=self._stop_offering_undo)
        self._undo_bar: Snackbar | None = None

    def on_pre_enter(self) -> None:
        self.vm.refresh()
        self._forgotten.refresh()

    def decline(self, reason: str = "") -> None:
        self.asking = False
        self.vm.decline(reason)

    def head(self) -> Header:
        speaks = T.large and self.vm.can_speak and self.vm.offer
        return SpeakHeader(vm=self.vm) if speaks else InviteHeader(vm=self.vm, status=self.status)

    def body(self) -> Parts:
        inbox = [InboxNews(inbox=self._inbox), Gap()] if self._inbox.besides_offers else []
        return [*inbox, *self._news(), *self._offer()]

    def bar(self) -> Sheet | None:
        """Yesterday comes before tomorrow, but not before somebody in danger."""
        if self._forgotten.open and not (self.vm.offer and self.vm.offer.urgent):
            return ForgottenAsk(vm=self._forgotten)
        if self.vm.offer is None:
            return None
        return LargeAnswerBar(screen=self) if T.large else AnswerBar(screen=self, expiry=self.vm.offer.expiry)

    def question(self) -> DeclineAsk | None:
        return DeclineAsk(screen=self) if self.vm.offer else None

    def _news(self) -> Parts:
        if self.vm.notice:
            return [Notice(vm=self.vm), Gap()]
        return [Promised(vm=self.vm), Gap()] if self.vm.has_accepted else []

    def _offer(self) -> Parts:
        if self.vm.offer is None:
            return [NoOffer(vm=self.vm, status=self.status)]
        more = _("还有 {more} 件，看看下一件").format(more=int(self.vm.more))
        onward = [Gap(), Btn(kind="plain", text=more, on_release=self._next)] if self.vm.more else []
        return [OfferView(offer=self.vm.offer), *onward]

    def _next(self, *_: object) -> None:
        self.vm.next_offer()

    def _say_accepted(self, _vm: object, sentence: str) -> None:
        self._undo_bar = shell_of(self).snack(sentence, self.vm.undo_seconds, on_undo=self.vm.undo)

    def _stop_offering_undo(self, _vm: object, notice: str) -> None:
        """A yes that did not count has nothing to be taken back."""
        if notice and self._undo_bar is not None:
            self._undo_bar.dismiss()

    def _say_declined(self, _vm: object, sentence: str) -> None:
        shell_of(self).snack(sentence, 4)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {
        "offers": lambda: InviteScreen(
            ctx.session.invitations, ctx.session.chip, ctx.session.inbox, ctx.session.forgotten
        ),
        **task_screen.routes(ctx),
    }
