"""The real app in a process of its own, which says what it felt like in a line of JSON. Started by `tests.bench.phone`.

`start` ends at the first frame; `use` types, scrolls while sync runs, and looks at its memory; `bare` is a window of
Kivy with a word in it, whose memory is no app's.
"""

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VISITS, PHASES = 500, 6
"""Visits sent, and their rows read back, in each of the phases in which sync runs."""

BETWEEN_KEYS_S = 0.12
"""Eight keys a second: a fast hand."""

# The command line of httpx comes with rich and pygments, which are installed here for other reasons and on no phone.
sys.modules["httpx._main"] = None  # type: ignore[assignment]

PEOPLE, STEP_PX, LEAST_FRAMES = 8, 60, 60


def start(folder: Path, server: str, since: float) -> None:
    """Run the app as its command does, until something is to be seen. `since` is when it was started."""
    os.environ.update(SDL_VIDEODRIVER="offscreen", KIVY_METRICS_DENSITY="1", KIVY_HOME=str(folder / "kivy"))
    from kivy.app import App
    from kivy.base import EventLoop
    from kivy.clock import Clock

    from mobile.main import main

    def seen(*_: object) -> None:
        seconds = time.monotonic() - since
        EventLoop.window.unbind(on_flip=seen)
        app = App.get_running_app()
        told = {"seconds": seconds, "cpu": time.process_time(), "at": app.root.at, "due": app.ctx.session.today.left}
        print(json.dumps(told), flush=True)
        app.stop()

    # The first tick comes after everything is built and before anything is drawn.
    Clock.schedule_once(lambda _dt: EventLoop.window.bind(on_flip=seen))
    main(["--folder", str(folder), "--server", server])


def use(folder: Path, server: str) -> None:
    os.environ["GRIDHOOD_TEST_DENSITY"] = "1"
    # First of all: the app's modules open a window, and without this it would have Kivy's own size and smoothing.
    from tests.mobile.driver import running

    print(json.dumps(asyncio.run(_used(running, folder, server))), flush=True)


async def _used(running: Any, folder: Path, server: str) -> dict[str, Any]:
    from mobile.app import GridhoodApp
    from mobile.device import desktop

    gc.freeze()  # as `main` does
    app = GridhoodApp(folder, server, desktop.ports)
    async with running(app):
        hand = Hand(app)
        await hand.quiet()
        typed = await hand.types()
        scrolled = await hand.scrolls()
        memory = _memory_mib()
        await app.ctx.close()
    return {**typed, **scrolled, **memory}


def bare() -> None:
    os.environ.update(SDL_VIDEODRIVER="offscreen", KIVY_NO_ARGS="1", KIVY_NO_FILELOG="1", KIVY_METRICS_DENSITY="1")
    from kivy.config import Config

    for key, value in {"width": 390, "height": 844, "multisamples": 0}.items():
        Config.set("graphics", key, str(value))
    from kivy.app import App
    from kivy.clock import Clock
    from kivy.uix.label import Label

    class Bare(App):
        def build(self) -> Label:
            Clock.schedule_once(self._drawn, 1)
            return Label(text="Kivy")

        def _drawn(self, _dt: float) -> None:
            print(json.dumps(_memory_mib()), flush=True)
            self.stop()

    Bare().run()


class Hand:
    """What types and scrolls, and a clock that is read at every frame."""

    def __init__(self, app: Any) -> None:
        from kivy.base import EventLoop
        from kivy.graphics.opengl import glFinish

        self._finish = glFinish
        self._app, self._window = app, EventLoop.window
        self._session, self._shell = app.ctx.session, app.root
        self._chance = random.Random(5)
        self._shown, self._shown_at = asyncio.Event(), 0.0
        self._window.bind(on_flip=self._flipped)

    def _flipped(self, *_: object) -> None:
        # A screen takes one frame at a time. SDL's off-screen window takes none, and software GL piles them up by
        # megabytes: a frame is over when it is drawn.
        self._finish()
        self._shown_at = time.perf_counter()
        self._shown.set()

    async def quiet(self) -> None:
        """Until the sync that every start begins with is over."""
        async with asyncio.timeout(60):
            while self._session.chip.sending or not self._session.chip.first_pull_done:
                await self._frame()

    async def _frame(self) -> float:
        """Wait for the next frame; return when it was there."""
        self._shown.clear()
        self._window.canvas.ask_update()
        await self._shown.wait()
        return self._shown_at

    async def types(self) -> dict[str, Any]:
        """Milliseconds of each keystroke: until the view-model has its rows, and until a frame shows them."""
        started = time.perf_counter()
        screen = self._shell.push("find")
        opened = (await self._frame() - started) * 1000
        await asyncio.sleep(0.5)
        field, finder = screen.ids.words.ids.field, self._session.finder()
        model, shown, worked = [], [], []
        for words in self._typed():
            started = time.perf_counter()
            finder.words = words
            model.append((time.perf_counter() - started) * 1000)
            started, own = time.perf_counter(), time.thread_time()
            field.text = words
            shown.append((await self._frame() - started) * 1000)
            worked.append((time.thread_time() - own) * 1000)
            await asyncio.sleep(BETWEEN_KEYS_S)
        self._shell.pop()
        finder.in_sight = False  # as its screen does that was left
        return {"opened_ms": opened, "model_ms": model, "shown_ms": shown, "worked_ms": worked}

    def _typed(self) -> Iterator[str]:
        """Names, pinyin, initials and phone ends of people on this phone, key by key."""
        from mobile.residents.spelling import readings
        from shared.residents import ResidentOut

        entities = self._session.store.entities
        for key in self._chance.sample(sorted(entities.stamps(ResidentOut)), PEOPLE):
            person = entities.get(ResidentOut, key)
            syllables = [readings(letter)[0] for letter in person.name]
            ways = person.name, "".join(syllables), "".join(one[0] for one in syllables), (person.phone or "")[-4:]
            for whole in ways:
                yield from (whole[:end] for end in range(1, len(whole) + 1))

    async def scrolls(self) -> dict[str, Any]:
        """Milliseconds between frames of 今日 with all its rows, in turn without and with sync."""
        from kivy.uix.scrollview import ScrollView

        self._shell.tab("today")
        screen = self._shell.screen
        view = next(one for one in screen.walk() if isinstance(one, ScrollView))
        quiet: list[list[float]] = []
        syncing: list[list[float]] = []
        await self._scrolled(view, lambda: True, LEAST_FRAMES)
        for _ in range(PHASES):
            quiet.append(await self._scrolled(view, lambda: True, LEAST_FRAMES))
            self._write_down()
            begun = asyncio.Event()
            self._session.chip.fbind("sending", lambda *_, begun=begun: begun.set())
            self._session.syncer.wake()
            await begun.wait()
            syncing.append(await self._scrolled(view, lambda: not self._session.chip.sending, 1))
        return {"quiet_ms": quiet, "syncing_ms": syncing, "rows": len(self._session.today.rest) + 1}

    async def _scrolled(self, view: Any, over: Any, least: int) -> list[float]:
        """Scroll down and up again until it is over; return what each frame took."""
        far = STEP_PX / max(1, view.children[0].height - view.height)
        times, last = [], await self._frame()
        while not over() or len(times) < least:
            if not far <= view.scroll_y + far <= 1:
                far = -far
            view.scroll_y = min(1, max(0, view.scroll_y + far))
            now = await self._frame()
            times.append((now - last) * 1000)
            last = now
        return times

    def _write_down(self) -> None:
        """Visits to doors that are not due: the list itself stays as it is."""
        from mobile.visits.effects import effects
        from shared.residents import HouseholdOut
        from shared.sync import OperationKind
        from shared.types import uuid7
        from shared.visits import VisitIn, VisitOutcome

        entities = self._session.store.entities
        due = {str(door.household_id) for door in self._session.today.doors}
        for key in self._chance.sample(sorted(entities.stamps(HouseholdOut).keys() - due), VISITS):
            home, visit_id = entities.get(HouseholdOut, key), uuid7()
            visit = VisitIn(household_id=home.id, outcome=VisitOutcome.seen, visited_at=self._app.ctx.now())
            changed = effects(visit_id, visit, home, self._session.me)
            fields = visit.model_dump(mode="json")
            self._session.store.outbox.capture(OperationKind.visit_record, visit_id, fields, changed, title="走访")


def _memory_mib() -> dict[str, float]:
    lines = (line.split() for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    kib = {words[0]: int(words[1]) for words in lines}
    return {"rss_mib": kib["Rss:"] / 1024, "pss_mib": kib["Pss:"] / 1024}


if __name__ == "__main__":
    if sys.argv[1] == "start":
        start(Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
    elif sys.argv[1] == "bare":
        bare()
    else:
        use(Path(sys.argv[2]), sys.argv[3])
