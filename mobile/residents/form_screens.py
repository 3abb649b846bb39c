"""登记一户, 登记一人, 改资料."""

from typing import Any
from uuid import UUID

from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.residents import choices
from mobile.residents.choices import MORE
from mobile.residents.find_screen import Pick
from mobile.residents.household_form import HouseholdForm
from mobile.residents.person_form import PersonForm
from mobile.widgets.layout import Col
from mobile.widgets.lists import Item
from shared.texts import _


class HouseholdFormScreen(Screen):
    """Leads on to the household that was registered, or hands it back to whoever asked for one."""

    form: HouseholdForm = ObjectProperty(rebind=True)

    def __init__(self, form: HouseholdForm, pick: Pick | None = None, **kwargs: object) -> None:
        self._pick = pick
        super().__init__(form=form, **kwargs)
        form.bind(on_saved=self._saved)

    def _saved(self, _form: HouseholdForm, household_id: UUID, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        if self._pick is not None:
            self._pick(household_id)
        else:
            shell.push("household", household_id=household_id)
        shell.snack(sentence)


class CodedRow(Item, Col):
    """One coded field with its common answers."""


class PersonFormScreen(Screen):
    """Leaves once the person is kept."""

    form: PersonForm = ObjectProperty(rebind=True)
    more = BooleanProperty(False)
    coded_fields = tuple(choices.CODED)

    def __init__(self, form: PersonForm, **kwargs: object) -> None:
        super().__init__(form=form, more=bool(form.registered_place) or any(form.codes.values()), **kwargs)
        form.bind(on_saved=self._saved)

    def choose_relation(self, value: str) -> None:
        if value == MORE[0]:
            self._pick(_("是户主的什么人？"), choices.all_relations(), self.form.relation, self.form.choose_relation)
        else:
            self.form.choose_relation(value)

    def choose_code(self, field: str, value: str) -> None:
        if value == MORE[0]:
            chosen = self.form.codes.get(field, "")
            self._pick(choices.CODED[field][0], choices.all_coded(field), chosen, _put(self.form, field))
        else:
            self.form.choose_code(field, value)

    def _pick(self, title: str, options: list[choices.Option], chosen: str, pick: Any) -> None:
        shell_of(self).push("pick", title=title, options=options, chosen=chosen, pick=pick)

    def _saved(self, _form: PersonForm, _resident_id: UUID, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        if sentence:
            shell.snack(sentence)


def _put(form: PersonForm, field: str) -> Any:
    def put(value: str) -> None:
        form.codes = {**form.codes, field: value}

    return put
