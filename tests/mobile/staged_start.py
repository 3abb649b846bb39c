"""Run by test_android_adapters in a process of its own: the staged app up to its first screen, with Android's ports.

The folder given holds compiled files only, as in the package. Java, which is not there, is not asked for at the start
but by the key store and the edges: these two are stood in for.
"""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

staged, data = map(Path, sys.argv[1:])
# The project itself, installed in this environment, must not help out.
sys.path.insert(0, str(staged))
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
os.environ.update(
    KIVY_NO_ARGS="1", KIVY_NO_CONSOLELOG="1", KIVY_NO_FILELOG="1", KIVY_HOME=str(data / "kivy"),
    SDL_VIDEODRIVER="offscreen",
)  # fmt: skip
(data / "kivy").mkdir()

from mobile import main  # noqa: E402

main._configure_kivy()

from mobile.app import GridhoodApp, run  # noqa: E402
from mobile.device import android  # noqa: E402
from mobile.device.ports import Ports  # noqa: E402
from mobile.widgets.fields import TYPING  # noqa: E402
from mobile.widgets.tokens import T  # noqa: E402


class Key:
    def key(self) -> bytes:
        return bytes(32)


class Bars:
    def read(self, tell: Any) -> None:
        tell(30, 20)


class Curtain:
    drawn = False

    def hide(self) -> None:
        self.drawn = True


curtain = Curtain()


def make_ports(folder: Path) -> Ports:
    made = android.ports(folder, object())  # type: ignore[arg-type]
    return replace(made, keystore=Key(), edges=Bars(), privacy=curtain)


async def start() -> dict[str, object]:
    app = GridhoodApp(data / "app", "http://127.0.0.1:1", make_ports)
    started = asyncio.Event()
    T.fbind("inset_bottom", lambda *_: started.set())
    running = asyncio.ensure_future(run(app))
    await started.wait()
    shown = {"route": app.root.at, "insets": [T.inset_top, T.inset_bottom], "dialog": TYPING.dialog is not None}
    shown["hidden"] = curtain.drawn
    app.stop()
    await running
    return shown


shown = asyncio.run(asyncio.wait_for(start(), 60))
ours = [module for name, module in sys.modules.items() if name.partition(".")[0] in ("mobile", "shared")]
shown["from"] = sorted({Path(str(m.__file__)).suffix for m in ours if str(m.__file__).startswith(str(staged))})
shown["elsewhere"] = [m.__name__ for m in ours if not str(m.__file__).startswith(str(staged))]
print(json.dumps(shown))  # noqa: T201
