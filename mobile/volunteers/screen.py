"""服务时长: for the volunteer's own eyes."""

from collections.abc import Callable

from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.session import AppContext
from mobile.volunteers import own_screens
from mobile.volunteers.viewmodel import Bar, Hours, RecordLine
from mobile.widgets.composed import Composed, Parts, load
from mobile.widgets.frame import Header, SectionHead
from mobile.widgets.layout import Card, Col, Group, Row, Rule
from mobile.widgets.pictures import EmptyState
from mobile.widgets.text import Nat
from mobile.widgets.tokens import T
from shared.texts import _

TAGS = {"waiting": "due", "confirmed": "ok", "unverified": "grey"}


class MonthBar(Col):
    bar: Bar = ObjectProperty()


class TotalCard(Card):
    """Whole minutes both sides stand by, and how the last six months went."""

    vm: Hours = ObjectProperty(rebind=True)

    def on_kv_post(self, _base: object) -> None:
        for bar in self.vm.bars:
            self.ids.months.add_widget(MonthBar(bar=bar))


class RecordRow(Row):
    record: RecordLine = ObjectProperty()

    def tag_kind(self) -> str:
        return TAGS[self.record.state]


class HoursScreen(Composed):
    vm: Hours = ObjectProperty(rebind=True)

    def __init__(self, vm: Hours) -> None:
        super().__init__(vm=vm)
        self.follow(vm, ("hours", "minutes", "bars", "records", "count_text"))

    def on_pre_enter(self) -> None:
        self.vm.refresh()

    def compose(self) -> tuple[Parts, Parts, Parts]:
        return [Header(title=_("服务时长"))], [TotalCard(vm=self.vm), *self._records()], []

    def _records(self) -> Parts:
        if not self.vm.records:
            return [EmptyState(picture="home", title=self.vm.empty_title, text=self.vm.empty_text)]
        head, group = SectionHead(title=_("最近")), Group()
        count = Nat(text=self.vm.count_text, style="sub")
        count.color = T.ink2
        head.add_widget(count)
        for place, record in enumerate(self.vm.records):
            if place:
                group.add_widget(Rule())
            group.add_widget(RecordRow(record=record))
        return [head, group]


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    return {"hours": lambda: HoursScreen(ctx.session.hours), **own_screens.routes(ctx)}
