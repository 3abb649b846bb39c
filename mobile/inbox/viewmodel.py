"""消息: what happened, newest first, and how much of it nobody has looked at. It needs no network."""

from dataclasses import dataclass

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock
from mobile.device.ports import Ports
from mobile.inbox.notice import WAYS, Notice, What
from mobile.inbox.watch import Watch
from mobile.store.store import Store
from shared.auth import MeOut
from shared.texts import _
from shared.volunteers import QUIET_FROM, QUIET_UNTIL, VolunteerOut, in_quiet_hours


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A notice in the words of its row. `arguments` are what its page is opened with."""

    key: str
    icon: str
    text: str
    when: str
    new: bool
    route: str
    arguments: dict[str, str]


class Inbox(EventDispatcher):
    """`unread_text` is '' when everything was looked at; `besides_offers` leaves out what 求助邀请 shows anyway."""

    lines = ListProperty([])
    unread, besides_offers = NumericProperty(0), NumericProperty(0)
    unread_text = StringProperty("")

    def __init__(self, store: Store, me: MeOut, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._me, self._ports, self._now = store, me, ports, now
        self._watch = Watch(store, me, now)
        self.refresh()

    def refresh(self, *_args: object) -> None:
        self._watch.look_at_deadlines()
        notices = self._watch.kept()
        self.lines = [self._line(notice) for notice in notices]
        unread = [notice for notice in notices if not notice.read]
        self.unread = len(unread)
        self.besides_offers = sum(notice.what is not What.offer for notice in unread)
        self.unread_text = _("{unread} 条没看").format(unread=self.unread) if self.unread else ""

    def read(self, key: str) -> None:
        self._watch.mark_read(key)
        self.refresh()

    def read_all(self) -> None:
        self._watch.mark_read()
        self.refresh()

    def tell(self, *, in_sight: bool) -> None:
        """After a sync. Who looks at the app needs no ring; what came in the quiet hours rings once after them."""
        fresh = self._watch.fresh
        if in_sight:
            fresh.clear()
        urgent = any(fresh.values())
        if not fresh or (self._quiet() and not urgent):
            return
        # Whoever picks up the phone reads this without unlocking it: no name, no place, no matter.
        title, text = (
            (_("急事"), _("请马上打开邻格看看"))
            if urgent
            else (_("邻格"), _("{count} 件新的事").format(count=len(fresh)))
        )
        fresh.clear()
        self._ports.notifications.notify(title, text)

    def _quiet(self) -> bool:
        at = texts.local(self._now())
        mine = self._store.entities.get(VolunteerOut, self._me.volunteer_id) if self._me.volunteer_id else None
        hours = (mine.quiet_from, mine.quiet_until) if mine else (QUIET_FROM, QUIET_UNTIL)
        return in_quiet_hours(at.hour * 60 + at.minute, *hours)

    def _line(self, notice: Notice) -> InboxLine:
        way = WAYS[notice.what]
        one = bool(way.route and notice.about)
        return InboxLine(
            key=notice.key,
            icon=way.icon,
            text=notice.text or way.many.format(notice.count),
            when=texts.when(notice.at, self._now()),
            new=not notice.read,
            route=way.route if one else way.whole,
            arguments={way.asks: notice.about} if one else {},
        )
