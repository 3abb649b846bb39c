"""The embedded PostgreSQL under real kill -9, Ctrl-C and the accounts it may run as."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from backend.core.postgres import EmbeddedPostgres, PostgresFailed, default_data_folder, pg_binary
from tests.core.postgres_processes import (
    AS_ROOT,
    BECOME_NOBODY,
    HOLD,
    HOLD_THROUGH_CTRL_C,
    LIVE_AND_RECOVER,
    REPOSITORY,
    ask,
    child,
    copy_programs_to,
    is_ready,
    kill_9,
    kill_postmaster_9,
    postmaster_pid,
)


def test_a_server_killed_with_9_recovers_every_committed_row(server: EmbeddedPostgres) -> None:
    ask(server.dsn, "CREATE TABLE kept AS SELECT generate_series(1, 5000) AS n")
    busy = subprocess.Popen(
        [pg_binary("psql"), server.dsn, "-c", "SELECT count(*) FROM generate_series(1, 1e12::bigint)"],
        stderr=subprocess.DEVNULL,
    )
    while not ask(server.dsn, "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT count(*) FROM gen%'"):
        pass

    kill_postmaster_9(server.folder)
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
    kill_postmaster_9(folder)
    kill_9(killed)

    with EmbeddedPostgres(folder) as server:
        assert ask(server.dsn, "SELECT n FROM kept") == [(7,)]


def test_a_pid_file_that_names_another_live_process_is_not_believed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as first:
        ask(first.dsn, "CREATE TABLE kept AS SELECT 7 AS n")
        pid_file = folder / "postgres/data/postmaster.pid"
        lines = pid_file.read_text().splitlines()
        kill_postmaster_9(folder)
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


def test_ctrl_c_does_not_reach_the_server_before_we_stop_it(folder: Path) -> None:
    process = child(HOLD_THROUGH_CTRL_C, folder, start_new_session=True)
    assert is_ready(process)

    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate()

    assert output == "STILL ANSWERS 1\n", errors
    assert not (folder / "postgres/data/postmaster.pid").exists()


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


def test_a_folder_that_the_servers_account_cannot_enter_is_refused(folder: Path) -> None:
    (folder / "private").mkdir(mode=0o700 if AS_ROOT else 0o500)

    with pytest.raises(PostgresFailed, match=r"who cannot enter .* such as /var/lib/gridhood|Permission denied"):
        EmbeddedPostgres(folder / "private/data").start()


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
