"""记走访: the form of one visit."""

from functools import partial

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import Shell, shell_of
from mobile.visits.form import VisitForm
from shared.texts import _

MORE = ("more", _("更多"), "dots-three")


class VisitScreen(Screen):
    """Shows a VisitForm, and leaves once the visit is kept."""

    form = ObjectProperty(rebind=True)
    more = BooleanProperty(False)

    def __init__(self, form: VisitForm, **kwargs: object) -> None:
        rare = {value for value, _word, _icon in form.more_findings}
        super().__init__(form=form, more=bool(form.note or rare.intersection(form.findings)), **kwargs)
        form.bind(on_saved=self._saved)

    def on_pre_leave(self, *_: object) -> None:
        self.form.wait()

    def find(self, value: str) -> None:
        if value == MORE[0]:
            self.more = True
        else:
            self.form.toggle_finding(value)

    def write(self) -> None:
        """Open the line for a sentence and put the cursor there."""
        self.more = True
        Clock.schedule_once(self._focus_note)

    def _focus_note(self, *_: object) -> None:
        self.ids.scroll.scroll_to(self.ids.note, animate=False)
        self.ids.note.ids.field.focus = True

    def _saved(self, form: VisitForm, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        shell.snack(sentence, form.undo_seconds, on_undo=partial(_undo, form, shell))


def _undo(form: VisitForm, shell: Shell) -> None:
    if not form.undo():
        shell.snack(_("已经送出去了，撤不回来"))
