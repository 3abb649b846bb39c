"""The server process of one data folder: is it alive, is it ready, start it, stop it, clear up after a kill -9."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from backend.core.postgres.failure import PostgresFailed
from backend.core.postgres.programs import Account, clean_environment

RECOVERY_SECONDS = 120
STOP_SECONDS = 60
PORT = 5432  # only names the socket file: there is no network listener
LOG_LIMIT = 10 * 2**20

# On the command line, where postgresql.conf cannot loosen them. Sizes stand in postgresql.conf, see `embedded`.
PROMISES = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and the DETAIL of a broken constraint carry names and telephone numbers: they stay out of the log.
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class StillRecovering(PostgresFailed):
    """The server is left running, so that the next start finds the work done."""


class Postmaster:
    """Answers by /proc, not by signal 0: a reused number or an unreaped zombie must not pass for a live server."""

    def __init__(self, home: Path) -> None:
        self.home, self.data, self.log = home, home / "data", home / "log"
        self.unfinished = home / "unfinished"  # data until it is whole
        self._workplaces = (home, self.data, self.unfinished)
        self._child: subprocess.Popen[bytes] | None = None

    def pid(self) -> int | None:
        """The live server's process id; None when there is none, whatever postmaster.pid says."""
        lines = self._pid_lines()
        recorded = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        if self._works_here(Path("/proc") / str(recorded)):
            return recorded
        child = self._child
        if child is not None and child.pid != recorded and child.poll() is None:  # has yet to write the file
            return child.pid
        return None

    def is_ready(self) -> bool:
        return self.pid() is not None and self._status() == "ready"

    def clear_after_crash(self) -> None:
        """End what a kill -9 left at work (sessions of a dead server, a first start halfway) and take away its marks.

        Its number may be somebody else's by now, or a zombie's where no init reaps (in a container): PostgreSQL would
        take either for a live server and refuse to start.
        """
        marks = [self.data / "postmaster.pid", self.home / f".s.PGSQL.{PORT}.lock"]
        if not any(mark.exists() for mark in (*marks, self.unfinished)):
            return
        self._refuse_unseen_server()
        if not _wait(self._nobody_left, STOP_SECONDS):
            raise PostgresFailed(f"Processes of an earlier PostgreSQL in {self.home} do not end.")
        for mark in marks:
            mark.unlink(missing_ok=True)
        shutil.rmtree(self.unfinished, ignore_errors=True)

    def launch(self, program: Path, account: Account) -> None:
        """Start and wait until it answers. Its own session: a Ctrl-C for us must not reach it before we stop it."""
        command = [str(program), "-D", str(self.data), "-c", f"unix_socket_directories={_listed(self.home)}"]
        command += [part for name, value in PROMISES.items() for part in ("-c", f"{name}={value}")]
        with self._open_log(account) as log:
            read_from = os.fstat(log.fileno()).st_size
            self._child = subprocess.Popen(
                command, **account.run_as(), cwd=self.home, env=clean_environment(), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.settle()
        if not self.is_ready():
            raise PostgresFailed(f"PostgreSQL did not start: {self._reason(read_from)} (log: {self.log}).")

    def settle(self) -> None:
        """Wait until it is ready or gone. Past the limit it is left to finish recovery: a stop would begin it again."""
        if not _wait(lambda: self.pid() is None or self._status() != "starting", RECOVERY_SECONDS):
            raise StillRecovering(
                f"PostgreSQL is still recovering after {RECOVERY_SECONDS} seconds and goes on in the background; "
                f"start gridhood again in a while (log: {self.log})."
            )

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, a checkpoint is written. Only if that hangs, the immediate one."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            if (pid := self.pid()) is None:
                break
            with suppress(ProcessLookupError):
                os.kill(pid, how)
            if _wait(lambda: self.pid() is None, STOP_SECONDS):
                break
        else:
            raise PostgresFailed(f"PostgreSQL (process {self.pid()}) does not stop (log: {self.log}).")
        if self._child is not None:
            self._child.wait(STOP_SECONDS)

    def _refuse_unseen_server(self) -> None:
        """A server in another container on the same volume is not in our /proc: two at once would ruin the data."""
        with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
            probe.connect(str(self.home / f".s.PGSQL.{PORT}"))
            raise PostgresFailed(f"Another container or namespace already runs a PostgreSQL on {self.home}.")

    def _nobody_left(self) -> bool:
        left = [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._works_here(entry)]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def _works_here(self, process: Path) -> bool:
        """A live PostgreSQL process of this home: each works inside it, which no other home's does."""
        try:
            name = (process / "comm").read_text().strip()
            return name.startswith(("postgres", "initdb")) and Path(os.readlink(process / "cwd")) in self._workplaces
        except OSError:  # gone, a zombie, or not ours to look at
            return False

    def _pid_lines(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _status(self) -> str:
        lines = self._pid_lines()
        return lines[7].strip() if len(lines) > 7 else "starting"

    def _open_log(self, account: Account) -> BinaryIO:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_name("log.old"))
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        os.fchown(log, account.uid, account.gid)
        return open(log, "ab")

    def _reason(self, read_from: int) -> str:
        with open(self.log, "rb") as log:
            log.seek(read_from)
            return last_complaint(log.read().decode(errors="replace"))


def last_complaint(output: str) -> str:
    """The program's own last fatal words, without the time stamp in front."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    fatal = [line for line in lines if "FATAL: " in line or "PANIC: " in line or "error: " in line]
    last = (fatal or lines)[-1]
    return re.sub(r"^.*?(FATAL|PANIC|error): +", "", last).rstrip(".")


def _listed(folder: Path) -> str:
    """Quoted as one entry of a PostgreSQL list, where a bare comma would separate two folders."""
    return '"' + str(folder).replace('"', '""') + '"'


def _wait(until: Callable[[], bool], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not until():
        if time.monotonic() > limit:
            return False
        time.sleep(0.02)
    return True
