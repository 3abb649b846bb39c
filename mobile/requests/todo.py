"""待办事项, what waits for somebody here; and 我报过的, what became of what I wrote."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.requests import rules
from mobile.residents import homes
from mobile.residents.rules import DUE_ICONS
from mobile.store.outbox import Entry, State
from mobile.store.store import Store
from shared.grid import CellOut
from shared.requests import CATEGORIES, STATE_WORDS, RequestOut
from shared.sync import EntityKind, OperationKind
from shared.texts import _


@dataclass(frozen=True, slots=True)
class TodoLine:
    """A request that is not over, in the words of its row."""

    id: UUID
    number: str
    icon: str
    title: str
    where: str
    due_word: str
    due_kind: str
    due_icon: str
    who: str
    state_word: str
    unsent: bool


class Todo(EventDispatcher):
    """Requests of the worker's own area, sorted by deadline; sent or not."""

    lines = ListProperty([])
    count, count_text, late_text = NumericProperty(0), StringProperty(""), StringProperty("")

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self.refresh()

    def refresh(self, *_args: object) -> None:
        today = local_day(self._now())
        waiting = rules.in_order(filter(rules.waits, self._store.entities.all(RequestOut)))
        unsent = self._store.outbox.unanswered(EntityKind.request)
        cells = self._store.entities.all(CellOut) if waiting else []
        self.lines = [self._line(one, today, cells, one.id in unsent) for one in waiting]
        late = sum(line.due_kind == "over" for line in self.lines)
        self.count, self.count_text = (
            len(self.lines),
            _("{count} 件").format(count=len(self.lines)) if self.lines else "",
        )
        self.late_text = _("{late} 件超期").format(late=late) if late else ""

    def _line(self, request: RequestOut, today: date, cells: list[CellOut], unsent: bool) -> TodoLine:
        due = rules.due_on(request)
        kind = texts.due_kind(due, today)
        home = homes.standing(self._store.entities, request.household_id) if request.household_id else None
        return TodoLine(
            id=request.id,
            number=request.number or rules.NO_NUMBER,
            icon=rules.CATEGORY_ICONS.get(request.category, "clipboard-text"),
            title=request.title,
            where=rules.where(request, home, cells),
            due_word=texts.due(due, today),
            due_kind=kind,
            due_icon=DUE_ICONS[kind],
            who=rules.who(request),
            state_word=STATE_WORDS[request.state],
            unsent=unsent,
        )


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """Something that I asked or reported, and how far it has come. `known`: its page can be opened."""

    id: UUID
    icon: str
    title: str
    number: str
    time: str
    word: str
    kind: str
    known: bool


_ON_THE_WAY = {
    State.unsent: (_("在手机里"), "unsent"),
    State.sent: (_("已送达"), "sent"),
    State.refused: (_("被退回"), "refused"),
}


class Reported(EventDispatcher):
    """The last weeks' reports of this phone, newest first."""

    lines = ListProperty([])

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self.refresh()

    def refresh(self, *_: object) -> None:
        self.lines = [self._line(entry) for entry in self._store.outbox.of_kind(OperationKind.request_report)]

    def _line(self, entry: Entry) -> ReportedLine:
        row = self._store.entities.get(RequestOut, entry.entity_id)
        category = entry.fields["category"]
        word, kind = self._standing(entry, row)
        return ReportedLine(
            id=entry.entity_id,
            icon=rules.CATEGORY_ICONS[category],
            title=CATEGORIES[category].title,
            number=(row.number if row else "") or ("" if entry.state is State.accepted else rules.NO_NUMBER),
            time=texts.when(entry.made_at, self._now()),
            word=word,
            kind=kind,
            known=row is not None,
        )

    def _standing(self, entry: Entry, row: RequestOut | None) -> tuple[str, str]:
        if entry.state in _ON_THE_WAY:
            return _ON_THE_WAY[entry.state]
        return (STATE_WORDS[row.state], "ok") if row else (_("交给那边的网格了"), "ok")


def reported_on(store: Store, day: date) -> int:
    """How much was reported on a day, sent or not. What came back refused is not counted."""
    entries = store.outbox.of_kind(OperationKind.request_report)
    return sum(entry.state is not State.refused and local_day(entry.made_at) == day for entry in entries)
