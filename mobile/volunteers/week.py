"""空闲时间: seven days of three parts, tapped on and off."""

from dataclasses import dataclass

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.volunteers import rules
from mobile.volunteers.own import Own
from shared.texts import _
from shared.volunteers import Slot, SlotsIn, merged


@dataclass(frozen=True, slots=True)
class DayLine:
    """A day with the parts that are free, and in words the hours of one that is free in part."""

    weekday: int
    word: str
    chosen: list[str]
    sub: str


def flipped(name: str, was_on: bool, on: list[str], off: list[str]) -> tuple[list[str], list[str]]:
    """What has been tapped on and what off, after one more tap."""
    kept_on, kept_off = [one for one in on if one != name], [one for one in off if one != name]
    return (kept_on, [*kept_off, name]) if was_on else ([*kept_on, name], kept_off)


class Week(EventDispatcher):
    """Taps lie over the week that the server knows until they are saved, as one operation."""

    __events__ = ("on_saved",)
    days = ListProperty([])
    known, can_save = BooleanProperty(False), BooleanProperty(False)
    line = StringProperty("")
    tapped_on, tapped_off = ListProperty([]), ListProperty([])
    drafted = ("tapped_on", "tapped_off")

    def __init__(self, own: Own) -> None:
        super().__init__()
        self._own = own
        self._slots: list[Slot] = []
        self.bind(tapped_on=self._show, tapped_off=self._show)
        self.refresh()

    def on_saved(self, sentence: str) -> None:
        """Event: it is kept on this phone."""

    @property
    def rev(self) -> int:
        return self._own.row.rev if self._own.row else 0

    def refresh(self, *_: object) -> None:
        row = self._own.row
        self.known, self._slots = row is not None, row.slots if row else []
        self._show()

    def toggle(self, weekday: int, part: str) -> None:
        chosen = next(day.chosen for day in self.days if day.weekday == weekday)
        on, off = flipped(rules.key(weekday, part), part in chosen, self.tapped_on, self.tapped_off)
        self.tapped_on, self.tapped_off = on, off

    def save(self) -> None:
        if self.can_save:
            self._own.set_week(SlotsIn(slots=self._week()))
            self.tapped_on, self.tapped_off = [], []
            self.dispatch("on_saved", _("记下了：空闲时间"))
            self.refresh()

    def _week(self) -> list[Slot]:
        return rules.week_with(self._slots, self.tapped_on, self.tapped_off)

    def _show(self, *_: object) -> None:
        week = self._week()
        self.days = [_day(weekday, word, week) for weekday, word in rules.WEEKDAYS.items()]
        self.line = rules.week_line(week)
        self.can_save = self.known and week != merged(self._slots)


def _day(weekday: int, word: str, week: list[Slot]) -> DayLine:
    free = {part: rules.spans(week, weekday, part) for part in rules.PARTS}
    chosen = [part for part, found in free.items() if found]
    partly = [span for part, found in free.items() if not rules.is_whole(found, part) for span in found]
    return DayLine(weekday, word, chosen, _("只有 {hours}").format(hours=rules.hours(partly)) if partly else "")
