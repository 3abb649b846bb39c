"""The phone processes as the driver sees them: started, told, killed."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

from tests.end_to_end.chaos.wire import Task


class PhonesFailed(Exception):
    """A phone process ended by itself."""


class Holder:
    """One process with some phones, over its lives."""

    def __init__(self, task: Task) -> None:
        self._task, self._folder = task, Path(task.folder)
        self._process: asyncio.subprocess.Process | None = None
        self._log = self._folder / f"phones-{task.phones[0].number}.log"

    async def start(self) -> None:
        quiet = {"KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.end_to_end.chaos.phones", stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=log,
                env={**os.environ, **quiet, "KIVY_HOME": str(self._folder / "kivy")},
            )  # fmt: skip
        self._tell(self._task.encode())
        self._task = replace(self._task, life=self._task.life + 1)

    async def kill(self) -> None:
        """As a phone's system does it to an app: no goodbye."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    def lives(self) -> bool:
        """Whether it does; one that has ended by itself ends the run."""
        if self._process is None or self._process.returncode is not None:
            raise PhonesFailed(self._log.read_text()[-3000:])
        return True

    def allow(self, quota: int) -> None:
        """Let each phone write up to this many operations in all."""
        self._task = replace(self._task, quota=quota)
        self._tell(str(quota))

    async def finish(self) -> None:
        """Nothing more is written; wait until nothing waits."""
        self._tell("finish")
        await self._says("finished")

    async def settle(self) -> None:
        """Read what there is to read, and end."""
        self._tell("settle")
        await self._says("settled")
        assert self._process is not None
        await self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def _says(self, word: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while (line := await self._process.stdout.readline()).strip() != word.encode():
            if not line:
                raise PhonesFailed(self._log.read_text()[-3000:])
