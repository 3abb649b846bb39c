"""The conflict queue of 待核对: decided with one tap each, taken back for ten seconds."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, StringProperty

from mobile.conflicts import items, settling
from mobile.conflicts.items import Reader
from mobile.core import texts
from mobile.core.clock import Clock
from mobile.device.ports import Ports
from mobile.store.outbox import Entry
from mobile.store.store import Store
from shared.conflicts import ConflictChoice, ConflictOut, ConflictState
from shared.texts import _

UNDO_SECONDS = 10
WORDS = {
    ConflictChoice.mine: _("用晚送来的那个"),
    ConflictChoice.theirs: _("留社区存的那个"),
    ConflictChoice.both: _("两个都留着"),
    ConflictChoice.unsure: _("交给上面定"),
}
OWN = _("用您写的那个")


@dataclass(frozen=True, slots=True)
class Notice:
    """A decision of this phone that was not taken, since somebody else had decided or the item is not here any more."""

    op_id: UUID
    title: str
    time: str
    sentence: str


class ConflictQueue(EventDispatcher):
    """Items that wait for somebody, and what was said back to decisions made here."""

    items, notices = ListProperty([]), ListProperty([])
    items_title, notices_title = StringProperty(""), StringProperty("")
    count = NumericProperty(0)
    undo_seconds = UNDO_SECONDS

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._last: UUID | None = None
        self.refresh()

    def refresh(self) -> None:
        reader = self._reader()
        open_ = items.waiting(self._store) if reader else []
        back = {entry.entity_id: entry for entry in settling.returned(self._store)}
        self.items = [items.shown(reader, one, _said(back.get(one.id))) for one in open_] if reader else []
        here = {one.id for one in open_}
        self.notices = [self._notice(entry) for entry in back.values() if entry.entity_id not in here]
        self.items_title = _("要您来定 {count} 件").format(count=len(self.items)) if self.items else ""
        self.notices_title = _("已经有了结果 {count} 件").format(count=len(self.notices)) if self.notices else ""
        self.count = len(self.items) + len(self.notices)

    def covers(self) -> set[UUID]:
        """Operations of this phone that are shown as an item, or about which this phone has decided: one card each."""
        return {one.op_id for one in self.items} | settling.decided(self._store)

    def settle(self, item_id: UUID, choice: str) -> str:
        """Decide; return what is said about it, '' when there is nothing left to decide."""
        item = self._store.entities.get(ConflictOut, item_id)
        if item is None or item.state is not ConflictState.open:
            return ""
        chosen = ConflictChoice(choice)
        words = OWN if chosen is ConflictChoice.mine and self._wrote(item) else WORDS[chosen]
        title = items.title(self._store, item)
        hold = timedelta(seconds=UNDO_SECONDS)
        self._last = settling.settle(self._store, item, chosen, f"{title} {words}", hold)
        self._store.captured()
        return _("已记：{title}，{words}").format(title=title, words=words)

    def undo(self) -> bool:
        """Take the last decision back as if it had not been made. False: it has already left the phone."""
        if self._last is None or not self._store.outbox.take_back(self._last):
            return False
        self._last = None
        self._store.captured()
        return True

    def read(self, op_id: UUID) -> None:
        """知道了."""
        if self._store.outbox.put_aside(op_id):
            self._store.changed()

    def dial(self, item_id: UUID) -> None:
        item = self._store.entities.get(ConflictOut, item_id)
        number = items.phone_of(self._store, item)[1] if item else ""
        if number:
            self._ports.dialer.dial(number)

    def _reader(self) -> Reader | None:
        me = self._store.me()
        return Reader(self._store, me, self._now()) if me else None

    def _wrote(self, item: ConflictOut) -> bool:
        reader = self._reader()
        return reader is not None and reader.wrote(item)

    def _notice(self, entry: Entry) -> Notice:
        item = self._store.entities.get(ConflictOut, entry.entity_id)
        return Notice(
            op_id=entry.op_id,
            title=items.title(self._store, item) if item else entry.title,
            time=texts.when(entry.made_at, self._now()),
            sentence=_settled(item) if item else entry.sentence,
        )


def _said(entry: Entry | None) -> str:
    return _("刚才没有定成：{sentence}").format(sentence=entry.sentence) if entry else ""


def _settled(item: ConflictOut) -> str:
    words = WORDS[item.choice] if item.choice else _("已经定了")
    return _("{settled_by}先定了：{words}。您定的没有算，没选中的那个也留着底。").format(
        settled_by=item.settled_by or _("别人"), words=words
    )
