"""跟进: what the last visit found becomes a request or a correction with one tap."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents import homes, rules
from mobile.residents.choices import MORE, Option
from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.requests import CATEGORIES, STATE_WORDS, RequestKind, RequestOut, RequestState
from shared.residents import HouseholdOut
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.types import uuid7
from shared.visits import (
    CORRECTION_WORDS,
    FINDING_WORDS,
    OUTCOME_WORDS,
    CorrectionFollowUp,
    CorrectionKind,
    CorrectionOut,
    CorrectionState,
    Finding,
    FollowUp,
    FollowUpIn,
    RequestFollowUp,
    VisitOut,
    VisitOutcome,
)

UNDO_SECONDS = 10
RECENT = timedelta(days=30)
"""Later somebody should look again before anything is asked for."""

SUGGESTED = {
    Finding.unwell: ("escort_hospital",),
    Finding.medication: ("deliver_medicine",),
    Finding.heating: ("fire_hazard",),
    Finding.low_mood: ("chat",),
    Finding.utilities: ("repair",),
    Finding.supplies: ("errand", "meal"),
    Finding.safety: ("fire_hazard", "repair"),
}
"""What is usually asked for after a finding; the rest is behind 更多."""

ENDED = (RequestState.closed, RequestState.rejected, RequestState.cancelled)
_REQUEST, _CORRECTION = "request:", "correction:"
Opened = tuple[FollowUp, Effect, str]
"""What is sent, what it does on this phone at once, and what is said about it."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What is under way for this household already."""

    icon: str
    text: str
    sub: str
    unsent: bool


class FollowUps(EventDispatcher):
    """The last visit of a household, and what can come of it."""

    title, line = StringProperty(""), StringProperty("")
    options, followed = ListProperty([]), ListProperty([])
    undo_seconds: ClassVar[int] = UNDO_SECONDS

    def __init__(self, store: Store, now: Clock, household_id: UUID) -> None:
        super().__init__()
        self._store, self._now, self._household_id = store, now, household_id
        self._opened: UUID | None = None
        self.refresh()

    def refresh(self, *_args: object) -> None:
        visit, followed = self._last(), [*self._requests(), *self._corrections()]
        self.followed = followed
        self.options = self._options(visit) if visit else []
        self.line = self._told(visit) if visit else ""
        self.title = _("要跟进吗？") if visit else _("正在跟进") if followed else ""

    def every_option(self) -> list[Option]:
        """All that can be asked for or doubted, but for what is under way."""
        kinds = (RequestKind.help, RequestKind.incident)
        asked = [_asked(code) for kind in kinds for code, one in CATEGORIES.items() if one.kind is kind]
        return self._new([*(_doubted(kind) for kind in CorrectionKind), *asked])

    def open(self, value: str) -> str:
        """Ask for it, or note the doubt; it waits on this phone for the time of 撤销. Returns what to say."""
        visit, home = self._last(), self._store.entities.get(HouseholdOut, self._household_id)
        if visit is None or home is None:
            return ""
        what, _colon, code = value.partition(":")
        make = self._request if what + ":" == _REQUEST else self._correction
        one, effect, words = make(visit, home, code)
        self._opened = self._store.outbox.capture(
            OperationKind.follow_up_open,
            visit.id,
            FollowUpIn(follow_up=one).model_dump(mode="json", exclude_none=True),
            [effect],
            title=f"{rules.family_name(home)} {words}",
            hold=timedelta(seconds=UNDO_SECONDS),
        )
        self._store.captured()
        return _("已记：{words}").format(words=words)

    def undo(self) -> bool:
        """Take it back as if it had not been. False: it has already left the phone."""
        if self._opened is None or not self._store.outbox.take_back(self._opened):
            return False
        self._opened = None
        self._store.captured()
        return True

    def _last(self) -> VisitOut | None:
        """The last visit, when it found something and is not long ago."""
        visits = homes.all_of(self._store.entities, VisitOut, self._household_id)
        last = max(visits, key=lambda visit: visit.visited_at, default=None)
        if last is None or self._now() - last.visited_at > RECENT:
            return None
        found = set(last.findings) - {Finding.fine}
        return last if found or last.outcome is VisitOutcome.moved else None

    def _told(self, visit: VisitOut) -> str:
        found = [FINDING_WORDS[finding] for finding in visit.findings] or [OUTCOME_WORDS[visit.outcome]]
        day = texts.day_word(local_day(visit.visited_at), local_day(self._now()))
        return _("{day} {worker_name}：{findings}{note}").format(
            day=day,
            worker_name=visit.worker_name,
            findings=_("、").join(found),
            note=_("。") + visit.note if visit.note else "",
        )

    def _options(self, visit: VisitOut) -> list[Option]:
        codes = dict.fromkeys(code for finding in visit.findings for code in SUGGESTED.get(finding, ()))
        moved = [_doubted(CorrectionKind.moved_away)] if visit.outcome is VisitOutcome.moved else []
        return [*self._new([*moved, *(_asked(code) for code in codes)]), MORE]

    def _new(self, options: list[Option]) -> list[Option]:
        going = {_REQUEST + one.category for one in self._open_requests()}
        going |= {_CORRECTION + one.what for one in self._open_corrections()}
        return [option for option in options if option[0] not in going]

    def _request(self, visit: VisitOut, home: HouseholdOut, code: str) -> Opened:
        category = CATEGORIES[code]
        one = RequestFollowUp(
            kind="request", id=uuid7(), category=code, resident_id=visit.resident_id, detail=visit.note
        )
        row = RequestOut(
            id=one.id,
            number="",
            area_code=home.area_code,
            happened_in=home.area_code,
            kind=category.kind,
            category=code,
            title=category.title,
            detail=one.detail,
            household_id=home.id,
            resident_id=one.resident_id,
            lon=home.lon,
            lat=home.lat,
            place_note="",
            starts_at=None,
            ends_at=None,
            minutes=category.minutes,
            urgency=one.urgency,
            state=RequestState.open,
            owner_name=self._my_name(),
            handler_name="",
            volunteer_id=None,
            visit_id=visit.id,
            rev=1,
            received_at=self._now(),
        )
        return one, Effect(EntityKind.request, one.id, as_json(row), whole=True), category.title

    def _correction(self, visit: VisitOut, home: HouseholdOut, code: str) -> Opened:
        what = CorrectionKind(code)
        about = None if what is CorrectionKind.new_person else visit.resident_id
        one = CorrectionFollowUp(kind="correction", id=uuid7(), what=what, resident_id=about, said=visit.note)
        row = CorrectionOut(
            id=one.id,
            area_code=home.area_code,
            household_id=home.id,
            resident_id=one.resident_id,
            visit_id=visit.id,
            what=what,
            said=one.said,
            noted_by=self._my_name(),
            state=CorrectionState.open,
            reason="",
            settled_by="",
            rev=1,
            received_at=self._now(),
        )
        effect = Effect(EntityKind.correction, one.id, as_json(row), whole=True)
        return one, effect, _("登记有误，{correction}").format(correction=CORRECTION_WORDS[what])

    def _my_name(self) -> str:
        me = self._store.me()
        return me.display_name if me else ""

    def _open_requests(self) -> list[RequestOut]:
        found = homes.all_of(self._store.entities, RequestOut, self._household_id)
        return [one for one in found if one.state not in ENDED]

    def _open_corrections(self) -> list[CorrectionOut]:
        found = homes.all_of(self._store.entities, CorrectionOut, self._household_id)
        return [one for one in found if one.state is CorrectionState.open]

    def _requests(self) -> list[Followed]:
        unsent = self._store.outbox.unanswered(EntityKind.request)
        return [
            Followed(
                "hand-heart",
                one.title,
                _("{number} · {state}").format(number=one.number or _("待编号"), state=STATE_WORDS[one.state]),
                one.id in unsent,
            )
            for one in self._open_requests()
        ]

    def _corrections(self) -> list[Followed]:
        unsent = self._store.outbox.unanswered(EntityKind.correction)
        return [
            Followed(
                "scales",
                CORRECTION_WORDS[one.what],
                _("登记有误 · {noted_by}记的，等核对").format(noted_by=one.noted_by),
                one.id in unsent,
            )
            for one in self._open_corrections()
        ]


def _asked(code: str) -> Option:
    return _REQUEST + code, CATEGORIES[code].title, ""


def _doubted(kind: CorrectionKind) -> Option:
    return _CORRECTION + kind.value, _("登记有误：{correction}").format(correction=CORRECTION_WORDS[kind]), ""
