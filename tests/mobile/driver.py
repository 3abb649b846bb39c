"""Drives the real app in this process: a real window (SDL off-screen), real touches, Chinese typing, pictures.

Import this before anything of Kivy: the window's size and density are fixed when Kivy is first imported.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

ARTEFACTS = Path(__file__).parents[1] / "artefacts"
DENSITY = int(os.environ.get("GRIDHOOD_TEST_DENSITY", "2"))
WIDTH, HEIGHT = 390, 844
os.environ.update(
    KIVY_NO_ARGS="1",
    KIVY_IMAGE="sdl2",
    KIVY_NO_FILELOG="1",
    KIVY_LOG_MODE="PYTHON",
    KIVY_HOME=str(ARTEFACTS / "kivy-home"),
    KIVY_METRICS_DENSITY=str(DENSITY),
    KIVY_METRICS_FONTSCALE="1",
    SDL_VIDEODRIVER="offscreen",
)
(ARTEFACTS / "kivy-home").mkdir(parents=True, exist_ok=True)

from kivy.config import Config  # noqa: E402

for _key, _value in {"width": WIDTH * DENSITY, "height": HEIGHT * DENSITY, "multisamples": 0, "maxfps": 0}.items():
    Config.set("graphics", _key, str(_value))
# Real touch screens of the machine have no say here, and looking for them prints a traceback.
Config.remove_option("input", "%(name)s")

from kivy.app import App  # noqa: E402
from kivy.base import EventLoop  # noqa: E402
from kivy.clock import Clock  # noqa: E402
from kivy.input.motionevent import MotionEvent  # noqa: E402
from kivy.metrics import Metrics, dp  # noqa: E402
from kivy.uix.behaviors import ButtonBehavior  # noqa: E402
from kivy.uix.label import Label  # noqa: E402
from kivy.uix.screenmanager import ScreenManager  # noqa: E402
from kivy.uix.scrollview import ScrollView  # noqa: E402
from kivy.uix.textinput import TextInput  # noqa: E402
from kivy.uix.widget import Widget  # noqa: E402

from mobile import widgets  # noqa: E402
from mobile.widgets.tokens import T  # noqa: E402
from tests.mobile import sight  # noqa: E402

# Far more than any layout or 180 ms transition needs; a test that reaches it has found a loop.
MANY_FRAMES = 600


class Finger(MotionEvent):
    """A touch as the phone's screen would report it, in window pixels."""

    def __init__(self, x: float, y: float) -> None:
        window = EventLoop.window
        super().__init__("driver", "finger", {"x": x / window.width, "y": y / window.height})

    def depack(self, args: dict[str, float]) -> None:
        self.is_touch, self.type_id = True, "touch"
        self.sx, self.sy = args["x"], args["y"]
        self.profile = ["pos"]
        super().depack(args)


class Phone:
    """What a test holds in its hand. Coordinates are window pixels, y up, as Kivy's own."""

    def __init__(self, app: App, running: "asyncio.Task[None]") -> None:
        self._app, self._running = app, running
        self.taps = 0

    @property
    def root(self) -> Widget:
        return self._app.root

    # --- waiting: on frames, never on seconds
    async def frames(self, count: int = 1) -> None:
        goal = Clock.frames + count
        while Clock.frames < goal:
            if self._running.done():
                self._running.result()
                raise AssertionError("the app has stopped")
            await asyncio.sleep(0)

    async def until(self, condition: Callable[[], object], what: str = "what the test waits for") -> None:
        """For what leaves this process or thread, such as a reply; it is asked again every frame."""
        async with asyncio.timeout(20):
            while not condition():
                await self.frames()
        await self.settle()

    async def settle(self) -> None:
        """Until nothing moves any more."""
        before, same = "", 0
        for _ in range(MANY_FRAMES):
            await self.frames()
            now = "" if self._moving() else sight.fingerprint(self.root)
            same = same + 1 if now and now == before else 0
            if same == 3:
                return
            before = now
        raise AssertionError("the screen never came to rest")

    def _moving(self) -> bool:
        managers = (w for w in self.root.walk(restrict=True) if isinstance(w, ScreenManager))
        return any(manager.transition.is_active for manager in managers)

    # --- seeing
    def shows(self, text: str) -> bool:
        return any(True for _ in sight.matches(self.root, text))

    def texts(self) -> list[str]:
        """Every word on the screen, top to bottom, for a failing test's message."""
        return [sight.words(w) for w in sight.visible(self.root) if isinstance(w, Label) and w.text]

    def find(self, text: str = "", *, id: str = "", nth: int = 0) -> Widget:
        if id:
            found = [w.ids[id].__self__ for w in self.root.walk(restrict=True) if id in w.ids]
        else:
            found = list(sight.matches(self.root, text))
        if len(found) <= nth:
            raise AssertionError(f"{text or id} is not on the screen, which says: {self.texts()}")
        return found[nth]

    # --- touching
    async def tap(self, target: str | Widget = "", *, id: str = "", nth: int = 0) -> None:
        widget = target if isinstance(target, Widget) else self.find(target, id=id, nth=nth)
        x, y = sight.touch_point(widget)
        sight.assert_can_be_touched(widget, x, y)
        self.taps += 1
        await self.touch(x, y)

    async def touch(self, x: float, y: float) -> None:
        await self.drag(x, y, x, y)

    async def drag(self, x: float, y: float, to_x: float, to_y: float, steps: int = 6) -> None:
        finger = Finger(x, y)
        EventLoop.post_dispatch_input("begin", finger)
        await self.frames(2)
        for step in range(1, steps + 1) if (x, y) != (to_x, to_y) else ():
            finger.move({"x": (x + (to_x - x) * step / steps) / EventLoop.window.width,
                         "y": (y + (to_y - y) * step / steps) / EventLoop.window.height})  # fmt: skip
            EventLoop.post_dispatch_input("update", finger)
            await self.frames()
        EventLoop.post_dispatch_input("end", finger)
        await self.settle()

    async def scroll_to(self, target: str | Widget, *, nth: int = 0) -> None:
        """Bring a widget into sight by its ScrollView, as a thumb would; a long list makes what is below on the way."""
        while isinstance(target, str) and not self.shows(target) and self._page_down():
            await self.settle()
        widget = target if isinstance(target, Widget) else self.find(target, nth=nth)
        for owner in sight.ancestors(widget):
            if isinstance(owner, ScrollView):
                owner.scroll_to(widget, padding=dp(24), animate=False)
        await self.settle()

    def _page_down(self) -> bool:
        """False at the end of the page, or where nothing scrolls."""
        for scroll in (w for w in sight.visible(self.root) if isinstance(w, ScrollView)):
            hidden = scroll.children[0].height - scroll.height
            if hidden > 0 and scroll.scroll_y > 0:
                scroll.scroll_y = max(0, scroll.scroll_y - scroll.height / hidden)
                return True
        return False

    async def type(self, text: str, into: str = "") -> None:
        """Type as a Chinese keyboard does: a composition first, then the characters. `into`: an Input's label."""
        if into:
            await self.tap(self.find(into))
        window = EventLoop.window
        fields = [w for w in self.root.walk(restrict=True) if isinstance(w, TextInput)]
        assert any(field.focus for field in fields), "no text field has the focus"
        window.dispatch("on_textedit", text[:1])
        await self.frames()
        window.dispatch("on_textedit", "")
        window.dispatch("on_textinput", text)
        await self.settle()

    async def press_back(self) -> None:
        EventLoop.window.dispatch("on_keyboard", 27, 0, None, [])
        await self.settle()

    # --- judging
    def picture(self, name: str) -> Path:
        path = ARTEFACTS / f"{name}.png"
        path.unlink(missing_ok=True)
        self.root.export_to_png(str(path))
        assert path.stat().st_size > 0
        return path

    def assert_nothing_clipped(self, root: Widget | None = None) -> None:
        found = sight.faults(root or self.root)
        assert not found, "\n".join(found)

    def assert_readable(self, words_least: float = 4.5) -> None:
        """WCAG 2: words at 4.5 to 1 (7 for the high contrast), icons at 3 to 1."""
        found = sight.pale(self.root, words_least, icons_least=3)
        assert not found, "\n".join(found)

    def assert_touch_targets(self, root: Widget | None = None) -> None:
        small = [
            f"{type(w).__name__} {sight.words(w)!r} is {w.width / dp(1):.0f}x{w.height / dp(1):.0f} dp"
            for w in sight.visible(root or self.root)
            if isinstance(w, ButtonBehavior) and not w.disabled and (w.height < dp(47.5) or w.width < dp(47.5))
        ]
        assert not small, "\n".join(small)


def _forget_what_was_planned() -> None:
    """A list that was just touched plans what it does in a quarter of a second. Without its app that holds parts of
    a screen whose other parts are gone, and those cannot answer when letters change for the next app."""
    for event in Clock.get_events():
        if event.timeout > 0 and not event.loop:
            event.cancel()


class _TestApp(App):
    def __init__(self, factory: Callable[[], Widget]) -> None:
        super().__init__()
        self._factory = factory

    def build(self) -> Widget:
        return self._factory()


@asynccontextmanager
async def open_phone(factory: Callable[[], Widget], *, scale: float = 1.0, large: bool = False) -> AsyncIterator[Phone]:
    """Start an app around the factory's root widget. `scale` is the system's font scale, `large` is 大字版.

    Both work within one process because every size in the kit goes through T.sp, which follows Metrics.fontscale.
    """
    widgets.load()
    Metrics.fontscale, T.large = scale, large
    async with running(_TestApp(factory)) as phone:
        yield phone


@asynccontextmanager
async def running(app: App) -> AsyncIterator[Phone]:
    """The same for an app that brings its own build(), such as the real one.

    Garbage is collected once, when the app has ended, before letters go back to their usual size: several times an app
    cost half of a test's time, and rules of an ended app's widgets should not be asked for sizes any more.
    """
    gc.disable()
    task = asyncio.create_task(app.async_run(async_lib="asyncio"))
    phone = Phone(app, task)
    try:
        while app.root is None:
            await phone.frames()
        await phone.settle()
        yield phone
    finally:
        gc.enable()
        app.stop()
        await task
        _forget_what_was_planned()
        gc.collect()
        Metrics.fontscale, T.large, T.contrast = 1.0, False, False
