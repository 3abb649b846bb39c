"""PouchDB in a process of its own: installed under `build/`, started, ordered about."""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.end_to_end.server import free_port

HERE = Path(__file__).parent
BUILT = HERE.parents[2] / "build" / "pouch"
INSTALL_SECONDS, START_SECONDS = 600, 30


class Missing(Exception):
    """Why nothing can be measured beside PouchDB; one sentence."""


def install() -> None:
    """Fetch the packages once. The folder is git's to ignore, and no lock file says where they came from."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise Missing(f"{program} is not installed: sync is not measured beside PouchDB.")
    if _is_there():
        return
    BUILT.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "package.json", BUILT / "package.json")
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=BUILT, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing("npm did not fetch PouchDB in time: sync is not measured beside it.") from None
    if done.returncode or not _is_there():
        raise Missing("npm could not fetch PouchDB: sync is not measured beside it.")


def _is_there() -> bool:
    return all((BUILT / "node_modules" / name / "package.json").exists() for name in ("pouchdb", "pouchdb-server"))


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Run pouchdb-server with its own defaults on a folder; yield its port."""
    folder.mkdir()
    port = free_port()
    program = BUILT / "node_modules" / "pouchdb-server" / "bin" / "pouchdb-server"
    command = ["node", str(program), "--port", str(port), "--dir", str(folder), "--no-stdout-logs"]
    with _running(command, folder) as process:
        _await_answer(process, port)
        yield port


@contextmanager
def client(folder: Path) -> Iterator["Pouch"]:
    folder.mkdir()
    with _running(["node", str(HERE / "replicate.js"), str(BUILT)], folder) as process:
        yield Pouch(process)


class Pouch:
    """The process with the replicating side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, what: str, **order: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, **order}) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise SystemExit(f"VOID, nothing was measured: PouchDB did not {what}")
        return json.loads(line)


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    with (folder / "stderr.log").open("w") as log, subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def _await_answer(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise Missing("pouchdb-server does not start with this version of node: sync is not measured beside it.")
