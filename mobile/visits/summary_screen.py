"""今日小结: the day in figures, and its ledger to hand on."""

from typing import Any

from kivy.properties import ColorProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.visits.summary import LedgerLine
from mobile.widgets.fields import ListRow
from mobile.widgets.fitting import Flow
from mobile.widgets.layout import Row
from mobile.widgets.lists import Item
from shared.texts import _

MESSAGE_SECONDS = 6
HEADINGS = LedgerLine(_("时间"), _("户"), _("方式"), _("情况"))


class NotableRow(Item, ListRow):
    """A household with something found."""


class LedgerCell(Row):
    """A word that keeps its column's width free."""

    text = StringProperty("")
    column = NumericProperty(0)
    color = ColorProperty((0, 0, 0, 1))


class LedgerRow(Item, Flow):
    """A line of the sheet: columns, until large letters need more than one line."""


class SummaryScreen(Screen):
    """Shows the signed-in worker's day."""

    vm = ObjectProperty(rebind=True)

    def on_pre_enter(self, *_: Any) -> None:
        self.vm.refresh()

    def copy(self) -> None:
        self.vm.copy_text()
        self._say()

    def export(self) -> None:
        self.vm.export()
        self._say()

    def _say(self) -> None:
        shell_of(self).snack(self.vm.message, MESSAGE_SECONDS)
