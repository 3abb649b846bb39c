"""今日走访: who to see and why."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import DeviceFix, NoFix, Ports
from mobile.grid.rules import LonLat
from mobile.residents.rules import (
    DUE_ICONS,
    CareTag,
    Person,
    care_tags,
    door,
    door_short,
    person_to_see,
    walk_text,
)
from mobile.store.store import Store
from mobile.visits import rules
from mobile.visits.asked import Asked, asked_today
from shared.grid import CellOut
from shared.residents import HouseholdOut, ResidentOut
from shared.rounds import RoundEntry
from shared.texts import _

LOCATE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Door:
    """A door of today's round, in the words of its row."""

    household_id: UUID
    name: str
    age_text: str
    care: list[CareTag]
    door: str
    door_short: str
    why: str
    due_word: str
    due_kind: str
    due_icon: str
    walk_text: str
    can_call: bool


class Today(EventDispatcher):
    """The round of a day: what presses first and what is alike along the way, or all of it along the way."""

    date_line = StringProperty("")
    doors = ListProperty([])
    next_door = ObjectProperty(None, allownone=True)
    rest = ListProperty([])
    seen, left = NumericProperty(0), NumericProperty(0)
    progress_text, progress_markup = StringProperty(""), StringProperty("")
    by_route = BooleanProperty(False)
    all_done = BooleanProperty(False)
    can_speak = BooleanProperty(False)
    empty_title, empty_text = StringProperty(""), StringProperty("")

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self.refresh()

    def refresh(self, *_: object) -> None:
        today, entities = local_day(self._now()), self._store.entities
        days = entities.fields(HouseholdOut, "due_on", "last_visited_on")
        asked = asked_today(entities, today)
        self.doors = self._doors(rules.to_see(self._likely(days, today, asked), today, asked), today, asked)
        self.next_door, self.rest = next(iter(self.doors), None), self.doors[1:]
        self.seen = sum(visited_on == str(today) for _due_on, visited_on in days.values())
        self.can_speak = self._ports.speech.available
        self._say(today, bool(days))

    def _likely(self, days: Mapping[str, tuple[Any, ...]], today: date, asked: Asked) -> Iterator[HouseholdOut]:
        """The doors that may have to be seen. To open all of them after each sync takes as long as several frames."""
        last, by_rule = str(rules.last_due(today)), {str(household_id) for household_id in asked}
        for key, (due_on, _visited_on) in days.items():
            if key in by_rule or (isinstance(due_on, str) and due_on <= last):
                household = self._store.entities.get(HouseholdOut, key)
                if household is not None:
                    yield household

    def toggle_route(self) -> None:
        """Between what is most urgent and what is nearest."""
        self.by_route = not self.by_route
        self.refresh()

    async def locate(self) -> None:
        """Find out where the worker is, for walking times. Without a fix there are none, and that is all."""
        try:
            await self._ports.location.fix(LOCATE_SECONDS)
        except NoFix:
            return
        self.refresh()

    def speak(self, door: Door) -> None:
        """念给我听: who and why. The address stays on the screen, for a stairwell has ears."""
        self._ports.speech.speak(
            _("{name}，{age_text}。{why}。").format(name=door.name, age_text=door.age_text, why=door.why)
            if door.age_text
            else _("{name}。{why}。").format(name=door.name, why=door.why)
        )

    def dial(self, household_id: UUID) -> None:
        household = self._store.entities.get(HouseholdOut, household_id)
        if household and (number := self._person(household, local_day(self._now())).phone):
            self._ports.dialer.dial(number)

    def _doors(self, households: list[HouseholdOut], today: date, asked: Asked) -> list[Door]:
        here = _place(self._ports.location.last())
        if self.by_route:
            ordered = rules.along_the_way(households, here)
        else:
            ordered = rules.suggested(households, today, asked, here)
        return [self._door(household, today, here, asked.get(household.id)) for household in ordered]

    def _door(self, household: HouseholdOut, today: date, here: LonLat | None, entry: RoundEntry | None) -> Door:
        person, due = self._person(household, today), rules.due_on(household, today, entry)
        kind = texts.due_kind(due, today)
        return Door(
            household_id=household.id,
            name=person.name,
            age_text=person.age_text,
            care=care_tags(household.care),
            door=door(household),
            door_short=door_short(household),
            why=rules.why(household, today, entry),
            due_word=texts.due(due, today),
            due_kind=kind,
            due_icon=DUE_ICONS[kind],
            walk_text=walk_text(household, here),
            can_call=bool(person.phone),
        )

    def _person(self, household: HouseholdOut, today: date) -> Person:
        return person_to_see(household, self._store.entities.all(ResidentOut, household.id), today)

    def _say(self, today: date, knows_doors: bool) -> None:
        self.left = len(self.doors)
        self.progress_text = _("看了 {seen} 户，还有 {left} 户").format(seen=self.seen, left=self.left)
        self.progress_markup = _("[font=Semi]看了 {seen} 户[/font]，还有 {left} 户").format(
            seen=self.seen, left=self.left
        )
        cells = self._store.entities.all(CellOut)
        place = cells[0].name if len(cells) == 1 else _("{count} 个网格").format(count=len(cells)) if cells else ""
        self.date_line = " · ".join(part for part in (texts.full_day(today), place) if part)
        self.all_done = knows_doors and not self.doors
        self.empty_title = _("今天要看的都看过了") if knows_doors else _("正在取网格里的资料…")
        self.empty_text = (
            _("辛苦了。路上遇到谁，\n也可以到网格里找到门牌记一笔。") if knows_doors else _("第一次要等一会儿。")
        )


def _place(fix: DeviceFix | None) -> LonLat | None:
    return (fix.lon, fix.lat) if fix else None
