"""今日小结: what was done today, and the ledger that nobody has to fill in again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, NumericProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import Ports
from mobile.requests.todo import reported_on
from mobile.residents import homes
from mobile.residents.rules import door_short, person_to_see
from mobile.store.outbox import State
from mobile.store.store import Store
from mobile.visits import ledger
from mobile.visits.form import FINDING_ICONS
from shared.auth import MeOut
from shared.residents import ResidentOut
from shared.texts import _
from shared.visiting import MET
from shared.visits import FINDING_WORDS, MODE_WORDS, OUTCOME_WORDS, Finding, VisitMode, VisitOut, VisitOutcome

SHOWN_ROWS = 3


@dataclass(frozen=True, slots=True)
class Notable:
    """A household with something found today."""

    household_id: UUID
    text: str
    right: str
    icon: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A line of the sheet, short enough for a phone."""

    time: str
    door: str
    mode: str
    what: str


class Summary(EventDispatcher):
    """The signed-in worker's own day, sent or not."""

    day_line = StringProperty("")
    figures = ListProperty([])
    modes_line = StringProperty("")
    notable, notable_title = ListProperty([]), StringProperty("")
    rows, more_line, total = ListProperty([]), StringProperty(""), NumericProperty(0)
    unsent_count, unsent_line = NumericProperty(0), StringProperty("")
    message = StringProperty("")

    def __init__(self, store: Store, me: MeOut, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._me, self._ports, self._now = store, me, ports, now
        self.refresh()

    def refresh(self, *_: object) -> None:
        self._day = local_day(self._now())
        self._visits = self._todays_visits()
        ids = {visit.household_id for visit in self._visits}
        found = {household_id: homes.standing(self._store.entities, household_id) for household_id in ids}
        self._households = {household_id: household for household_id, household in found.items() if household}
        self._show_counts()
        self._show_notable()
        self._show_ledger()

    def copy_text(self) -> None:
        self._ports.clipboard.copy(ledger.as_text(self._ledger_rows()))
        self.message = _("{total} 行文字已复制，可以粘贴").format(total=self.total)

    def export(self) -> None:
        """Save the workbook where the owner of the phone finds it."""
        name = _("走访台账-{display_name}-{day:%Y%m%d}.xlsx").format(display_name=self._me.display_name, day=self._day)
        try:
            path = self._ports.files.save(name, ledger.as_xlsx(self._ledger_rows(), self._day))
        except OSError as problem:
            self.message = _("表格没存成：{reason}").format(reason=problem.strerror)
            return
        self.message = _("表格已存到 {path}").format(path=path)

    def _todays_visits(self) -> list[VisitOut]:
        times = self._store.entities.fields(VisitOut, "worker_id", "visited_at")
        me = str(self._me.account_id)
        today = [key for key, (who, at) in times.items() if who == me and self._is_today(at)]
        mine = [visit for key in today if (visit := self._store.entities.get(VisitOut, key))]
        return sorted(mine, key=lambda visit: visit.visited_at)

    def _is_today(self, visited_at: str) -> bool:
        return local_day(datetime.fromisoformat(visited_at)) == self._day

    def _show_counts(self) -> None:
        seen = sum(visit.outcome is VisitOutcome.seen for visit in self._visits)
        households = len({visit.household_id for visit in self._visits})
        notable = len({visit.household_id for visit in self._visits if _worries(visit)})
        self.day_line, self.total = texts.full_day(self._day), len(self._visits)
        self.figures = [(households, _("走访户")), (seen, _("见到本人")), (notable, _("有情况"))]
        reports = reported_on(self._store, self._day)
        counts = self._counts_by_mode() or [_("今天还没有走访")]
        self.modes_line = " · ".join([*counts, _("上报 {reports} 件").format(reports=reports)] if reports else counts)

    def _counts_by_mode(self) -> list[str]:
        modes = [visit.mode for visit in self._visits]
        counts = [f"{MODE_WORDS[mode]} {modes.count(mode)}" for mode in VisitMode if mode in modes]
        missed = sum(visit.outcome not in MET for visit in self._visits)
        return [*counts, _("没见到 {missed}").format(missed=missed)] if missed else counts

    def _show_notable(self) -> None:
        latest = {visit.household_id: visit for visit in self._visits if _worries(visit)}
        self.notable = [self._notable(visit) for visit in latest.values()]
        self.notable_title = _("有情况的 {count} 户").format(count=len(self.notable)) if self.notable else ""

    def _notable(self, visit: VisitOut) -> Notable:
        worries = _worries(visit)
        words = _("、").join(FINDING_WORDS[finding] for finding in worries)
        right = _("{day}再去").format(day=texts.day_word(visit.return_on, self._day)) if visit.return_on else ""
        return Notable(visit.household_id, f"{self._name(visit)} {words}".strip(), right, FINDING_ICONS[worries[0]])

    def _name(self, visit: VisitOut) -> str:
        household = self._households.get(visit.household_id)
        if household is None:
            return ""
        members = self._store.entities.all(ResidentOut, household.id)
        return person_to_see(household, members, self._day).name

    def _show_ledger(self) -> None:
        self.rows = [self._line(visit) for visit in self._visits[:SHOWN_ROWS]]
        self.more_line = _("……共 {total} 行").format(total=self.total) if self.total > SHOWN_ROWS else ""
        counts = self._store.outbox.counts()
        self.unsent_count = counts[State.unsent] + counts[State.sent]
        self.unsent_line = (
            _("还有 {unsent_count} 条在手机里，表里已经算上").format(unsent_count=self.unsent_count)
            if self.unsent_count
            else ""
        )

    def _line(self, visit: VisitOut) -> LedgerLine:
        household, worries = self._households.get(visit.household_id), _worries(visit)
        what = FINDING_WORDS[worries[0]] if worries else OUTCOME_WORDS[visit.outcome]
        where = door_short(household) if household else ""
        return LedgerLine(texts.clock(visit.visited_at), where, MODE_WORDS[visit.mode], what)

    def _ledger_rows(self) -> list[ledger.LedgerRow]:
        return [ledger.row(visit, self._households.get(visit.household_id)) for visit in self._visits]


def _worries(visit: VisitOut) -> list[Finding]:
    return [finding for finding in visit.findings if finding is not Finding.fine]
