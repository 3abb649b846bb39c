"""When the app looks for garbage: never while something moves on the screen."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from kivy.core.window import Window

from mobile.core.garbage import NO_LONGER, STILL_SECONDS, WORTH_A_LOOK, Sweeper

pytestmark = pytest.mark.display


class Screen:
    """Only a whole look finds it once nobody holds it: it holds itself, and is no longer new."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def sweeper() -> Iterator[Sweeper]:
    usual = gc.get_threshold()
    sweeper = Sweeper()
    sweeper.start()
    yield sweeper
    sweeper.stop()
    gc.set_threshold(*usual)


def left_screen() -> "weakref.ref[Screen]":
    screen = Screen()
    gc.collect()
    return weakref.ref(screen)


def much_was_made() -> None:
    for _ in range(WORTH_A_LOOK):
        gc.collect(1)


def test_what_was_left_is_gone_when_the_screen_has_stood_still(sweeper: Sweeper) -> None:
    left = left_screen()
    much_was_made()

    for _ in range(STILL_SECONDS + 1):
        sweeper.second()

    assert left() is None


def test_nobody_who_types_waits_for_a_look_through_everything(sweeper: Sweeper) -> None:
    left = left_screen()
    much_was_made()

    for _ in range(3 * STILL_SECONDS):
        Window.dispatch("on_flip")
        sweeper.second()

    assert left() is not None
    assert gc.get_threshold()[2] == NO_LONGER


def test_a_screen_that_stands_still_for_long_is_not_looked_through_again_and_again(sweeper: Sweeper) -> None:
    gc.collect()
    looks = gc.get_stats()[2]["collections"]

    for _ in range(10 * STILL_SECONDS):
        sweeper.second()

    assert gc.get_stats()[2]["collections"] == looks
