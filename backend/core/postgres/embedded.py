"""The PostgreSQL that needs no installing: made, started, shared and stopped inside one data folder."""

import fcntl
import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from backend.core.postgres.failure import PostgresFailed
from backend.core.postgres.postmaster import PORT, Postmaster, StillRecovering, last_complaint
from backend.core.postgres.programs import Account, clean_environment, owner_of, pg_binary, server_binary

DATABASE = "gridhood"
LONGEST_SOCKET_PATH = 107  # bytes; the kernel's sun_path holds 108 with the closing zero

# First values, written into postgresql.conf once: an operator may raise them there or by ALTER SYSTEM.
SIZES = {"shared_buffers": "256MB", "max_connections": "60"}


def default_data_folder() -> Path:
    """Root's lies where the unprivileged server account can reach it, a user's under their own data home."""
    if os.geteuid() == 0:
        return Path("/var/lib/gridhood")
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "gridhood"


class EmbeddedPostgres:
    """One server per folder, shared by every process that starts it there; the last one to stop ends it.

    Users are counted by a shared file lock, which the kernel lets go at a kill -9. A server found without a user was
    left behind by such a kill and is restarted, so that it has our settings and none of the dead process's sessions.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self._home = self.folder / "postgres"
        self._postmaster = Postmaster(self._home)
        self._using: int | None = None

    @property
    def dsn(self) -> str:
        """For asyncpg; `postgresql+asyncpg` in its place serves SQLAlchemy. Host and port beat PGHOST and PGPORT."""
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(self._home))}&port={PORT}"

    def start(self) -> str:
        """Return the DSN of a running server with our database in it. Safe to repeat, also from two processes."""
        self._refuse_long_path()
        try:
            account = self._prepare_home()
            with self._one_at_a_time():
                with self._nothing_left_running():
                    self._ensure_running(account)
                    self._ensure_database()
                if self._using is None:
                    self._using = self._open_lock("users.lock")
                    fcntl.flock(self._using, fcntl.LOCK_SH)
        except OSError as error:
            raise PostgresFailed(f"The data folder {self.folder} cannot be used: {error.strerror}.") from error
        return self.dsn

    def stop(self) -> None:
        """Shut the server down cleanly unless another process still uses it. Does nothing when not started."""
        if self._using is None:
            return
        with self._one_at_a_time():
            os.close(self._using)
            self._using = None
            if not self._has_users():
                self._postmaster.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _refuse_long_path(self) -> None:
        socket = self._home / f".s.PGSQL.{PORT}"
        length = len(os.fsencode(socket))
        if length > LONGEST_SOCKET_PATH:
            raise PostgresFailed(
                f"The data folder's path is too long for a database socket ({socket} has {length} bytes, "
                f"{LONGEST_SOCKET_PATH} fit): choose a shorter one with --data."
            )

    def _prepare_home(self) -> Account:
        as_root = os.geteuid() == 0
        self.folder.mkdir(mode=0o711 if as_root else 0o700, parents=True, exist_ok=True)
        self._home.mkdir(mode=0o700, exist_ok=True)
        account = owner_of(self._home)
        if not account.can_enter(self._home):
            raise PostgresFailed(
                f"PostgreSQL runs as {_name_of(account)}, who cannot enter {self._home}: "
                f"choose a folder with --data that this account can reach, such as {default_data_folder()}."
            )
        return account

    def _ensure_running(self, account: Account) -> None:
        self._postmaster.settle()
        if self._postmaster.is_ready() and self._has_users():
            return
        self._postmaster.stop()  # left behind, on its way down, or not there at all
        self._postmaster.clear_after_crash()
        if not self._postmaster.data.exists():
            self._make_cluster(account)
        self._postmaster.launch(server_binary("postgres", account, self.folder), account)

    def _make_cluster(self, account: Account) -> None:
        """Made under another name and renamed when whole, so that a kill -9 halfway leaves nothing half made."""
        unfinished = self._postmaster.unfinished
        command = [str(server_binary("initdb", account, self.folder)), "-D", str(unfinished), "--username=postgres"]
        # Trust is safe here: only this account and root can enter the folder of the socket.
        command += ["--auth=trust", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--locale=C", "--no-instructions", *(f"--set={name}={value}" for name, value in SIZES.items())]
        made = subprocess.run(
            command, **account.run_as(), cwd=self._home, env=clean_environment(), capture_output=True, text=True
        )
        if made.returncode != 0:
            raise PostgresFailed(f"The database could not be made: {last_complaint(made.stderr)}.")
        unfinished.rename(self._postmaster.data)
        home = os.open(self._home, os.O_RDONLY)
        os.fsync(home)  # a rename lost with the power would have the next start throw the data away as unfinished
        os.close(home)

    def _ensure_database(self) -> None:
        statement = (
            f"SELECT 'CREATE DATABASE {DATABASE} TEMPLATE template0' "
            f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
        )
        command = [str(pg_binary("psql")), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", str(self._home), "-p", str(PORT)]
        asked = subprocess.run(
            [*command, "-U", "postgres", "-d", "postgres"], input=statement, env=clean_environment(),
            capture_output=True, text=True,
        )  # fmt: skip
        if asked.returncode != 0:
            raise PostgresFailed(f"The database {DATABASE} could not be made: {last_complaint(asked.stderr)}.")

    @contextmanager
    def _nothing_left_running(self) -> Iterator[None]:
        """A Ctrl-C or a failure halfway through a start also ends the server, but never one at work on recovery."""
        try:
            yield
        except StillRecovering:
            raise
        except BaseException:
            if not self._has_users():
                self._postmaster.stop()
            raise

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        lock = self._open_lock("start.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _has_users(self) -> bool:
        lock = self._open_lock("users.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _open_lock(self, name: str) -> int:
        lock = os.open(self._home / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        owner = self._home.stat()
        os.fchown(lock, owner.st_uid, owner.st_gid)
        return lock


def _name_of(account: Account) -> str:
    try:
        return f"the account {pwd.getpwuid(account.uid).pw_name}"
    except KeyError:
        return f"the account number {account.uid}"
