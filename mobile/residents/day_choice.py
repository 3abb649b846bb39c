"""今天, 昨天, or a day picked from a month: no digit needs to be typed."""

from calendar import Calendar
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, ObjectProperty, StringProperty

from mobile.core import texts
from mobile.core.clock import Clock, local_day
from mobile.residents.choices import Option
from shared.texts import _

OPTIONS: list[Option] = [
    ("today", _("今天"), ""),
    ("yesterday", _("昨天"), ""),
    ("date", _("选日期"), "calendar-blank"),
]


@dataclass(frozen=True, slots=True)
class DayTile:
    """A square of the month; without a day it is empty, and a day to come cannot be chosen."""

    day: date | None
    text: str
    allowed: bool
    chosen: bool


class DayChoice(EventDispatcher):
    """The day something happened, today unless said otherwise."""

    options: ClassVar[list[Option]] = OPTIONS
    choice = StringProperty("today")
    day = ObjectProperty()
    word = StringProperty("")
    month_shown = BooleanProperty(False)
    month_title, tiles = StringProperty(""), ListProperty([])
    can_go_on = BooleanProperty(False)

    def __init__(self, now: Clock) -> None:
        super().__init__()
        self._now = now
        self._today = local_day(now())
        self._month = self._today.replace(day=1)
        self.choose("today")

    def choose(self, value: str) -> None:
        self._today = local_day(self._now())
        self.choice, self.month_shown = value, value == "date"
        if value != "date":
            self.choose_day(self._today - timedelta(days=value == "yesterday"))

    def choose_day(self, day: date) -> None:
        self.day, self.word = day, texts.day_word(day, self._today)
        self._month = day.replace(day=1)
        self._draw()

    def restore(self, day: date) -> None:
        """The day of a draft: what was today may be yesterday by now."""
        ago = {self._today: "today", self._today - timedelta(days=1): "yesterday"}
        self.choose(ago.get(day, "date"))
        self.choose_day(min(day, self._today))
        self.month_shown = False

    def turn(self, months: int) -> None:
        """Show an earlier or a later month, none after the present one."""
        count = self._month.year * 12 + self._month.month - 1 + months
        month = date(count // 12, count % 12 + 1, 1)
        if month <= self._today:
            self._month = month
            self._draw()

    def _draw(self) -> None:
        month = self._month
        self.month_title = _("{year}年{month}月").format(year=month.year, month=month.month)
        self.can_go_on = (month + timedelta(days=31)).replace(day=1) <= self._today
        every = Calendar().itermonthdates(month.year, month.month)
        self.tiles = [self._tile(day if day.month == month.month else None) for day in every]

    def _tile(self, day: date | None) -> DayTile:
        if day is None:
            return DayTile(None, "", False, False)
        return DayTile(day, str(day.day), day <= self._today, day == self.day)
