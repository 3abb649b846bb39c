"""A PostgreSQL 15 of its own: what stands for the operator's database."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
RUN_AS = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
RULES = "local all with_password,operator scram-sha-256\nlocal all postgres trust\n"
SETUP = """
CREATE ROLE with_password LOGIN PASSWORD 'right';
CREATE DATABASE gridhood TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE ascii_only TEMPLATE template0 ENCODING 'SQL_ASCII';
"""


@contextmanager
def postgres15() -> Iterator[Path]:
    """The socket folder of a running server with one user who needs a password."""
    home = Path(tempfile.mkdtemp(prefix="gridhood15-", dir="/tmp"))
    home.chmod(0o711)
    if RUN_AS:
        shutil.chown(home, "nobody")
    control = [PROGRAMS / "pg_ctl", "-D", home / "data", "-w", "-l", home / "log"]
    _run([PROGRAMS / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust", "--locale=C", "--no-sync"])
    (home / "data/pg_hba.conf").write_text(RULES)
    _run([*control, "-o", f"-k {home} -c listen_addresses='' -c fsync=off", "start"])
    try:
        _run([PROGRAMS / "psql", "-h", home, "-U", "postgres", "-v", "ON_ERROR_STOP=1"], SETUP)
        yield home
    finally:
        _run([*control, "-m", "fast", "stop"])
        shutil.rmtree(home)


def _run(command: list[str | Path], text: str = "") -> None:
    subprocess.run(command, **RUN_AS, cwd="/", input=text, check=True, stdout=subprocess.DEVNULL, text=True)
