"""帮他求助: a worker at somebody's door asks for what they need."""

from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.requests import rules
from mobile.requests.asking import UNDO_SECONDS, Asking
from mobile.residents.choices import Option
from mobile.residents.rules import door, in_family_order, person_to_see
from mobile.store.store import Store
from shared.auth import MeOut
from shared.requests import CATEGORIES, RequestIn, RequestKind, Urgency
from shared.residents import HouseholdOut, ResidentOut
from shared.texts import _

ANY_TIME = "any"
_HALVES = {"am": (_("上午"), time(9)), "pm": (_("下午"), time(14))}


def time_options(now: datetime) -> list[Option]:
    """Half days of today, tomorrow and the day after which have not begun."""
    today, found = local_day(now), [(ANY_TIME, _("都行"), "")]
    for ahead in range(3):
        day = texts.day_word(today + timedelta(days=ahead), today)
        found += [(f"{ahead}{half}", day + word, "") for half, (word, _at) in _HALVES.items()]
    return [option for option in found if (begin := begins(option[0], now)) is None or begin > now]


def begins(choice: str, now: datetime) -> datetime | None:
    if choice == ANY_TIME:
        return None
    day = local_day(now) + timedelta(days=int(choice[0]))
    return datetime.combine(day, _HALVES[choice[1:]][1], texts.SHANGHAI)


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


class HelpForm(EventDispatcher):
    """Help for one person of a household. Volunteers are asked once it has been sent."""

    __events__ = ("on_saved", "on_taken_back")
    kinds: ClassVar[list[Option]] = rules.options(RequestKind.help)
    urgencies: ClassVar[list[Option]] = rules.URGENCY_OPTIONS
    title, door = StringProperty(""), StringProperty("")
    who_options, who = ListProperty([]), StringProperty("")
    when_options, when = ListProperty([]), StringProperty(ANY_TIME)
    category, urgency, note = StringProperty(""), StringProperty(Urgency.soon.value), StringProperty("")
    can_save = BooleanProperty(False)
    danger_line: ClassVar[str] = _("有生命危险，先打 120、119")
    undo_seconds = UNDO_SECONDS
    drafted = ("who", "category", "when", "urgency", "note")

    def __init__(self, store: Store, me: MeOut, now: Clock, household_id: UUID) -> None:
        super().__init__()
        self._store, self._now, self._asking = store, now, Asking(store, me, now)
        self._household = store.entities.get(HouseholdOut, household_id)
        self.when_options = time_options(now())
        self._show_people()
        self.bind(category=self._look)

    def on_saved(self, sentence: str) -> None:
        """Event: the request is safe on this phone."""

    def on_taken_back(self) -> None:
        """Event: the request is none any more, and what was written is unfinished again."""

    def choose_who(self, value: str) -> None:
        self.who = value

    def choose_kind(self, value: str) -> None:
        self.category = value

    def choose_when(self, value: str) -> None:
        self.when = value

    def choose_urgency(self, value: str) -> None:
        self.urgency = Urgency(value).value

    def save(self) -> bool:
        if not self.can_save or self._household is None:
            return False
        title, start = CATEGORIES[self.category].title, begins(self.when, self._now())
        body = RequestIn(
            kind=RequestKind.help,
            category=self.category,
            detail=self.note,
            household_id=self._household.id,
            resident_id=UUID(self.who) if self.who else None,
            starts_at=start,
            ends_at=start + timedelta(minutes=CATEGORIES[self.category].minutes) if start else None,
            urgency=Urgency(self.urgency),
        )
        self._asking.send(body, f"{self._name()} {title}", household=self._household)
        self.dispatch("on_saved", _("已求助：{title}").format(title=title))
        return True

    def undo(self) -> bool:
        if not self._asking.take_back():
            return False
        self.dispatch("on_taken_back")
        return True

    def draft(self) -> dict[str, Any]:
        """The time is kept as a day and an hour: 明天 is another day tomorrow."""
        if not (self.category or self.note.strip()):
            return {}
        words = {name: getattr(self, name) for name in ("who", "category", "urgency", "note")}
        return {**words, "starts_at": _stamp(begins(self.when, self._now()))}

    def restore(self, values: dict[str, Any]) -> None:
        """As far as the person is still there and the time still to come."""
        starts = {_stamp(begins(value, self._now())): value for value, _word, _icon in self.when_options}
        self.when = starts.get(values["starts_at"], ANY_TIME)
        self.category, self.urgency, self.note = values["category"], values["urgency"], values["note"]
        if values["who"] in {value for value, _name, _icon in self.who_options}:
            self.who = values["who"]

    def _show_people(self) -> None:
        home = self._household
        if home is None:
            return
        members = in_family_order(self._store.entities.all(ResidentOut, home.id))
        likely = person_to_see(home, members, local_day(self._now())).resident_id
        self.who_options = [(str(one.id), one.name, "") for one in members]
        self.who, self.door = str(likely or ""), door(home)

    def _name(self) -> str:
        return next((name for value, name, _icon in self.who_options if value == self.who), _("这一户"))

    def _look(self, *_: object) -> None:
        self.can_save = bool(self.category) and self._household is not None
