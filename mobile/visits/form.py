"""记走访: writing down what was seen at a door."""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.attachments.tray import PhotoTray
from mobile.core.clock import Clock, local_day
from mobile.device.ports import NoFix, Ports
from mobile.residents.rules import door_short, person_to_see
from mobile.store.entities import Effect
from mobile.store.store import Store
from mobile.visits import rules
from mobile.visits.due_days import due_days
from mobile.visits.effects import effects
from shared import visiting
from shared.auth import MeOut
from shared.residents import HouseholdOut, ResidentOut
from shared.sync import OperationKind
from shared.texts import _
from shared.types import uuid7
from shared.visits import FINDING_WORDS, MODE_WORDS, OUTCOME_WORDS, Finding, Fix, VisitIn, VisitMode, VisitOutcome

LOCATE_SECONDS = 15.0
UNDO_SECONDS = 10
MODE_ICONS = {
    VisitMode.home: "door-open",
    VisitMode.phone: "phone",
    VisitMode.encounter: "person-simple-walk",
    VisitMode.workplace: "buildings",
}
OUTCOME_ICONS = {
    VisitOutcome.seen: "check-circle",
    VisitOutcome.family: "users",
    VisitOutcome.absent: "door",
    VisitOutcome.declined: "hand-palm",
    VisitOutcome.moved: "truck",
}
FINDING_ICONS = {
    Finding.fine: "smiley",
    Finding.unwell: "thermometer",
    Finding.medication: "pill",
    Finding.heating: "fire",
    Finding.low_mood: "smiley-sad",
    Finding.utilities: "drop",
    Finding.supplies: "shopping-bag",
    Finding.dispute: "chats-circle",
    Finding.safety: "warning",
    Finding.other: "dots-three",
}
FIRST_FINDINGS = 5
RETURN_OPTIONS = [
    ("tomorrow", _("明天"), ""),
    ("in_3", _("3 天后"), ""),
    ("in_7", _("一周后"), ""),
    ("usual", _("照常"), ""),
]
KEPT_IN_DRAFT = ("mode", "outcome", "findings", "return_choice", "note")

Option = tuple[str, str, str]


class VisitForm(EventDispatcher):
    """Writing down one visit. Nothing here waits for the network or for a position."""

    __events__ = ("on_saved",)
    name, age_text, door = StringProperty(""), StringProperty(""), StringProperty("")
    mode = StringProperty(VisitMode.home.value)
    outcome = StringProperty("")
    findings = ListProperty([])
    return_choice = StringProperty("")
    note = StringProperty("")
    can_save, saves_soon = BooleanProperty(False), BooleanProperty(False)
    place_title, place_line = StringProperty(_("正在定位…")), StringProperty("")
    place_ok = BooleanProperty(False)
    tray = ObjectProperty(rebind=True)
    undo_seconds = UNDO_SECONDS
    modes: ClassVar[list[Option]] = [(mode.value, MODE_WORDS[mode], MODE_ICONS[mode]) for mode in VisitMode]
    met_options: ClassVar[list[Option]] = [
        (item.value, OUTCOME_WORDS[item], OUTCOME_ICONS[item]) for item in visiting.MET
    ]
    quick_options: ClassVar[list[Option]] = [
        (item.value, OUTCOME_WORDS[item], OUTCOME_ICONS[item]) for item in VisitOutcome if item not in visiting.MET
    ]
    _all_findings: ClassVar[list[Option]] = [(item.value, FINDING_WORDS[item], FINDING_ICONS[item]) for item in Finding]
    finding_options: ClassVar[list[Option]] = _all_findings[:FIRST_FINDINGS]
    more_findings: ClassVar[list[Option]] = _all_findings[FIRST_FINDINGS:]
    return_options: ClassVar[list[Option]] = RETURN_OPTIONS

    def __init__(self, store: Store, me: MeOut, ports: Ports, now: Clock, household_id: UUID, tray: PhotoTray) -> None:
        super().__init__(tray=tray)
        self._store, self._me, self._ports, self._now = store, me, ports, now
        self._household = store.entities.get(HouseholdOut, household_id)
        self._key, self._fix = rules.draft_key(household_id), ports.location.last()
        self._saved: UUID | None = None
        self._visit_id = uuid7()
        self._visit_in: VisitIn | None = None
        self._replaces: str | None = None
        self._show_household()
        self._restore(store.draft(self._key))
        self._show_place()
        self.bind(**dict.fromkeys(KEPT_IN_DRAFT, self.keep_draft))
        self.tray.fbind("photos", self.keep_draft)
        self.tray.fbind("busy", self._photo_stored)
        self._look()

    def on_saved(self, sentence: str) -> None:
        """Event: the visit is safe on this phone; `sentence` says what was written."""

    def choose_mode(self, value: str) -> None:
        self.mode = VisitMode(value).value

    def choose_outcome(self, value: str) -> None:
        """Somebody was met: the form goes on. Nobody was: there is nothing more to ask, so it is saved, as soon as a
        photo that is still being made small is there."""
        self.outcome = VisitOutcome(value).value
        self.saves_soon = self.outcome not in visiting.MET and self.tray.busy
        if self.outcome not in visiting.MET:
            self.save()

    def toggle_finding(self, value: str) -> None:
        """都好 and anything else exclude each other."""
        chosen = Finding(value).value
        if chosen in self.findings:
            self.findings = [item for item in self.findings if item != chosen]
        elif chosen == Finding.fine:
            self.findings = [chosen]
        else:
            self.findings = [item for item in self.findings if item != Finding.fine] + [chosen]

    def choose_return(self, value: str) -> None:
        self.return_choice = value

    def wait(self) -> None:
        """The form is left: what it was about to save stays a draft."""
        self.saves_soon = False

    def on_outcome(self, _form: object, _value: str) -> None:
        self._look()

    async def locate(self) -> None:
        """Find the place meanwhile. A visit that was saved faster still gets it while it waits for 撤销."""
        try:
            self._fix = await self._ports.location.fix(LOCATE_SECONDS)
        except NoFix as problem:
            self.place_title = problem.sentence if self._fix is None else self.place_title
            return
        self._show_place()
        if self._saved is not None and self._household is not None and self._visit_in is not None:
            self._visit_in = self._visit_in.model_copy(update={"fix": self._wire_fix(self._visit_in.mode)})
            self._store.outbox.amend(self._saved, *self._recorded(self._household, self._visit_in))

    def save(self) -> bool:
        """Keep the visit on the phone. It waits there for the time of 撤销 before it may leave."""
        if not self.can_save or self._household is None:
            return False
        visit = self._visit_in = self._visit(self._household)
        self._visit_id = uuid7()
        self._saved = self._store.outbox.capture(
            OperationKind.visit_record,
            self._visit_id,
            *self._recorded(self._household, visit),
            title=_("{name} 走访").format(name=self.name),
            hold=timedelta(seconds=UNDO_SECONDS),
            replaces=UUID(self._replaces) if self._replaces else None,
        )
        self._store.keep_draft(self._key, None)
        self._store.captured()
        self.dispatch("on_saved", _("已记：{outcome}").format(outcome=OUTCOME_WORDS[visit.outcome]))
        return True

    def undo(self) -> bool:
        """Take the visit back as if it had not been written. False: it has already left the phone."""
        if self._saved is None or not self._store.outbox.take_back(self._saved):
            return False
        self._saved = None
        if self.outcome in visiting.MET:
            self.keep_draft()
        else:
            self.outcome = ""
        self._store.captured()
        return True

    def _look(self, *_: object) -> None:
        self.can_save = bool(self.outcome) and self._household is not None and not self.tray.busy

    def _photo_stored(self, *_: object) -> None:
        """Without the photo nothing is saved by itself: first somebody reads what was wrong with it."""
        self._look()
        if self.saves_soon and not self.tray.busy:
            self.saves_soon = False
            if not self.tray.message:
                self.save()

    def keep_draft(self, *_: object) -> None:
        if self._saved is None:
            values: dict[str, Any] = {name: _plain(getattr(self, name)) for name in KEPT_IN_DRAFT}
            values |= {"replaces": self._replaces, "photos": self.tray.draft()}
            self._store.keep_draft(self._key, values if self._touched() else None)

    def _touched(self) -> bool:
        written = self.outcome or self.findings or self.return_choice or self.note
        return bool(written or self.tray.photos or self._replaces)

    def _restore(self, draft: dict[str, Any] | None) -> None:
        if draft:
            self._replaces = draft.get("replaces")
            self.tray.restore(draft.get("photos", ()))
            for name in KEPT_IN_DRAFT:
                setattr(self, name, draft[name])

    def _visit(self, household: HouseholdOut) -> VisitIn:
        now = self._now()
        outcome, mode = VisitOutcome(self.outcome), VisitMode(self.mode)
        return VisitIn(
            household_id=household.id,
            resident_id=self._person_id if outcome is VisitOutcome.seen else None,
            mode=mode,
            outcome=outcome,
            findings=[Finding(item) for item in self.findings],
            note=self.note.strip(),
            visited_at=now,
            return_on=rules.return_day(self.return_choice, local_day(now)),
            fix=self._wire_fix(mode),
            photos=self.tray.manifest(),
        )

    def _wire_fix(self, mode: VisitMode) -> Fix | None:
        """Where the phone is says nothing about somebody who was called."""
        return None if mode is VisitMode.phone else rules.wire_fix(self._fix, self._now())

    def _recorded(self, household: HouseholdOut, visit: VisitIn) -> tuple[dict[str, Any], list[Effect]]:
        members = self._store.entities.all(ResidentOut, household.id)
        days = due_days(self._store)
        return visit.model_dump(mode="json"), effects(self._visit_id, visit, household, self._me, members, days)

    def _show_household(self) -> None:
        self._person_id: UUID | None = None
        if self._household is not None:
            members = self._store.entities.all(ResidentOut, self._household.id)
            person = person_to_see(self._household, members, local_day(self._now()))
            self._person_id, self.name, self.age_text = person.resident_id, person.name, person.age_text
            self.door = door_short(self._household)

    def _show_place(self) -> None:
        self.place_ok = self._fix is not None and self._household is not None
        if self._fix is not None and self._household is not None:
            self.place_title, self.place_line = _("位置已记下"), rules.place_line(self._fix, self._household)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else value
