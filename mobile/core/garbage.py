"""When garbage is looked for. A look through everything takes as long as several frames, and left to Python it comes in
the middle of a keystroke: it waits until nothing moves on the screen."""

import gc

from kivy.clock import Clock
from kivy.core.window import Window

STILL_SECONDS = 2
"""A cursor blinks twice a second: while somebody writes, the screen does not stand still."""

WORTH_A_LOOK = 3
"""Looks at what is new since the last whole one; each stands for some 7,000 objects more than before."""

NO_LONGER = 100
"""As many of them, and it is looked through at once, whatever moves."""


class Sweeper:
    """From `start` until `stop`. What is new is looked through as ever; that takes no time anybody sees."""

    def __init__(self) -> None:
        self._still = 0
        self._every_second = Clock.create_trigger(self.second, 1, interval=True)

    def start(self) -> None:
        gc.set_threshold(*gc.get_threshold()[:2], NO_LONGER)
        gc.enable()
        Window.bind(on_flip=self._moved)
        self._every_second()

    def stop(self) -> None:
        Window.unbind(on_flip=self._moved)
        self._every_second.cancel()

    def _moved(self, *_: object) -> None:
        self._still = 0

    def second(self, *_: object) -> None:
        """Called by the clock."""
        self._still += 1
        if self._still > STILL_SECONDS and gc.get_count()[2] >= WORTH_A_LOOK:
            gc.collect()
