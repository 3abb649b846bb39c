"""Notices come into being with what brings them: a page of a pull, or the refusal of an operation."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from mobile.core.clock import Clock, local_day
from mobile.inbox import rules, words
from mobile.inbox.notice import Notice, What, as_notice, in_time
from mobile.inbox.rules import Eyes, News
from mobile.requests import rules as requests
from mobile.residents.checks import REGISTER
from mobile.store.entities import Changed
from mobile.store.store import Store
from shared.auth import MeOut
from shared.requests import RequestOut, Urgency

FEW = 5
"""More of one sort in one page, as after a week without a network or with a new cell, become one notice."""

RINGS_AT_NIGHT = (What.danger, What.mine, What.offer)
"""Of these, what is a matter of life: somebody must act at once."""

log = logging.getLogger(__name__)


class Watch:
    """Kept in the transaction of the page, so that none is lost between a page and the next start.

    `fresh` are the keys of notices that nobody was told of yet, with whether life may depend on them.
    """

    def __init__(self, store: Store, me: MeOut, now: Clock) -> None:
        self._store, self._me, self._now = store, me, now
        self.fresh: dict[str, bool] = {}
        store.watched, store.on_news = rules.WATCHED, self._take
        store.outbox.on_refused = self._refused

    def kept(self) -> list[Notice]:
        """Newest first."""
        return in_time(map(as_notice, self._store.inbox().get("notices", [])), self._now())

    def mark_read(self, key: str | None = None) -> None:
        """One, or without a key all of them."""
        with self._store.together():
            notices = [
                as_notice({**notice.as_kept(), "read": notice.read or key in (None, notice.key)})
                for notice in self.kept()
            ]
            self._store.keep_inbox({**self._store.inbox(), "notices": [notice.as_kept() for notice in notices]})

    def look_at_deadlines(self) -> None:
        """Once a day, without any network: what has gone over its deadline since the day before."""
        today, kept = local_day(self._now()), self._store.inbox()
        if kept.get("day") == today.isoformat() or not self._store.first_pull_done():
            return
        with self._store.together():
            if kept.get("day"):
                self._note_late(date.fromisoformat(kept["day"]), today)
            self._store.keep_inbox({**self._store.inbox(), "day": today.isoformat()})

    def _note_late(self, since: date, today: date) -> None:
        waiting = filter(requests.waits, self._store.entities.all(RequestOut))
        late = [one for one in waiting if since <= requests.due_on(one) < today]
        if len(late) > FEW:
            self._add([self._many(What.late, len(late))])
            return
        eyes = self._eyes()
        self._add(self._notice(What.late, f"{one.id}", words.late(eyes, one), f"{one.id}") for one in late)

    def _take(self, changes: list[Changed]) -> None:
        """A notice is never worth a sync: a row that this app cannot read is passed over."""
        eyes, found = self._eyes(), defaultdict(list)
        for changed in changes:
            try:
                one = rules.news(eyes, changed.kind, changed.before, changed.after)
            except ValueError:
                log.warning("no notice of a %s that cannot be read", changed.kind)
                continue
            if one is not None:
                found[one.what].append(one)
        for what, every in found.items():
            self._take_alike(eyes, what, every)

    def _take_alike(self, eyes: Eyes, what: What, every: list[News]) -> None:
        urgent = what in RINGS_AT_NIGHT and any(one.after.urgency is Urgency.danger for one in every)
        if len(every) > FEW and what is not What.danger:
            self._add([self._many(what, len(every))], urgent=urgent)
            return
        notices = [
            self._notice(what, f"{one.after.id}|{one.after.rev}", words.sentence(eyes, one), words.about(eyes, one))
            for one in every
        ]
        self._add(notices, urgent=urgent)

    def _refused(self, op_id: UUID) -> None:
        entry = self._store.outbox.entry(op_id)
        if entry is not None:
            what = What.returned if entry.kind in REGISTER else What.refused
            self._add([self._notice(what, str(op_id), words.refused(entry))])

    def _notice(self, what: What, key: str, text: str, about: str = "") -> Notice:
        return Notice(key=f"{what}|{key}", what=what, at=self._now(), text=text, about=about)

    def _many(self, what: What, count: int) -> Notice:
        """One a day of a sort, which goes on counting: pages of one pull are many."""
        key = f"{what}|{local_day(self._now())}"
        count += next((notice.count for notice in self.kept() if notice.key == key), 0)
        return Notice(key=key, what=what, at=self._now(), text="", count=count)

    def _add(self, notices: Iterable[Notice], *, urgent: bool = False) -> None:
        known = {notice.key: notice for notice in self.kept()}
        new = {one.key: one for one in notices if one.key not in known or one.count > known[one.key].count}
        if not new:
            return
        every = in_time((known | new).values(), self._now())
        self._store.keep_inbox({**self._store.inbox(), "notices": [notice.as_kept() for notice in every]})
        self.fresh |= dict.fromkeys(new, urgent)

    def _eyes(self) -> Eyes:
        return Eyes(self._me, self._store.device_id, self._store.entities, self._now())
