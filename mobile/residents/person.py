"""One person: what is on file, and what happened to them."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import Ports
from mobile.residents import choices, links, merged, past, rules
from mobile.store.store import Store
from shared.links import LINK_WORDS, LinkOut, whom_to_call
from shared.register import EVENT_WORDS, EventOut
from shared.residents import RELATION_WORDS, RESIDENCY_WORDS, HouseholdOut, ResidentOut, Sex
from shared.sync import EntityKind
from shared.texts import _

SHOWN_PAST, UNDO_SECONDS = 4, 10
SEX_WORDS = {Sex.male: _("男"), Sex.female: _("女")}


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event of the register in words; `unsent` until the server has it."""

    icon: str
    text: str
    sub: str
    unsent: bool


def event_lines(store: Store, now: Clock, events: list[EventOut], *, named: bool) -> list[EventLine]:
    """Newest first."""
    unsent, today = store.outbox.unanswered(EntityKind.register_event), local_day(now())
    ordered = sorted(events, key=lambda event: (event.on, event.received_at), reverse=True)
    return [
        EventLine(
            icon=choices.EVENT_ICONS[event.kind],
            text=_told(event, named),
            sub=" · ".join(p for p in (texts.day_word(event.on, today), event.noted_by, event.note) if p),
            unsent=event.id in unsent,
        )
        for event in ordered
    ]


def _told(event: EventOut, named: bool) -> str:
    words = (
        _("{names} {event}").format(names=_("、").join(event.names), event=EVENT_WORDS[event.kind])
        if named
        else EVENT_WORDS[event.kind]
    )
    return _("{words}（已撤回）").format(words=words) if event.withdrawn else words


class PersonDetail(EventDispatcher):
    """One resident, as far as they are on this phone."""

    name, line, door, phone, note = (StringProperty("") for _ in range(5))
    residency_word, residency_kind = StringProperty(""), StringProperty("grey")
    care, facts, events = ListProperty([]), ListProperty([]), ListProperty([])
    links, past, past_rest = ListProperty([]), ListProperty([]), StringProperty("")
    undo_seconds = UNDO_SECONDS
    unsent, gone, can_call = BooleanProperty(False), BooleanProperty(False), BooleanProperty(False)
    household_id = ObjectProperty(None, allownone=True)

    def __init__(self, store: Store, ports: Ports, now: Clock, resident_id: UUID) -> None:
        super().__init__()
        self._store, self._ports, self._now, self.resident_id = store, ports, now, resident_id
        self._all_past = False
        self._ended: UUID | None = None
        self.refresh()

    def refresh(self, *_: object) -> None:
        person = self._store.entities.get(ResidentOut, self.resident_id)
        self.gone = person is None
        rows = merged.rows_of(self._store.entities, self.resident_id)
        events = [event for event in self._store.entities.all(EventOut) if rows.intersection(event.resident_ids)]
        self.events = event_lines(self._store, self._now, events, named=False)
        if person is not None:
            self._show(person)

    def dial(self) -> None:
        person = self._store.entities.get(ResidentOut, self.resident_id)
        if person and person.phone:
            self._ports.dialer.dial(person.phone)

    def dial_link(self, link_id: UUID) -> None:
        """Ring whoever answers for them today."""
        link = self._store.entities.get(LinkOut, link_id)
        number = whom_to_call(link, local_day(self._now())).phone if link else None
        if number:
            self._ports.dialer.dial(number)

    def end_link(self, link_id: UUID) -> str:
        """End it today; it waits on this phone for the time of 撤销. Returns what to say."""
        link = self._store.entities.get(LinkOut, link_id)
        hold = timedelta(seconds=UNDO_SECONDS)
        self._ended = links.end(self._store, link_id, local_day(self._now()), hold=hold)
        if link is None or self._ended is None:
            return ""
        self._store.captured()
        return _("已结束：{link} {name}").format(link=LINK_WORDS[link.kind], name=link.name)

    def undo_end(self) -> bool:
        """Take it back as if it had not been. False: it has already left the phone."""
        if self._ended is None or not self._store.outbox.take_back(self._ended):
            return False
        self._ended = None
        self._store.captured()
        return True

    def show_all_past(self) -> None:
        self._all_past = True
        self._show_past()

    def _show_past(self) -> None:
        lines = past.lines(self._store, self.resident_id, local_day(self._now()))
        self.past = lines if self._all_past else lines[:SHOWN_PAST]
        self.past_rest = _("全部 {count} 条").format(count=len(lines)) if len(lines) > len(self.past) else ""

    def _show(self, person: ResidentOut) -> None:
        self.links = links.lines(self._store, person, local_day(self._now()))
        self._show_past()
        home = self._store.entities.get(HouseholdOut, person.household_id)
        age = texts.age(person.birth_date, local_day(self._now())) if person.birth_date else ""
        parts = (RELATION_WORDS[person.relation], SEX_WORDS.get(person.sex, ""), age)
        self.name, self.line = person.name, " · ".join(part for part in parts if part)
        self.door, self.household_id = rules.door(home) if home else "", person.household_id
        self.phone = texts.phone_masked(person.phone) if person.phone else ""
        self.can_call, self.note, self.care = bool(person.phone), person.note, rules.care_tags(person.care)
        self.residency_word = RESIDENCY_WORDS[person.residency]
        self.residency_kind = rules.RESIDENCY_KINDS.get(person.residency, "grey")
        self.unsent = person.id in self._store.outbox.unanswered(EntityKind.resident)
        self.facts = self._facts(person)

    def _facts(self, person: ResidentOut) -> list[tuple[str, str]]:
        """What is known; what nobody has asked is not shown as empty."""
        born = person.birth_date
        known = [(_("出生"), _("{year}年{day}").format(year=born.year, day=texts.month_day(born)))] if born else []
        for field, (label, _name, _common) in choices.CODED.items():
            code = getattr(person, field)
            known += [(label, choices.code_word(field, code))] if code else []
        known += [(_("户籍地"), self._place(person.registered_place))] if person.registered_place else []
        return [*known, (_("身份证号"), _("已登记，已核对") if person.id_on_file else _("没有登记"))]

    def _place(self, words: str) -> str:
        """A sheet may have brought the county's own code."""
        me = self._store.me()
        return me.county_name if me and words == me.county_code else words
