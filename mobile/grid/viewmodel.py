"""我的网格: cells and stairwells on a map, the doors of one stairwell, the person behind one door."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.device.ports import NoFix, Ports
from mobile.grid import rules
from mobile.residents.rules import CareTag, care_tags, first_phone, person_to_see
from mobile.store.store import Store
from shared.grid import CellOut
from shared.residents import HouseholdOut, ResidentOut
from shared.texts import _

LOCATE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class CellShape:
    """A cell as lines to draw, in degrees, and how many doors it has."""

    code: str
    name: str
    rings: list[list[rules.LonLat]]
    count: int


@dataclass(frozen=True, slots=True)
class DoorTile:
    """A door of the chosen stairwell."""

    household_id: UUID
    room: str
    days_text: str
    state: str


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Who lives behind the chosen door and when they were last met."""

    household_id: UUID
    title: str
    age_text: str
    care: list[CareTag]
    history: str
    can_call: bool


class MyGrid(EventDispatcher):
    """The worker's ground. Whoever has several cells first sees them all (`overview`) and then one."""

    title_note = StringProperty("")
    cells, bounds = ListProperty([]), ObjectProperty((0.0, 0.0, 0.0, 0.0))
    chosen_cell, overview = StringProperty(""), BooleanProperty(False)
    marks, chosen_mark = ListProperty([]), StringProperty("")
    stair_title, stair_count = StringProperty(""), StringProperty("")
    doors, chosen_door = ListProperty([]), StringProperty("")
    person = ObjectProperty(None, allownone=True)
    here = ObjectProperty(None, allownone=True)
    legend: ClassVar[list[tuple[str, str]]] = list(rules.SEEN_WORDS.items())

    def __init__(self, store: Store, ports: Ports, now: Clock) -> None:
        super().__init__()
        self._store, self._ports, self._now = store, ports, now
        self._groups: dict[str, list[HouseholdOut]] = {}
        self._every_mark: list[rules.StairMark] = []
        self.refresh()

    def refresh(self, *_: object) -> None:
        self._today = local_day(self._now())
        households = self._store.entities.all(HouseholdOut)
        self._groups = rules.by_stairs(households)
        self._every_mark = rules.marks(self._groups, self._today)
        self.cells = self._shapes(sorted(self._store.entities.all(CellOut), key=lambda cell: cell.code))
        mark = self.chosen_mark if self.chosen_mark in self._groups else ""
        self.choose_cell(self.chosen_cell)
        self._show_here()
        self.choose_mark(mark)

    def choose_cell(self, code: str) -> None:
        """Show one cell and its stairwells, or with '' all of them. An only cell is always the chosen one."""
        codes = [cell.code for cell in self.cells]
        self.chosen_cell = codes[0] if len(codes) == 1 else code if code in codes else ""
        self.overview = len(codes) > 1 and not self.chosen_cell
        self._show_ground()
        if self.chosen_mark and self.chosen_mark not in {mark.key for mark in self.marks}:
            self.choose_mark("")

    def choose_mark(self, key: str) -> None:
        """Show the doors of a stairwell, and its cell; the door chosen in another one is let go."""
        doors = self._groups.get(key, [])
        # First of all: its cell must not let go of what it is chosen for.
        self.chosen_mark = key
        if doors and len(self.cells) > 1:
            self.choose_cell(doors[0].area_code)
        self.stair_title = rules.stair_title(doors[0]) if doors else ""
        self.stair_count = self._count_text(doors) if doors else ""
        self.doors = [self._tile(door) for door in doors]
        still_there = any(str(door.id) == self.chosen_door for door in doors)
        self.choose_door(self.chosen_door if still_there else "")

    def choose_door(self, household_id: UUID | str) -> None:
        """Show who lives behind a door, of the chosen stairwell or of another one, which is then chosen too."""
        household = self._find(str(household_id))
        self.chosen_door = str(household.id) if household else ""
        self.person = self._person_line(household) if household else None
        if household and (key := rules.stair_key(household)) != self.chosen_mark:
            self.choose_mark(key)

    async def locate(self) -> None:
        try:
            await self._ports.location.fix(LOCATE_SECONDS)
        except NoFix:
            return
        self._show_here()

    def dial(self) -> None:
        household = self._find(self.chosen_door)
        if household and (number := first_phone(self._members(household))):
            self._ports.dialer.dial(number)

    def _shapes(self, cells: list[CellOut]) -> list[CellShape]:
        doors = Counter(door.area_code for group in self._groups.values() for door in group)
        one_community = len({cell.community_code for cell in cells}) == 1
        return [
            CellShape(
                cell.code,
                rules.short_name(cell.name) if one_community else cell.name,
                rules.rings(cell.geometry),
                doors[cell.code],
            )
            for cell in cells
        ]

    def _show_ground(self) -> None:
        """The cells, marks and words of what is looked at."""
        several, chosen = len(self.cells) > 1, self.chosen_cell
        looked_at = [cell for cell in self.cells if cell.code == chosen] or self.cells
        self.marks = [mark for mark in self._every_mark if not (several and chosen) or mark.area_code == chosen]
        self.bounds = rules.bounds([ring for cell in looked_at for ring in cell.rings])
        place = looked_at[0].name if len(looked_at) == 1 else _("{count} 格").format(count=len(looked_at))
        self.title_note = _("{place} · {count} 户").format(place=place, count=sum(cell.count for cell in looked_at))

    def _count_text(self, doors: list[HouseholdOut]) -> str:
        """With the compound, where several of them count their houses from one."""
        every = (door for group in self._groups.values() for door in group if door.unit)
        compounds = {door.compound for door in every if door.area_code == doors[0].area_code}
        ambiguous = doors[0].unit and len(compounds) > 1
        return (
            _("{compound} · {count} 户").format(compound=doors[0].compound, count=len(doors))
            if ambiguous
            else _("{count} 户").format(count=len(doors))
        )

    def _show_here(self) -> None:
        fix = self._ports.location.last()
        self.here = (fix.lon, fix.lat) if fix else None

    def _find(self, household_id: str) -> HouseholdOut | None:
        every = (household for doors in self._groups.values() for household in doors)
        return next((household for household in every if str(household.id) == household_id), None)

    def _members(self, household: HouseholdOut) -> list[ResidentOut]:
        return self._store.entities.all(ResidentOut, household.id)

    def _tile(self, household: HouseholdOut) -> DoorTile:
        seen = household.last_seen_on
        days = _("{days} 天").format(days=max(0, (self._today - seen).days)) if seen else rules.SEEN_WORDS["never"]
        state = rules.seen_state(seen, self._today)
        return DoorTile(household.id, household.room, _("今天") if seen == self._today else days, state)

    def _person_line(self, household: HouseholdOut) -> PersonLine:
        members = self._members(household)
        person = person_to_see(household, members, self._today)
        return PersonLine(
            household_id=household.id,
            title=f"{household.room} {person.name}".strip(),
            age_text=person.age_text,
            care=care_tags(household.care),
            history=history(household, self._today),
            can_call=bool(first_phone(members)),
        )


def history(household: HouseholdOut, today: date) -> str:
    """上次见面 9月8日 · 之后去过 2 次，都没见到"""
    seen, tries = household.last_seen_on, household.tries_since_seen
    met = _("上次见面 {day}").format(day=texts.day_word(seen, today)) if seen else _("还没见过面")
    if not tries:
        return met
    return _("{met} · {since}去过 {tries} 次，都没见到").format(met=met, since=_("之后") if seen else "", tries=tries)
