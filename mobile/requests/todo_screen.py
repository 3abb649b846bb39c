"""待办事项, one of them, and 我报过的."""

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.requests.detail import RequestDetail
from mobile.requests.report_screen import told
from mobile.requests.todo import Reported, Todo
from mobile.widgets.fields import ListRow
from mobile.widgets.lists import Item, PressRow


class TodoRow(Item, PressRow):
    """A request that waits for somebody."""


class ReportedRow(Item, PressRow):
    """Something that I reported; it opens when it is still on this phone."""

    def on_release(self) -> None:
        if self.item.known:
            shell_of(self).push("request", request_id=self.item.id)


class StepRow(Item, ListRow):
    """A step that is not the usual one."""


class TodoScreen(Screen):
    vm: Todo = ObjectProperty(rebind=True)


class ReportedScreen(Screen):
    vm: Reported = ObjectProperty(rebind=True)


class RequestScreen(Screen):
    """Stays when a step was taken: what may follow it is offered at once."""

    vm: RequestDetail = ObjectProperty(rebind=True)

    def __init__(self, vm: RequestDetail, **kwargs: object) -> None:
        super().__init__(vm=vm, **kwargs)
        vm.bind(on_saved=lambda form, sentence: told(shell_of(self), form, sentence))

    def on_back(self) -> bool:
        return self.vm.let_be()
