"""The screens of a worker's round: 今日走访, 记走访, 今日小结."""

from collections.abc import Callable
from uuid import UUID

from kivy.uix.screenmanager import Screen

from mobile.attachments import strip
from mobile.core.session import AppContext
from mobile.residents import find_screen
from mobile.residents import screen as residents
from mobile.sync import screen as sync
from mobile.visits import summary_screen, today_screen, visit_screen
from mobile.visits.summary_screen import SummaryScreen
from mobile.visits.today_screen import TodayScreen
from mobile.visits.visit_screen import VisitScreen
from mobile.widgets.composed import load

# Rules apply in the order they are read: what other rooms' widgets say comes first.
SHOWN = (strip, residents, find_screen, sync, today_screen, visit_screen, summary_screen)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    for module in SHOWN:
        load(module.__file__)

    def visit(household_id: UUID) -> Screen:
        return VisitScreen(ctx.session.visit_form(household_id))

    return {
        "today": lambda: TodayScreen(ctx),
        "visit": visit,
        "summary": lambda: SummaryScreen(vm=ctx.session.summary),
    }
