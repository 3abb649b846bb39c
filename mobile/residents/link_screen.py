"""Who stands by a person: the rows of their page, and the form for one more."""

from functools import partial

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import Shell, shell_of
from mobile.residents.link_form import LinkForm
from mobile.residents.past import PastLine
from mobile.residents.person import PersonDetail
from mobile.widgets.layout import Col, Row
from mobile.widgets.lists import Item
from shared.texts import _


class LinkRow(Item, Col):
    """A contact, a guardian or a helper: their number is a button, and so is 结束."""

    def end(self) -> None:
        vm: PersonDetail = self.vm
        if sentence := vm.end_link(self.item.id):
            shell = shell_of(self)
            shell.snack(sentence, vm.undo_seconds, on_undo=partial(_undo, vm, shell))


class PastRow(Item, Row):
    """What held for a time."""

    item: PastLine = ObjectProperty(rebind=True)


class LinkScreen(Screen):
    """Leaves once they are written down."""

    form: LinkForm = ObjectProperty(rebind=True)

    def __init__(self, form: LinkForm, **kwargs: object) -> None:
        super().__init__(form=form, **kwargs)
        form.bind(on_saved=self._saved)

    def _saved(self, _form: LinkForm, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        if sentence:
            shell.snack(sentence)


def _undo(vm: PersonDetail, shell: Shell) -> None:
    if not vm.undo_end():
        shell.snack(_("已经送出去了，撤不回来"))
