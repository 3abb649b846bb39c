"""The phone app's entry point: what has to be settled before Kivy is imported, because it opens a window then."""

import argparse
import asyncio
import gc
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mobile.device.ports import Ports
from shared.texts import _

WIDTH, HEIGHT = 390, 844
# Parts of a Linux desktop that Kivy looks for and that this app does not use; their tracebacks would frighten people.
MISSED_BY_NOBODY = ("Input: MTDev", "Cutbuffer")


def main(arguments: list[str] | None = None) -> None:
    """gridhood-phone [--folder DIR] [--server URL] [--place LON,LAT]"""
    given = _parser().parse_args(arguments)
    # Looking for garbage while everything is being made takes a sixth of the start and finds none. `Sweeper` turns it
    # on again.
    gc.disable()
    _configure_kivy()
    make_ports = _android() if _on_android() else _desktop(given.place)
    from mobile.app import GridhoodApp, run
    from mobile.core.settings import DEFAULT_SERVER

    # What was imported is never garbage. Screens are not frozen: half of one that nobody can collect would still follow
    # the theme, and fail at it.
    gc.freeze()
    # Ctrl-C in the terminal closes the window like any other way to end it.
    with suppress(KeyboardInterrupt):
        asyncio.run(run(GridhoodApp(given.folder, given.server or DEFAULT_SERVER, make_ports)))


def _on_android() -> bool:
    from kivy.utils import platform

    return bool(platform == "android")


def _android() -> Callable[[Path], Ports]:
    from mobile.device import android

    return android.ports


def _desktop(place: str) -> Callable[[Path], Ports]:
    """A desktop makes its fonts when they are missing. The phone's package brings them, and leaves this room out."""
    from mobile.core import fonts
    from mobile.device import desktop

    fonts.build()
    return lambda folder: desktop.ports(folder, place)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gridhood-phone", description=_("邻格: the phone app, in a window"))
    parser.add_argument("--folder", type=Path, help="where this phone's data lies; two folders are two phones")
    parser.add_argument("--server", help="address of the server for a phone that has none yet")
    parser.add_argument("--place", default="", help="LON,LAT (WGS-84) where this desktop stands")
    return parser


def _configure_kivy() -> None:
    """Kivy would otherwise read our arguments, open a landscape window and look for touch pads."""
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    # Left to itself Kivy keeps all its readers of pictures in memory.
    os.environ.setdefault("KIVY_IMAGE", "sdl2")
    from kivy.config import Config
    from kivy.logger import Logger

    Logger.addFilter(lambda record: not record.getMessage().startswith(MISSED_BY_NOBODY))
    for key, value in {"width": WIDTH, "height": HEIGHT, "multisamples": 0}.items():
        Config.set("graphics", key, str(value))
    # The right button would paint red dots, and the probing of touch devices prints a traceback.
    Config.set("input", "mouse", "mouse,disable_multitouch")
    Config.remove_option("input", "%(name)s")


if __name__ == "__main__":
    main()
