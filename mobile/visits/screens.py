"""The screens of a worker's round: 今日走访, 记走访, 今日小结."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import UUID

from kivy.lang import Builder
from kivy.uix.screenmanager import Screen

from mobile.core.session import AppContext
from mobile.residents import screen as residents
from mobile.visits.summary_screen import SummaryScreen
from mobile.visits.today_screen import TodayScreen
from mobile.visits.visit_screen import VisitScreen

_HERE = Path(__file__).parent


@cache
def _load() -> None:
    residents.load()
    for name in ("today_screen.kv", "visit_screen.kv", "summary_screen.kv"):
        Builder.load_file(str(_HERE / name))


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    _load()

    def visit(household_id: UUID) -> Screen:
        return VisitScreen(ctx.session.visit_form(household_id))

    return {
        "today": lambda: TodayScreen(ctx),
        "visit": visit,
        "summary": lambda: SummaryScreen(vm=ctx.session.summary),
    }
