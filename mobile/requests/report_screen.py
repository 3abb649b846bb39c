"""上报事件, the tab; 改位置; 帮他求助."""

from functools import partial
from typing import Any

from kivy.clock import Clock
from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import Shell, shell_of
from mobile.core.session import AppContext
from mobile.requests.help_form import HelpForm
from mobile.requests.places import Whereabouts
from mobile.requests.report import ReportForm
from shared.texts import _


class ReportScreen(Screen):
    """Three taps; the place is found meanwhile."""

    form: ReportForm = ObjectProperty(rebind=True)
    writing = BooleanProperty(False)

    def __init__(self, ctx: AppContext, **kwargs: object) -> None:
        self._ctx = ctx
        super().__init__(form=ctx.session.report, writing=bool(ctx.session.report.note), **kwargs)
        self.form.bind(on_saved=self._reported)

    def on_pre_enter(self, *_: Any) -> None:
        self.form.refresh()
        self._ctx.spawn(self.form.locate())

    def write(self) -> None:
        """Open the line for a sentence and put the cursor there."""
        self.writing = True
        Clock.schedule_once(self._focus_note)

    def _focus_note(self, *_: object) -> None:
        self.ids.scroll.scroll_to(self.ids.note, animate=False)
        self.ids.note.ids.field.focus = True

    def _reported(self, form: ReportForm, sentence: str) -> None:
        self.writing, self.ids.scroll.scroll_y = False, 1
        told(shell_of(self), form, sentence)


class PlaceScreen(Screen):
    """Where it is, by a tap and in words."""

    place: Whereabouts = ObjectProperty(rebind=True)


class HelpScreen(Screen):
    """Leaves once the request is kept."""

    form: HelpForm = ObjectProperty(rebind=True)

    def __init__(self, form: HelpForm, **kwargs: object) -> None:
        super().__init__(form=form, **kwargs)
        form.bind(on_saved=self._saved)

    def _saved(self, form: HelpForm, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        told(shell, form, sentence)


def told(shell: Shell, form: Any, sentence: str) -> None:
    """Say what was kept, and let it be taken back."""
    shell.snack(sentence, form.undo_seconds, on_undo=partial(_undo, form, shell))


def _undo(form: Any, shell: Shell) -> None:
    if not form.undo():
        shell.snack(_("已经送出去了，撤不回来"))
