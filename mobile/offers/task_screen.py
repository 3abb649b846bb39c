"""我的任务: the next step has the button, and nothing else has."""

from collections.abc import Callable

from kivy.clock import Clock
from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.offers import forgotten_ask
from mobile.offers.forgotten import Forgotten
from mobile.offers.forgotten_ask import ForgottenAsk, asks_with
from mobile.offers.task import TaskBoard
from mobile.sync.screen import SyncLink  # noqa: F401  (named in task_screen.kv)
from mobile.sync.status import SyncStatus
from mobile.widgets.composed import Ask, Asking, Parts, load
from mobile.widgets.frame import Header
from mobile.widgets.layout import Col, Gap, Sheet
from mobile.widgets.pictures import EmptyState
from mobile.widgets.pieces import WhyBox
from mobile.widgets.press import Btn
from shared.texts import _

SECONDS_BETWEEN_TICKS = 20


class TaskHeader(Header):
    vm = ObjectProperty(rebind=True)


class NoTaskHeader(Header):
    status = ObjectProperty(rebind=True)


class TaskView(Col):
    """What was promised, the three steps, and whom to find where."""

    vm = ObjectProperty(rebind=True)
    screen = ObjectProperty()


class WaitingTask(WhyBox):
    """Said yes; the door has not come to this phone yet."""

    vm = ObjectProperty(rebind=True)


class NoTask(EmptyState):
    vm = ObjectProperty(rebind=True)


class StepBar(Sheet):
    screen = ObjectProperty()
    vm = ObjectProperty(rebind=True)


class HandBackAsk(Ask):
    """Giving a task back is allowed, and asked twice, because a neighbour waits."""

    screen = ObjectProperty()


class EarlyAsk(Ask):
    """Somebody who has just said yes for another day looks at the same large button."""

    screen = ObjectProperty(rebind=True)


class TaskScreen(Asking):
    vm: TaskBoard = ObjectProperty(rebind=True)
    status: SyncStatus = ObjectProperty(rebind=True)

    def __init__(self, vm: TaskBoard, status: SyncStatus, forgotten: Forgotten) -> None:
        self._forgotten = forgotten
        self._question: type[Ask] = HandBackAsk
        super().__init__(vm=vm, status=status)
        self.follow(vm, ("has_task", "tasks", "waiting", "shown"))
        self.follow(forgotten, ("task_id",))
        asks_with(self, forgotten)
        self._clock = Clock.schedule_interval(self.on_tick, SECONDS_BETWEEN_TICKS)
        self._clock.cancel()

    def on_pre_enter(self) -> None:
        self.vm.refresh()
        self._forgotten.refresh()
        self._clock()

    def on_leave(self) -> None:
        self._clock.cancel()

    def act(self) -> None:
        if self.vm.is_early():
            self._question, self.asking = EarlyAsk, True
        else:
            self._act()

    def check_in(self) -> None:
        self.asking = False
        self._act()

    def ask_back(self) -> None:
        self._question, self.asking = HandBackAsk, True

    def _act(self) -> None:
        word = self.vm.action_text
        self.vm.act()
        shell_of(self).snack(_("已{word}").format(word=word), 4)

    def find_way(self) -> None:
        if not self.vm.find_way():
            shell_of(self).snack(_("手机里没有地图应用。"), 4)

    def hand_back(self) -> None:
        self.asking = False
        self.vm.hand_back()
        shell_of(self).snack(_("知道了，社区会再找别人。"), 4)

    def head(self) -> Header:
        return TaskHeader(vm=self.vm) if self.vm.has_task else NoTaskHeader(status=self.status)

    def body(self) -> Parts:
        waiting = [WaitingTask(vm=self.vm), Gap()] if self.vm.waiting else []
        if not self.vm.has_task:
            return waiting or [NoTask(vm=self.vm)]
        more = Btn(
            kind="plain",
            text=_("还有 {count} 件，看下一件").format(count=int(self.vm.tasks) - 1),
            on_release=self._next,
        )
        onward = [Gap(), more] if self.vm.tasks > 1 else []
        return [*waiting, TaskView(vm=self.vm, screen=self), *onward]

    def bar(self) -> Sheet | None:
        """签退 now would count the night as well."""
        if self._forgotten.open and self._forgotten.task_id == self.vm.shown:
            return ForgottenAsk(vm=self._forgotten)
        return StepBar(screen=self, vm=self.vm) if self.vm.has_task else None

    def question(self) -> Ask | None:
        return self._question(screen=self) if self.vm.has_task else None

    def _next(self, *_: object) -> None:
        self.vm.next_task()

    def on_tick(self, *_: object) -> None:
        """Minutes pass while the screen stays open."""
        self.vm.tick()


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)
    load(forgotten_ask.__file__)
    return {"tasks": lambda: TaskScreen(ctx.session.task, ctx.session.chip, ctx.session.forgotten)}
