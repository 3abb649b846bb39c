"""The embedded PostgreSQL: what it is set up for, who shares it, and what it refuses."""

import os
import socket
from pathlib import Path

import asyncpg
import pytest

from backend.core.postgres import EmbeddedPostgres, PostgresFailed, pg_binary
from tests.core.postgres_processes import (
    HOLD,
    ask,
    child,
    is_ready,
    kill_9,
    postmaster_pid,
)


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


def test_shipped_programs_are_found_and_others_refused() -> None:
    assert os.access(pg_binary("pg_dump"), os.X_OK)
    with pytest.raises(PostgresFailed, match="does not contain pgadmin"):
        pg_binary("pgadmin")


def test_a_server_in_a_container_we_cannot_look_into_is_not_joined_by_a_second_one(folder: Path) -> None:
    pid_file = folder / "postgres/data/postmaster.pid"
    with EmbeddedPostgres(folder):
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join(["4194304", *lines[1:]]) + "\n")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "postgres/.s.PGSQL.5432"))
        listener.listen()
        with pytest.raises(PostgresFailed, match="Another container or namespace already runs"):
            EmbeddedPostgres(folder).start()
    assert pid_file.exists()
