"""住户详情: the door, who lives there, what was seen on earlier visits."""

from dataclasses import dataclass
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import Ports
from mobile.residents import homes, merged, rules
from mobile.residents.follow_up import FollowUps
from mobile.residents.person import event_lines
from mobile.store.store import Store
from shared.grid import CellOut
from shared.register import EventOut
from shared.residents import RELATION_WORDS, RESIDENCY_WORDS, HouseholdOut, ResidentOut
from shared.sync import EntityKind
from shared.texts import _
from shared.visits import (
    EVIDENCE_WORDS,
    FINDING_WORDS,
    MODE_WORDS,
    OUTCOME_WORDS,
    Evidence,
    VisitOut,
    VisitOutcome,
)

SHOWN_VISITS, SHOWN_EVENTS = 5, 5
VISIT_ICONS = {
    VisitOutcome.seen: "check-circle",
    VisitOutcome.family: "check-circle",
    VisitOutcome.absent: "door",
    VisitOutcome.declined: "hand-palm",
    VisitOutcome.moved: "truck",
}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the household. The phone number is masked; dialling does not show it either."""

    id: UUID
    name: str
    line: str
    note: str
    phone: str
    residency: str
    residency_word: str
    residency_kind: str
    unsent: bool


@dataclass(frozen=True, slots=True)
class VisitLine:
    """An earlier visit; `photos` leads to what was pictured at it."""

    id: UUID
    icon: str
    text: str
    sub: str
    photos: str


class HouseholdDetail(EventDispatcher):
    """One household, as far as it is on this phone."""

    title, door, place_line = StringProperty(""), StringProperty(""), StringProperty("")
    due_word, due_kind, due_icon = StringProperty(""), StringProperty("later"), StringProperty("")
    care = ListProperty([])
    members, members_title = ListProperty([]), StringProperty("")
    visits, visits_total, visits_total_text = ListProperty([]), NumericProperty(0), StringProperty("")
    events = ListProperty([])
    follow: FollowUps = ObjectProperty(rebind=True)
    can_call = BooleanProperty(False)
    gone = BooleanProperty(False)

    def __init__(self, store: Store, ports: Ports, now: Clock, household_id: UUID) -> None:
        super().__init__()
        self._store, self._ports, self._now, self.household_id = store, ports, now, household_id
        self.follow = FollowUps(store, now, household_id)
        self._members: list[ResidentOut] = []
        self._all_visits = False
        self.refresh()

    def refresh(self, *_: object) -> None:
        household = self._store.entities.get(HouseholdOut, self.household_id)
        self.gone = household is None
        if household is None:
            return
        self._members = rules.in_family_order(self._store.entities.all(ResidentOut, household.id))
        self._show_door(household)
        self._show_members(household)
        self._show_visits()
        self._show_events()
        self.follow.refresh()

    def show_all(self) -> None:
        self._all_visits = True
        self._show_visits()

    def dial(self) -> None:
        """Ring the head of the household, or whoever has a number."""
        self._dial(rules.first_phone(self._members))

    def dial_member(self, resident_id: UUID) -> None:
        self._dial(next((member.phone or "" for member in self._members if member.id == resident_id), ""))

    def _dial(self, number: str) -> None:
        if number:
            self._ports.dialer.dial(number)

    def _show_door(self, household: HouseholdOut) -> None:
        today = local_day(self._now())
        self.title, self.door = rules.family_name(household), rules.door(household)
        self.care = rules.care_tags(household.care)
        self.due_word = texts.due(household.due_on, today) if household.due_on else ""
        self.due_kind = texts.due_kind(household.due_on, today) if household.due_on else "later"
        self.due_icon = rules.DUE_ICONS[self.due_kind]
        self.place_line = " · ".join(part for part in (self._cell_name(household), self._walk(household)) if part)

    def _cell_name(self, household: HouseholdOut) -> str:
        cells = self._store.entities.all(CellOut)
        return next((cell.name for cell in cells if cell.code == household.area_code), "")

    def _walk(self, household: HouseholdOut) -> str:
        fix = self._ports.location.last()
        return rules.walk_text(household, (fix.lon, fix.lat) if fix else None)

    def _show_members(self, household: HouseholdOut) -> None:
        unsent = self._store.outbox.unanswered(EntityKind.resident)
        self.members = [self._member(member, member.id in unsent) for member in self._members]
        self.members_title = _("家里 {size} 口人").format(size=household.size)
        self.can_call = bool(rules.first_phone(self._members))

    def _member(self, member: ResidentOut, unsent: bool) -> Member:
        age = texts.age(member.birth_date, local_day(self._now())) if member.birth_date else ""
        return Member(
            id=member.id,
            name=member.name,
            line=" · ".join(part for part in (RELATION_WORDS[member.relation], age) if part),
            note=member.note,
            phone=texts.phone_masked(member.phone) if member.phone else "",
            residency=member.residency.value,
            residency_word=RESIDENCY_WORDS[member.residency],
            residency_kind=rules.RESIDENCY_KINDS.get(member.residency, "grey"),
            unsent=unsent,
        )

    def _show_events(self) -> None:
        """What happened to those who live here, and what this phone has written about those who left."""
        here = {row for member in self._members for row in merged.rows_of(self._store.entities, member.id)}
        mine = {event.id for event in homes.all_of(self._store.entities, EventOut, self.household_id)}
        every = self._store.entities.all(EventOut)
        about = [event for event in every if event.id in mine or here.intersection(event.resident_ids)]
        self.events = event_lines(self._store, self._now, about, named=True)[:SHOWN_EVENTS]

    def _show_visits(self) -> None:
        visits = homes.all_of(self._store.entities, VisitOut, self.household_id)
        visits.sort(key=lambda visit: visit.visited_at, reverse=True)
        self.visits_total = len(visits)
        self.visits_total_text = (
            _("全部 {count} 次").format(count=len(visits))
            if len(visits) > SHOWN_VISITS and not self._all_visits
            else ""
        )
        self.visits = [self._line(visit) for visit in (visits if self._all_visits else visits[:SHOWN_VISITS])]

    def _line(self, visit: VisitOut) -> VisitLine:
        found = _("、").join(FINDING_WORDS[finding] for finding in visit.findings)
        told = _("。").join(part for part in (OUTCOME_WORDS[visit.outcome], found, visit.note.rstrip(_("。"))) if part)
        how = f"{visit.worker_name} {MODE_WORDS[visit.mode]}"
        place = "" if visit.evidence is Evidence.none else EVIDENCE_WORDS[visit.evidence]
        parts = texts.full_day(local_day(visit.visited_at)), how, place
        sub = " · ".join(part for part in parts if part)
        return VisitLine(visit.id, VISIT_ICONS[visit.outcome], told, sub, texts.photos(visit.photo_count))
