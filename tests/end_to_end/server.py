"""The real server as its own process, as `make run` starts it: killed, started again, asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

GRIDHOOD = [sys.executable, "-m", "backend.cli"]
STARTED_WITHIN_S = 120


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Server:
    """`gridhood serve` on a folder and a port that stay the same over its lives."""

    def __init__(self, folder: Path, *options: str, env: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._options, self._env = options, {**os.environ, **(env or {})}
        self.log = folder.parent / "serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start and wait for the ready line; return all that was printed until then."""
        command = [*GRIDHOOD, "serve", "--port", str(self.port), "--data", str(self.folder), *self._options]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self._env)
        deadline = time.monotonic() + STARTED_WITHIN_S
        while "Gridhood ready on" not in (said := self.log.read_text()):
            assert self._process.poll() is None, f"the server ended with {self._process.returncode}: {said[-2000:]}"
            assert time.monotonic() < deadline, said[-2000:]
            time.sleep(0.05)
        return said

    def kill(self) -> None:
        """As the kernel's out-of-memory killer does it: no goodbye to anybody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Ctrl-C; return the exit code."""
        if self._process is None or self._process.poll() is not None:
            return -1
        self._process.send_signal(with_signal)
        return self._process.wait(30)

    def accounts(self) -> dict[str, Any]:
        command = [*GRIDHOOD, "demo", "accounts", "--json", "--data", str(self.folder)]
        printed: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return printed

    def ask(self, path: str, key: str, body: object = None, **headers: str) -> Any:
        """One call of a partner system, with nothing but the standard library."""
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.address}{path}", data, {"X-API-Key": key, **headers})
        if data:
            asked.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return json.load(answer)
