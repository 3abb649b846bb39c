"""求助邀请: the volunteer's home screen. One question at a time, and no is as good an answer as yes."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.core.clock import Clock
from mobile.device.ports import Ports
from mobile.offers import rules
from mobile.store.entities import Effect
from mobile.store.outbox import State
from mobile.store.store import Store
from shared.auth import MeOut
from shared.matching import DECLINE_WORDS, DeclineReason, OfferOut, OfferState, TaskState
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.volunteers import VolunteerOut

UNDO_SECONDS = 60
NOBODY_ASKS = (_("现在没有人找您"), _("有人需要帮忙、您又正好方便时，\n会在这里告诉您。"))
RESTING = (_("您在歇一歇"), _("这段时间不会有人找您。\n想再参加，到“我的”里关掉先歇一歇。"))
ANSWERS = (OperationKind.offer_accept, OperationKind.offer_decline)


class Invitations(EventDispatcher):
    """Offers that wait for an answer, the one that ends first in front."""

    __events__ = ("on_accepted", "on_declined")
    greeting = StringProperty("")
    offer = ObjectProperty(None, allownone=True)
    more = NumericProperty(0)
    has_accepted, can_undo = BooleanProperty(False), BooleanProperty(False)
    accepted_line = StringProperty("")
    notice = StringProperty("")
    can_speak = BooleanProperty(False)
    empty_title, empty_text = StringProperty(NOBODY_ASKS[0]), StringProperty(NOBODY_ASKS[1])
    undo_seconds = UNDO_SECONDS
    decline_options: ClassVar[list[tuple[str, str]]] = [(reason.value, word) for reason, word in DECLINE_WORDS.items()]

    def __init__(self, store: Store, me: MeOut, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._me, self._ports, self._now = store, me, ports, now
        self._offers: list[OfferOut] = []
        self._shown: UUID | None = None
        self._answer: tuple[UUID, UUID] | None = None
        self.can_speak = ports.speech.available
        self.refresh()

    def on_accepted(self, sentence: str) -> None:
        """Event: the yes is on its way; 撤销 is open for a minute."""

    def on_declined(self, sentence: str) -> None:
        """Event: the no is on its way."""

    def refresh(self, *_: object) -> None:
        now = self._now()
        every = self._store.entities.all(OfferOut)
        self._offers = sorted(
            (offer for offer in every if offer.state is OfferState.offered and offer.expires_at > now),
            key=lambda offer: (offer.expires_at, offer.id),
        )
        self._show_offer()
        self._show_answers()

    def next_offer(self) -> None:
        """Look at the next one without answering this one."""
        if self._offers:
            ids = [offer.id for offer in self._offers]
            at = ids.index(self._shown) if self._shown in ids else -1
            self._shown = ids[(at + 1) % len(ids)]
            self._show_offer()

    def accept(self) -> None:
        """我来帮: sent at once, because somebody waits for the answer."""
        offer = self._current()
        if offer is None:
            return
        op_id = self._capture(
            OperationKind.offer_accept, offer, {}, OfferState.accepted, _("答应：{title}").format(title=offer.title)
        )
        self._answer = (op_id, offer.id)
        self.can_undo = True
        self._store.captured()
        self.dispatch("on_accepted", _("答应了：{title}").format(title=offer.title))

    def undo(self) -> bool:
        """Take the yes back: as if it had not been, or by handing the task back if it has already left the phone."""
        if self._answer is None or not self._in_time(self._answer[0]):
            return False
        (op_id, offer_id), self._answer = self._answer, None
        offer = self._store.entities.get(OfferOut, offer_id)
        if not self._store.outbox.take_back(op_id) and offer is not None:
            fields = {"reason": _("一分钟内撤销")}
            self._capture(
                OperationKind.task_hand_back,
                offer,
                fields,
                OfferState.handed_back,
                _("撤销：{title}").format(title=offer.title),
            )
        self.can_undo = False
        self._store.captured()
        return True

    def decline(self, reason: str = "") -> None:
        """这次不行, with or without a reason."""
        offer = self._current()
        if offer is None:
            return
        fields = {"reason": DeclineReason(reason).value} if reason else {}
        self._capture(
            OperationKind.offer_decline,
            offer,
            fields,
            OfferState.declined,
            _("这次不行：{title}").format(title=offer.title),
        )
        self._store.captured()
        self.dispatch("on_declined", _("知道了，这次不打扰您。"))

    def clear_notice(self) -> None:
        """The volunteer has read why an answer did not count."""
        for entry in self._store.outbox.entries(State.refused):
            if entry.kind in ANSWERS:
                self._store.outbox.put_aside(entry.op_id)
        self._store.changed()

    def speak(self) -> None:
        if self.offer is not None:
            self._ports.speech.speak(self.offer.spoken)

    def _current(self) -> OfferOut | None:
        return next((offer for offer in self._offers if offer.id == self._shown), None)

    def _in_time(self, op_id: UUID) -> bool:
        """A yes that was refused is none: there is nothing to take back."""
        entry = self._store.outbox.entry(op_id)
        return (
            entry is not None
            and entry.state is not State.refused
            and self._now() - entry.made_at <= timedelta(seconds=UNDO_SECONDS)
        )

    def _capture(
        self, kind: OperationKind, offer: OfferOut, fields: dict[str, Any], state: OfferState, title: str
    ) -> UUID:
        effects = [Effect(EntityKind.offer, offer.id, {"state": state.value})]
        if state is OfferState.handed_back:
            effects.append(Effect(EntityKind.task, offer.id, {"state": TaskState.handed_back.value}))
        return self._store.outbox.capture(kind, offer.id, fields, effects, title=title)

    def _mine(self) -> VolunteerOut | None:
        mine = self._me.volunteer_id
        return self._store.entities.get(VolunteerOut, mine) if mine else None

    def _show_offer(self) -> None:
        if self._current() is None:
            self._shown = self._offers[0].id if self._offers else None
        current, mine = self._current(), self._mine()
        self.offer = rules.card(current, mine, self._now()) if current else None
        self.more = max(0, len(self._offers) - 1)
        self.empty_title, self.empty_text = NOBODY_ASKS if mine is None or mine.active else RESTING
        self.greeting = _("{display_name}，{greeting}").format(
            display_name=self._me.display_name, greeting=_("有人找您") if current else _("您好")
        )

    def _show_answers(self) -> None:
        self.can_undo = self._answer is not None and self._in_time(self._answer[0])
        waiting = [
            entry
            for entry in self._store.outbox.entries(State.unsent, State.sent)
            if entry.kind == OperationKind.offer_accept
        ]
        self.has_accepted = self.can_undo or bool(waiting)
        self.accepted_line = _("答应还在手机里，有网络就送出") if waiting else _("答应了，门牌和电话在“任务”里")
        refused = [entry for entry in self._store.outbox.entries(State.refused) if entry.kind in ANSWERS]
        self.notice = refused[0].sentence if refused else ""
