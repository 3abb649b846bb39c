"""The screens of reporting and of what waits: 上报事件, 改位置, 帮他求助, 待办事项, 我报过的."""

from collections.abc import Callable
from uuid import UUID

from kivy.uix.screenmanager import Screen

from mobile.attachments import strip
from mobile.core.session import AppContext
from mobile.requests import report_screen, todo_screen
from mobile.requests.report_screen import HelpScreen, PlaceScreen, ReportScreen
from mobile.requests.todo_screen import ReportedScreen, RequestScreen, TodoScreen
from mobile.residents import screen as residents
from mobile.widgets.composed import load

# Rules apply in the order they are read: what other rooms' widgets say comes first.
SHOWN = (strip, residents, report_screen, todo_screen)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    for module in SHOWN:
        load(module.__file__)

    def help_form(household_id: UUID) -> Screen:
        return HelpScreen(ctx.session.help_form(household_id))

    def request(request_id: UUID) -> Screen:
        return RequestScreen(ctx.session.request(request_id))

    return {
        "report": lambda: ReportScreen(ctx),
        "place": lambda: PlaceScreen(place=ctx.session.report.place),
        "help": help_form,
        "todo": lambda: TodoScreen(vm=ctx.session.todo),
        "reported": lambda: ReportedScreen(vm=ctx.session.reported),
        "request": request,
    }
