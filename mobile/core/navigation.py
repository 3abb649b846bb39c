"""The shell every screen lives in: tabs by role, pushed screens above them, the back key, and the undo line."""

import logging
from collections.abc import Callable, Mapping, Sequence
from weakref import WeakMethod

from kivy.animation import Animation
from kivy.base import ExceptionHandler, ExceptionManager
from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.screenmanager import NoTransition, Screen, ScreenManager, SlideTransition
from kivy.uix.widget import Widget

from mobile.store.errors import StoreProblem
from mobile.widgets.frame import TabBar
from mobile.widgets.snackbar import Snackbar
from shared.texts import _

# route, word, icon
TabSpec = tuple[str, str, str]
WORKER_TABS: tuple[TabSpec, ...] = (
    ("today", _("今日"), "calendar-check"),
    ("grid", _("网格"), "map-trifold"),
    ("report", _("上报"), "megaphone"),
    ("me", _("我的"), "user"),
)
VOLUNTEER_TABS: tuple[TabSpec, ...] = (
    ("offers", _("邀请"), "hand-heart"),
    ("tasks", _("任务"), "list-checks"),
    ("hours", _("时长"), "clock"),
    ("me", _("我的"), "user"),
)
BACK_KEYS = (27, 1001)
Route = Callable[..., Screen]
log = logging.getLogger(__name__)


class OutCubicSlide(SlideTransition):
    """Kivy's slide eases by a square; the design asks for a cube."""

    def on_progress(self, progression: float) -> None:
        super().on_progress(1 - (1 - progression) ** 1.5)


class TellsOfTheStore(ExceptionHandler):
    """What could not be stored is said on the screen that it was written on, which stays as it is. Left to Kivy, a full
    phone would end the app with whatever stands there."""

    def __init__(self, say: Callable[[str], object]) -> None:
        # Held weakly: Kivy keeps its handlers for ever, and a screen that nobody can collect would follow the theme.
        self._say = WeakMethod(say)

    def handle_exception(self, inst: BaseException) -> int:
        say = self._say()
        if say is None or not isinstance(inst, StoreProblem):
            return int(ExceptionManager.RAISE)
        log.error("not stored", exc_info=inst)
        say(inst.sentence)
        return int(ExceptionManager.PASS)


class Shell(BoxLayout):
    """A route names a factory of screens. A tab's screen is built when first shown and then kept; a pushed one is
    built with the arguments of its push and dropped when it is popped."""

    def __init__(self, routes: Mapping[str, Route], *, animate: bool = True, **kwargs: object) -> None:
        super().__init__(orientation="vertical", **kwargs)
        self._routes, self._animate = routes, animate
        self._tabs: tuple[TabSpec, ...] = ()
        self._kept: dict[str, Screen] = {}
        self._stack: list[tuple[str, Screen]] = []
        self._made = 0
        self.manager = ScreenManager(transition=NoTransition())
        self.tab_bar = TabBar()
        self.tab_bar.fbind("on_tab", lambda _bar, route: self.tab(route))
        self.snackbar: Snackbar | None = None
        self._cover: Widget | None = None
        self.add_widget(self.manager)
        self.add_widget(self.tab_bar)
        Window.fbind("on_keyboard", self._key)
        self._teller = TellsOfTheStore(self.snack)
        ExceptionManager.add_handler(self._teller)

    @property
    def at(self) -> str:
        """The route on top; '' before anything was shown."""
        return self._stack[-1][0] if self._stack else ""

    @property
    def screen(self) -> Screen:
        return self._stack[-1][1]

    def use_tabs(self, tabs: Sequence[TabSpec]) -> None:
        """Another person signed in or out: forget every screen, and show the first tab if there is one."""
        if self.snackbar:
            self.snackbar.dismiss()
        self.uncover()
        self.remove_widget(self.manager)
        self.manager = ScreenManager(transition=NoTransition())
        self.add_widget(self.manager, index=len(self.children))
        self._kept.clear()
        self._stack.clear()
        self._tabs = tuple(tabs)
        self.tab_bar.badges = {}
        if self._tabs:
            self.tab(self._tabs[0][0])
        else:
            self._show_tab_bar()

    def tab(self, route: str) -> None:
        """Show a tab's screen; whatever was pushed above is dropped."""
        dropped = [screen for name, screen in self._stack if name not in self._kept]
        if route not in self._kept:
            self._kept[route] = self._build(route)
        self._stack = [(route, self._kept[route])]
        self._show(NoTransition())
        self._drop(dropped)

    def push(self, route: str, **arguments: object) -> Screen:
        screen = self._build(route, **arguments)
        first = not self._stack
        self._stack.append((route, screen))
        self._show(NoTransition() if first else self._slide("left"))
        return screen

    def pop(self) -> bool:
        """Leave the pushed screen; False when there is none."""
        if len(self._stack) < 2:
            return False
        _, gone = self._stack.pop()
        transition = self._slide("right")
        transition.fbind("on_complete", lambda *_: self._drop([gone]))
        self._show(transition)
        return True

    def back(self) -> bool:
        """What the back key does. A screen with an unsaved form has `on_back() -> bool`, True when it wants to stay."""
        if self._cover is not None:
            return True  # nothing behind the cover moves
        stays = getattr(self.screen, "on_back", None) if self._stack else None
        return bool(stays and stays()) or self.pop()

    def cover(self, widget: Widget) -> None:
        """Put something in front of all screens: nothing of them can be seen, touched or left until `uncover`."""
        self.uncover()
        if self.snackbar:
            self.snackbar.dismiss()
        self._cover = widget
        for part in (self.manager, self.tab_bar):
            self.remove_widget(part)
        self.add_widget(widget)

    def uncover(self) -> None:
        if self._cover is not None:
            self.remove_widget(self._cover)
            self._cover = None
            self.add_widget(self.manager)
            self.add_widget(self.tab_bar)

    def badge(self, route: str, count: int) -> None:
        """How much waits behind a tab."""
        self.tab_bar.badges = {**self.tab_bar.badges, route: count}

    def snack(
        self,
        text: str,
        seconds: int = 10,
        on_undo: Callable[[], object] | None = None,
        on_end: Callable[[], object] | None = None,
    ) -> Snackbar:
        """Say what was done above the tab bar. Exactly one of on_undo and on_end is called, once."""
        if self.snackbar:
            self.snackbar.dismiss()
        bar = Snackbar(text, seconds, on_undo, on_end)
        bar.fbind("on_close", self._remove_snackbar)
        self.snackbar = bar
        self.add_widget(bar, index=1)
        if self._animate:
            bar.opacity = 0
            Animation(opacity=1, duration=0.15).start(bar)
        return bar

    def close(self) -> None:
        """Let go of the window, which outlives the app in tests."""
        if self.snackbar:
            self.snackbar.dismiss()
        Window.funbind("on_keyboard", self._key)
        ExceptionManager.remove_handler(self._teller)

    def _build(self, route: str, **arguments: object) -> Screen:
        screen = self._routes[route](**arguments)
        self._made += 1
        screen.name = f"{route}-{self._made}"
        return screen

    def _slide(self, direction: str) -> SlideTransition | NoTransition:
        return OutCubicSlide(direction=direction, duration=0.18) if self._animate else NoTransition()

    def _show(self, transition: SlideTransition | NoTransition) -> None:
        screen = self.screen
        # A screen on its way out is finished at once, or a quick second tap meets a manager that is still moving.
        self.manager.transition.stop()
        self.manager.transition = transition
        if screen.manager is None:
            self.manager.add_widget(screen)
        self.manager.current = screen.name
        if isinstance(transition, NoTransition):
            # Even "no transition" would keep both screens until the next frame.
            transition.stop()
        self._show_tab_bar()

    def _drop(self, screens: Sequence[Screen]) -> None:
        for screen in screens:
            if screen.manager is self.manager and screen is not self.manager.current_screen:
                self.manager.remove_widget(screen)
        if not self.manager.transition.is_active:
            # The last one would hold the screen that it took away.
            self.manager.transition = NoTransition()

    def _show_tab_bar(self) -> None:
        """Pushed screens use the whole height: their own bar stands where the tabs were."""
        on_tab = len(self._stack) == 1 and self.at in {tab[0] for tab in self._tabs}
        self.tab_bar.tabs = self._tabs if on_tab else ()
        self.tab_bar.current = self.at if on_tab else ""

    def _remove_snackbar(self, bar: Snackbar) -> None:
        self.remove_widget(bar)
        self.snackbar = None

    def _key(self, _window: object, key: int, *_: object) -> bool:
        return key in BACK_KEYS and self.back()


def shell_of(widget: Widget) -> Shell:
    """The shell a widget stands in, so that a screen can push without being told where it is."""
    owner = widget.parent
    while not isinstance(owner, Shell):
        if owner is None or owner is owner.parent:
            raise LookupError("this widget is not in a shell")
        owner = owner.parent
    return owner
