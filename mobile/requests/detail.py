"""One request: what it is, where it stands, and the next step."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.requests import effects, rules
from mobile.requests.asking import UNDO_SECONDS
from mobile.requests.rules import Step
from mobile.residents import homes
from mobile.residents.rules import DUE_ICONS
from mobile.store.entities import as_json
from mobile.store.store import Store
from shared.auth import MeOut
from shared.grid import CellOut
from shared.requests import STATE_WORDS, MoveIn, RequestOut, RequestState
from shared.sync import EntityKind, OperationKind
from shared.texts import _


class RequestDetail(EventDispatcher):
    """Steps come from the state table. One is taken at once on this phone, and may be taken back for ten seconds."""

    __events__ = ("on_saved",)
    title, number, icon, kind_word = StringProperty(""), StringProperty(""), StringProperty(""), StringProperty("")
    state_word, due_word, due_kind = StringProperty(""), StringProperty(""), StringProperty("later")
    due_icon, where, when, detail = StringProperty(""), StringProperty(""), StringProperty(""), StringProperty("")
    owner, handler, unsent = StringProperty(""), StringProperty(""), BooleanProperty(False)
    steps, first = ListProperty([]), ObjectProperty(None, allownone=True)
    asking, reason = ObjectProperty(None, allownone=True), StringProperty("")
    can_take = BooleanProperty(False)
    household_id, photos = ObjectProperty(None, allownone=True), StringProperty("")
    gone = BooleanProperty(False)
    undo_seconds = UNDO_SECONDS
    drafted = ("asking", "reason")

    def __init__(self, store: Store, me: MeOut, now: Clock, request_id: UUID) -> None:
        super().__init__()
        self._store, self._me, self._now, self.request_id = store, me, now, request_id
        self._kept: UUID | None = None
        self.bind(asking=self._look, reason=self._look)
        self.refresh()

    def on_saved(self, sentence: str) -> None:
        """Event: the step is safe on this phone."""

    def refresh(self, *_: object) -> None:
        found = self._store.entities.get(RequestOut, self.request_id)
        self.gone = found is None
        if found is not None:
            self._show(found)

    def choose(self, step: Step) -> bool:
        """Take a step; one that owes words is asked about first. True when it was taken."""
        if step.asks and self.asking != step:
            self.asking, self.reason = step, ""
            return False
        return self._take(step)

    def let_be(self) -> bool:
        """Leave the question; False when none was asked."""
        asked, self.asking = self.asking is not None, None
        return asked

    def undo(self) -> bool:
        if self._kept is None or not self._store.outbox.take_back(self._kept):
            return False
        self._kept = None
        self._store.captured()
        return True

    def draft(self) -> dict[str, Any]:
        """The words that a step asks for; {} when none were written."""
        if self.asking is None or not self.reason.strip():
            return {}
        return {"to": self.asking.to, "reason": self.reason}

    def restore(self, values: dict[str, Any]) -> None:
        """Ask again, as long as that step may still be taken."""
        asked = next((step for step in self.steps if step.asks and step.to == values["to"]), None)
        if asked is not None:
            self.asking, self.reason = asked, values["reason"]

    def _take(self, step: Step) -> bool:
        found = self._store.entities.get(RequestOut, self.request_id)
        if found is None or (step.must and not self.reason.strip()):
            return False
        to = RequestState(step.to)
        self._kept = self._store.outbox.capture(
            OperationKind.request_step,
            found.id,
            as_json(MoveIn(to=to, reason=self.reason if step.asks else "")),
            effects.stepped(found, to, self._me),
            title=f"{found.title} {step.word}",
            hold=timedelta(seconds=UNDO_SECONDS),
            base_rev=found.rev,
            base={"state": found.state.value},
        )
        self.asking = None
        self._store.captured()
        self.dispatch("on_saved", _("已记：{word}").format(word=step.word))
        return True

    def _show(self, found: RequestOut) -> None:
        today, due = local_day(self._now()), rules.due_on(found)
        home = homes.standing(self._store.entities, found.household_id) if found.household_id else None
        self.title, self.number = found.title, found.number or rules.NO_NUMBER
        self.icon = rules.CATEGORY_ICONS.get(found.category, "clipboard-text")
        self.kind_word, self.state_word = rules.KIND_WORDS[found.kind], STATE_WORDS[found.state]
        self.due_word = texts.due(due, today) if rules.waits(found) else ""
        self.due_kind = texts.due_kind(due, today)
        self.due_icon = DUE_ICONS[self.due_kind]
        self.where, self.detail = rules.where(found, home, self._store.entities.all(CellOut)), found.detail
        self.when = self._when(found)
        self.owner, self.handler = found.owner_name, found.handler_name
        self.household_id = home.id if home else None
        self.photos = texts.photos(found.photo_count)
        self.unsent = found.id in self._store.outbox.unanswered(EntityKind.request)
        self.steps = rules.steps(found)
        self.first = next(iter(self.steps), None)

    def _when(self, found: RequestOut) -> str:
        now = self._now()
        asked = _("{when} 提出").format(when=texts.when(found.received_at, now))
        if found.starts_at is None or found.ends_at is None:
            return asked
        return f"{texts.slot(found.starts_at, found.ends_at, now)} · {asked}"

    def _look(self, *_: object) -> None:
        self.can_take = self.asking is not None and (not self.asking.must or bool(self.reason.strip()))
