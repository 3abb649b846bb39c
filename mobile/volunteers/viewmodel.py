"""服务时长: whole minutes, for the volunteer's own eyes, without any rank."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.store.store import Store
from shared.texts import _
from shared.volunteers import SERVICE_STATE_WORDS, ServiceRecordOut, ServiceState

MONTHS = 6
SHOWN_RECORDS = 20
STATE_ICONS = {
    ServiceState.waiting: "hourglass-medium",
    ServiceState.confirmed: "check-circle",
    ServiceState.unverified: "question",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A month; `share` is its height against the longest month."""

    label: str
    hours: int
    share: float
    current: bool


@dataclass(frozen=True, slots=True)
class RecordLine:
    """One service."""

    title: str
    sub: str
    length: str
    state: str
    word: str
    icon: str


class Hours(EventDispatcher):
    """Only minutes that both sides have confirmed make the total."""

    hours, minutes = NumericProperty(0), NumericProperty(0)
    bars, records = ListProperty([]), ListProperty([])
    count_text, waiting_line = StringProperty(""), StringProperty("")
    privacy_line = StringProperty(_("只给您自己看，不排名"))
    empty_title = StringProperty(_("还没有服务记录"))
    empty_text = StringProperty(_("签退以后，分钟数会记在这里。"))

    def __init__(self, store: Store, now: Clock) -> None:
        super().__init__()
        self._store, self._now = store, now
        self.refresh()

    def refresh(self, *_args: object) -> None:
        today = local_day(self._now())
        every = sorted(self._store.entities.all(ServiceRecordOut), key=lambda r: (r.served_on, r.id), reverse=True)
        confirmed = [record for record in every if record.state is ServiceState.confirmed]
        self.hours, self.minutes = divmod(sum(record.minutes for record in confirmed), 60)
        self.bars = monthly(confirmed, today)
        self.records = [_line(record, today) for record in every[:SHOWN_RECORDS]]
        self.count_text = _("全部 {count} 次").format(count=len(every)) if every else ""
        waiting = sum(record.minutes for record in every if record.state is ServiceState.waiting)
        self.waiting_line = _("另有 {minutes}等对方确认").format(minutes=texts.minutes(waiting)) if waiting else ""


def monthly(records: Iterable[ServiceRecordOut], today: date) -> list[Bar]:
    """The last six months, this one last, in whole hours."""
    months = [_months_back(today, back) for back in range(MONTHS - 1, -1, -1)]
    totals: Counter[tuple[int, int]] = Counter()
    for record in records:
        totals[record.served_on.year, record.served_on.month] += record.minutes
    longest = max((totals[month] for month in months), default=0) or 1
    return [
        Bar(
            _("{month}月").format(month=month[1]),
            round(totals[month] / 60),
            totals[month] / longest,
            month == months[-1],
        )
        for month in months
    ]


def _months_back(today: date, back: int) -> tuple[int, int]:
    count = today.year * 12 + today.month - 1 - back
    return count // 12, count % 12 + 1


def _line(record: ServiceRecordOut, today: date) -> RecordLine:
    return RecordLine(
        title=record.title,
        sub=f"{texts.day_word(record.served_on, today)} · {record.community_name}",
        length=texts.minutes(record.minutes),
        state=record.state.value,
        word=SERVICE_STATE_WORDS[record.state],
        icon=STATE_ICONS[record.state],
    )
