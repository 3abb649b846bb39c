"""人员变动 on the screen: big tiles, chips, one button."""

from functools import partial
from typing import Any

from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import Shell, shell_of
from mobile.residents import choices
from mobile.residents.choices import MORE
from mobile.residents.day_choice import DayChoice
from mobile.residents.event_form import EventForm
from mobile.widgets.layout import Box, Card, Col
from mobile.widgets.lists import Item
from shared.texts import _


class DayPress(Item, ButtonBehavior, Box):
    """A day of the month."""

    need_w = 0


class WeekWord(Item, Col):
    """一 to 日."""


class Month(Card):
    """A month of days to choose from."""

    day: DayChoice | None = ObjectProperty(None, allownone=True, rebind=True)


class EventScreen(Screen):
    """Leaves once the change is kept; a death is asked about first."""

    form: EventForm = ObjectProperty(rebind=True)
    asking = BooleanProperty(False)

    def __init__(self, form: EventForm, **kwargs: object) -> None:
        super().__init__(form=form, **kwargs)
        form.bind(on_saved=self._saved)

    def on_back(self) -> bool:
        asked, self.asking = self.asking, False
        return asked

    def find_home(self) -> None:
        shell_of(self).push("find", pick=self.form.choose_home)

    def choose_relation(self, value: str) -> None:
        if value == MORE[0]:
            shell_of(self).push(
                "pick",
                title=_("和户主的关系"),
                options=choices.all_relations(),
                chosen=self.form.relation,
                pick=self.form.choose_relation,
            )
        else:
            self.form.choose_relation(value)

    def save(self) -> None:
        if self.form.question and not self.asking:
            self.asking = True
        else:
            self.form.save()

    def _saved(self, form: EventForm, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        shell.snack(sentence, form.undo_seconds, on_undo=partial(_undo, form, shell))

    def on_pre_enter(self, *_: Any) -> None:
        self.asking = False


def _undo(form: EventForm, shell: Shell) -> None:
    if not form.undo():
        shell.snack(_("已经送出去了，撤不回来"))
