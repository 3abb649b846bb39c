"""The app's activity: system services, screens of other apps and their answers, work on Android's own thread.

Java answers on that thread. Whoever waits does so on the event loop, which runs on another one.
"""

import asyncio
from collections.abc import Callable
from functools import cached_property
from itertools import count
from typing import Any

from mobile.device.android.java import Java

ACTIVITY = "org.kivy.android.PythonActivity"
RESULT_OK = -1
FIRST_CODE = 4100
"""Away from the codes that Kivy and its recipes use."""


class Answers:
    """Numbered questions to Java, each with somebody waiting for the answer."""

    def __init__(self) -> None:
        self._codes = count(FIRST_CODE)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    def ask(self) -> tuple[int, "asyncio.Future[Any]"]:
        code, future = next(self._codes), asyncio.get_running_loop().create_future()
        self._waiting[code] = future
        return code, future

    def settle(self, code: int, answer: object) -> None:
        """From any thread. A code of somebody else is none of ours."""
        future = self._waiting.pop(code, None)
        if future is not None:
            settle(future, answer)


def settle(future: "asyncio.Future[Any]", answer: object) -> None:
    """Answer from any thread; whoever gave up waiting is left alone. An exception is raised where the answer is."""
    future.get_loop().call_soon_threadsafe(_set, future, answer)


def _set(future: "asyncio.Future[Any]", answer: object) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)


class Activity:
    def __init__(self, java: Java) -> None:
        self.java = java
        self._answers = Answers()
        self._running: set[Any] = set()

    @property
    def it(self) -> Any:
        """Asked for every time: the system may have made another one."""
        return self.java.cls(ACTIVITY).mActivity

    @cached_property
    def sdk(self) -> int:
        return int(self.java.cls("android.os.Build$VERSION").SDK_INT)

    @property
    def context(self) -> Any:
        return self.java.cast("android.content.Context", self.it)

    def service(self, name: str, class_name: str) -> Any:
        return self.java.cast(class_name, self.it.getSystemService(name))

    def allowed(self, permission: str) -> bool:
        return bool(self.it.checkCurrentPermission(permission))

    async def request(self, permissions: list[str]) -> None:
        """Show the system's question. The answer is read with `allowed`: an interrupted one comes back empty."""
        code, answered = self._answers.ask()
        self.it.addPermissionsCallback(self._permission_listener)
        self.it.requestPermissionsWithRequestCode(permissions, code)
        await answered

    async def result_of(self, intent: Any) -> bool:
        """Open another app's screen; returns whether it was finished and not left."""
        self._listen_for_results()
        code, answered = self._answers.ask()
        self.it.startActivityForResult(intent, code)
        return int(await answered) == RESULT_OK

    def on_ui(self, work: Callable[[], None]) -> None:
        """Run work on Android's thread, the only one that may touch its widgets."""
        run: Any = None

        def once() -> None:
            try:
                work()
            finally:
                self._running.discard(run)

        run = self.java.implement("java.lang.Runnable", {("run", "()V"): once})
        self._running.add(run)
        self.it.runOnUiThread(run)

    @cached_property
    def _permission_listener(self) -> Any:
        return self.java.implement(
            f"{ACTIVITY}$PermissionsCallback",
            {
                ("onRequestPermissionsResult", "(I[Ljava/lang/String;[I)V"): lambda code, *_: self._answers.settle(
                    code, None
                )
            },
        )

    @cached_property
    def _result_listener(self) -> Any:
        return self.java.implement(
            f"{ACTIVITY}$ActivityResultListener",
            {
                ("onActivityResult", "(IILandroid/content/Intent;)V"): lambda code, result, _intent: (
                    self._answers.settle(code, result)
                )
            },
        )

    def _listen_for_results(self) -> None:
        """The activity holds a list and would call a listener once for each time it was registered."""
        self.it.unregisterActivityResultListener(self._result_listener)
        self.it.registerActivityResultListener(self._result_listener)
