"""The screens about people and doors: 找人, 住户详情, 人员变动, 登记, 待核对."""

from collections.abc import Callable
from uuid import UUID

from kivy.uix.screenmanager import Screen

from mobile.conflicts import cards as conflict_cards
from mobile.core.session import AppContext
from mobile.residents import (
    check_screen,
    doubt_card,
    event_screen,
    find_screen,
    form_screens,
    link_screen,
    person_screen,
    pick_screen,
    screen,
)
from mobile.residents.check_screen import CheckScreen
from mobile.residents.event_screen import EventScreen
from mobile.residents.find_screen import FindScreen, Pick
from mobile.residents.form_screens import HouseholdFormScreen, PersonFormScreen
from mobile.residents.link_screen import LinkScreen
from mobile.residents.person_screen import PersonScreen
from mobile.residents.pick_screen import PickScreen
from mobile.widgets.composed import load

# Rules apply in the order they are read: rows that several screens share come first.
SHOWN = (
    screen,
    find_screen,
    pick_screen,
    event_screen,
    form_screens,
    link_screen,
    person_screen,
    doubt_card,
    conflict_cards,
    check_screen,
)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    for module in SHOWN:
        load(module.__file__)

    def find(pick: Pick | None = None) -> Screen:
        return FindScreen(ctx.session.finder(doors_only=pick is not None), pick)

    def event(
        household_id: UUID | None = None, resident_id: UUID | None = None, correction_id: UUID | None = None
    ) -> Screen:
        return EventScreen(ctx.session.event_form(household_id, resident_id, correction_id))

    def person(resident_id: UUID) -> Screen:
        return PersonScreen(vm=ctx.session.person(resident_id))

    def person_form(household_id: UUID, resident_id: UUID | None = None, correction_id: UUID | None = None) -> Screen:
        return PersonFormScreen(ctx.session.person_form(household_id, resident_id, correction_id))

    def link_form(resident_id: UUID, link_id: UUID | None = None) -> Screen:
        return LinkScreen(ctx.session.link_form(resident_id, link_id))

    return {
        **screen.routes(ctx),
        "find": find,
        "pick": PickScreen,
        "event": event,
        "person": person,
        "person_form": person_form,
        "link_form": link_form,
        "household_form": lambda pick=None: HouseholdFormScreen(ctx.session.household_form(), pick),
        "check": lambda: CheckScreen(vm=ctx.session.checks),
    }
