"""What happens to phones: a full disk, a clock that jumps, two apps on one file, and networks that answer for the
server."""

import asyncio
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mobile.store.errors import NoRoom
from mobile.store.migrations import SCHEMA, migrate, schema_of
from mobile.store.outbox import State
from mobile.store.photos import Photo
from mobile.sync.viewmodel import SyncScreen
from shared.errors import Code
from shared.residents import HouseholdOut
from shared.sync import Answer, OperationKind, Outcome
from shared.types import uuid7
from tests.mobile.county import County, problem, sent
from tests.mobile.phone_parts import MORNING, Desk, change, household, me, page
from tests.mobile.test_outbox import answer, capture, receipt
from tests.mobile.test_store_opening import ACCOUNT, with_old_store
from tests.mobile.test_sync import Line, an_app, line  # noqa: F401  (fixture)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def fill_up(desk: Desk) -> sqlite3.Connection:
    """No page more for the store's file; return its connection, to make room again."""
    connection = desk.store._db._connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    return connection


def write_until_full(desk: Desk) -> int:
    """How many were stored before the phone said that there was no room."""
    for number in range(1000):
        try:
            capture(desk, household())
        except NoRoom:
            return number
    raise AssertionError("it never was full")


def test_on_a_full_phone_what_was_stored_stays_and_what_was_not_is_said(desk: Desk) -> None:
    connection = fill_up(desk)

    stored = write_until_full(desk)
    with pytest.raises(NoRoom) as said:
        capture(desk, household())

    assert "存满了" in said.value.sentence
    assert desk.store.outbox.counts()[State.unsent] == stored
    connection.execute("PRAGMA max_page_count=100000")
    capture(desk)
    assert desk.open().outbox.counts()[State.unsent] == stored + 1


def test_a_page_that_does_not_fit_moves_no_cursor_and_comes_again(desk: Desk) -> None:
    desk.holds(household())
    connection = fill_up(desk)
    rows = [household() for _ in range(200)]

    with pytest.raises(NoRoom):
        desk.store.take_page(page(*rows, cursor="c2"), [])
    kept = desk.store.cursor(), len(desk.store.entities.all(HouseholdOut))
    connection.execute("PRAGMA max_page_count=100000")
    desk.store.take_page(page(*rows, cursor="c2"), [])

    assert kept == ("c1", 1)
    assert len(desk.store.entities.all(HouseholdOut)) == 201


class NoCommit:
    """A connection whose next commit fails and leaves the transaction open, as SQLite may when the file is locked."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real, self.fails = real, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str, *values: Any) -> Any:
        if sql == "COMMIT" and self.fails:
            self.fails = False
            raise sqlite3.DatabaseError("database is locked")
        return self._real.execute(sql, *values)


def test_a_commit_that_fails_swallows_nothing_that_is_written_after_it(desk: Desk) -> None:
    desk.store._db._connection = NoCommit(desk.store._db._connection)  # type: ignore[assignment]

    with pytest.raises(sqlite3.DatabaseError):
        capture(desk)
    capture(desk)

    assert desk.open().outbox.counts()[State.unsent] == 1


async def test_a_sync_on_a_full_phone_is_not_shown_as_done_and_goes_on_when_there_is_room(line: Line) -> None:  # noqa: F811
    line.county.rows += [change(household()) for _ in range(50)]
    connection = fill_up(line.desk)

    settled = await line.syncer.sync_once()
    said = line.status.state, line.status.text, line.status.problem
    connection.execute("PRAGMA max_page_count=100000")

    assert not settled
    assert said == ("offline", "手机没同步成", NoRoom.sentence)
    assert await line.syncer.sync_once()
    assert line.status.text == "已送到"


async def test_a_fault_that_nobody_foresaw_is_not_shown_as_done(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(line.store, "take_page", broken)
    await line.syncer.sync_once()

    assert line.status.text == "手机没同步成"
    assert line.status.problem


def test_what_was_written_while_the_clock_ran_ahead_is_not_held_back_for_years(desk: Desk) -> None:
    desk.now.move(days=3650)
    op_id = capture(desk, seconds=10)
    desk.now.move(days=-3650)

    assert desk.store.outbox.is_due()
    assert [one["op_id"] for one in desk.store.outbox.take_batch(9)] == [str(op_id)]


def test_a_clock_set_back_a_little_leaves_the_time_to_take_it_back(desk: Desk) -> None:
    op_id = capture(desk, seconds=10)
    desk.now.move(seconds=-90)

    assert not desk.store.outbox.is_due()
    assert desk.store.outbox.take_back(op_id)


def test_what_waits_for_another_receipt_waits_whatever_the_clock_says(desk: Desk) -> None:
    first = capture(desk)
    desk.store.outbox.capture(OperationKind.visit_record, uuid7(), {}, [], title="", after=first)
    desk.now.move(days=-3650)

    assert [one["op_id"] for one in desk.store.outbox.take_batch(9)] == [str(first)]


@pytest.mark.parametrize("days", [3650, -3650])
def test_a_clock_ten_years_off_forgets_nothing_that_a_restored_server_would_miss(desk: Desk, days: int) -> None:
    desk.now.move(days=days)
    op_id = capture(desk)
    answered = receipt(desk, answer(Outcome.applied), settled=1, at=MORNING)
    desk.store.take_receipt(desk.store.outbox.take_batch(9), answered)
    desk.now.move(days=-days)

    desk.store.take_page(page(settled_seq=1, server_time=MORNING + timedelta(days=1)), [])
    desk.now.move(days=days)
    desk.store.take_page(page(settled_seq=1, server_time=MORNING + timedelta(days=2)), [])
    desk.store.take_page(page(epoch="second"), [])

    assert [one["op_id"] for one in desk.store.outbox.take_batch(9)] == [str(op_id)]


def test_a_receipt_of_another_push_settles_nothing(desk: Desk) -> None:
    op_id = capture(desk)
    batch = desk.store.outbox.take_batch(9)

    foreign = Answer(op_id=uuid4(), index=0, outcome=Outcome.applied)
    desk.store.take_receipt(batch, receipt(desk, foreign, answer(Outcome.applied, 7), answer(Outcome.applied, -1)))

    assert desk.store.outbox.counts()[State.accepted] == 0
    assert [one["op_id"] for one in desk.store.outbox.take_batch(9)] == [str(op_id)]


def test_two_apps_that_open_one_old_file_at_once_bring_it_up_once(tmp_path: Path) -> None:
    path = with_old_store(tmp_path).store_path(ACCOUNT)
    first = sqlite3.connect(path, isolation_level=None, timeout=30)
    second = sqlite3.connect(path, isolation_level=None, timeout=30)
    second_saw = schema_of(second)

    migrate(first)
    migrate(Outdated(second, second_saw))  # type: ignore[arg-type]

    assert second_saw == 1
    assert schema_of(first) == SCHEMA


class Outdated:
    """A connection that asked for the schema before the other app had changed it."""

    def __init__(self, real: sqlite3.Connection, saw: int) -> None:
        self._real, self._saw = real, [saw, saw]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, sql: str) -> Any:
        if sql == "PRAGMA user_version" and self._saw:
            return self._real.execute(f"SELECT {self._saw.pop()}")
        return self._real.execute(sql)


WRITES = """
import sys
import threading
from pathlib import Path
from uuid import UUID
from tests.mobile.phone_parts import Desk, me
from tests.mobile.test_outbox import capture
desk = Desk(Path(sys.argv[1]), me(account_id=UUID(sys.argv[2])))
for _ in range(40):
    capture(desk)
    desk.store.outbox.never_left(desk.store.outbox.take_batch(5))
"""


def test_two_apps_on_one_store_lose_nothing_and_share_no_number(desk: Desk) -> None:
    arguments = [sys.executable, "-c", WRITES, str(desk.folder), str(desk.me.account_id)]
    quiet = {**os.environ, "KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}
    others = [subprocess.Popen(arguments, env=quiet, cwd=Path(__file__).parents[2]) for _ in range(2)]

    ended = [other.wait(120) for other in others]
    capture(desk)

    batch = desk.store.outbox.take_batch(200)
    assert ended == [0, 0]
    assert len({one["op_id"] for one in batch}) == len({one["device_seq"] for one in batch}) == 81


def html(status: int) -> Callable[[httpx.Request], httpx.Response]:
    page_ = "<html><title>上网认证</title>请登录无线网络</html>"
    return lambda _request: httpx.Response(status, text=page_, headers={"Content-Type": "text/html"})


def redirect(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(302, headers={"Location": "http://10.0.0.1/login"})


def raw(content: bytes, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    json_ = {"Content-Type": "application/json", **headers}
    return lambda _request: httpx.Response(200, content=content, headers=json_)


NOT_THE_SERVER = {
    **{f"a page with {status}": html(status) for status in (200, 401, 403, 404, 407, 413, 422, 500, 502, 503, 511)},
    "a redirect": redirect,
    "an empty body": raw(b""),
    "no object": raw(b"[]"),
    "null": raw(b"null"),
    "half of it": raw(b'{"epoch": "first", "answers": [{"op_id"'),
    "an object of somebody else": raw(b'{"ok": true, "code": 0}'),
    "nested without end": raw(b'{"a":' * 100_000),
    "broken gzip": raw(gzip.compress(b"{}")[:-9], **{"Content-Encoding": "gzip"}),
    "no text": raw(b"\xff\xfe\x00"),
    "rows that are no rows": raw(json.dumps({"epoch": "first", "items": [1, None, {"kind": []}]}).encode()),
    "a refusal of somebody else": lambda _request: httpx.Response(400, json={"status": "fail", "code": ["x"]}),
    "a cut": raw(b"x" * 10, **{"Content-Length": "5"}),
}


@pytest.mark.parametrize("path", ["/sync/push", "/sync/pull"])
@pytest.mark.parametrize("name", NOT_THE_SERVER)
async def test_what_answers_in_the_servers_place_settles_nothing_and_is_told_as_no_network(
    line: Line, path: str, name: str  # noqa: F811
) -> None:  # fmt: skip
    await line.syncer.sync_once()
    cursor, tokens = line.store.cursor(), line.store.tokens()
    visit_id = line.record()
    again = NOT_THE_SERVER[name]
    line.county.fails(path, again, again)
    line.county.fails("/auth/refresh", again)

    settled = await line.syncer.sync_once()
    kept, said = line.store.outbox.counts(), line.status.problem
    stands = line.store.cursor(), line.store.tokens()
    line.county.faults.clear()

    assert not settled
    assert "连不上" in said
    assert not line.status.needs_sign_in
    assert kept[State.refused] == 0
    assert kept[State.accepted] == (1 if path == "/sync/pull" else 0)
    assert stands == (cursor, tokens)
    assert await line.syncer.sync_once()
    assert line.stored() == [str(visit_id)]


async def test_a_gateway_that_takes_less_at_once_gets_less_at_once(line: Line) -> None:  # noqa: F811
    ids = [line.record() for _ in range(8)]

    def no_more_than_three(request: httpx.Request) -> httpx.Response | None:
        line.county.fails("/sync/push", no_more_than_three)
        return html(413)(request) if len(sent(request)["operations"]) > 3 else None

    line.county.fails("/sync/push", no_more_than_three)

    assert await line.syncer.sync_once()
    assert line.stored() == [str(one) for one in ids]


async def test_sending_goes_on_after_something_that_could_not_be_shown(line: Line) -> None:  # noqa: F811
    def broken() -> None:
        line.store.on_change = lambda: None
        raise NoRoom

    line.store.on_change = broken
    running = asyncio.ensure_future(line.syncer.run())

    async with asyncio.timeout(10):
        await line.waits.get()
        visit_id = line.record()
        line.syncer.wake()
        await line.waits.get()
    running.cancel()

    assert line.stored() == [str(visit_id)]


async def test_a_wrong_clock_is_said_and_everything_is_sent_all_the_same(line: Line) -> None:  # noqa: F811
    said = []
    screen = SyncScreen(line.store, line.status, line.desk.now, lambda: None)
    for how in ({"minutes": 9}, {"days": 3650}, {"days": -7300}, {"days": 3650}):
        line.desk.now.move(**how)
        line.record()
        assert await line.syncer.sync_once()
        screen.refresh()
        said.append(screen.problem_line)

    assert [said[0], said[3]] == ["", ""]
    assert "快了 3650 天" in said[1]
    assert "慢了 3649 天" in said[2]
    assert line.counts() == (0, 0, 4, 0)


async def test_one_http_client_is_made_and_away_from_the_screens_thread(
    line: Line, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    """Making one takes as long as several frames."""
    made: list[threading.Thread] = []
    real = httpx.AsyncClient

    def making(**options: Any) -> httpx.AsyncClient:
        made.append(threading.current_thread())
        return real(**options)

    monkeypatch.setattr(httpx, "AsyncClient", making)
    line.county.token = "another"
    line.record()

    await asyncio.gather(line.syncer.sync_once(), line.client.photo_status("0" * 64), return_exceptions=True)

    assert len(made) == 1
    assert made[0] is not threading.main_thread()


def test_a_photo_that_is_just_being_kept_is_not_cleared_away_by_who_opens_the_store(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, write = desk.store.photos, desk.store.photos._write
    photo = Photo("ab" * 32, 3, 1, 1)
    opening = threading.Thread(target=desk.open)

    def writing(sha256: str, sealed: bytes) -> None:
        write(sha256, sealed)
        opening.start()
        opening.join(0.5)  # it waits for the row, or is done with the file by now

    monkeypatch.setattr(photos, "_write", writing)
    photos.keep(photo, b"abc", b"a")
    opening.join()

    assert photos.content(photo.sha256) == b"abc"


async def test_a_phone_too_full_to_sign_in_on_says_so(tmp_path: Path) -> None:
    app = an_app(tmp_path, County(me()))
    connection = app.phone._connection
    connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0]}")
    app.login.username, app.login.password, app.login.consent = "很长的名字" * 2000, "demo", True

    signed_in = await app.login.sign_in()

    assert not signed_in
    assert app.login.error == NoRoom.sentence
    await app.close()


async def test_a_feed_that_does_not_go_on_is_not_asked_for_ever(line: Line) -> None:  # noqa: F811
    def stuck(_request: httpx.Request) -> httpx.Response:
        line.county.fails("/sync/pull", stuck)
        return httpx.Response(200, content=page(cursor="7", more=True).model_dump_json())

    line.county.fails("/sync/pull", stuck)

    async with asyncio.timeout(10):
        settled = await line.syncer.sync_once()
    line.county.faults.clear()

    assert not settled
    assert not line.status.first_pull_done
    assert line.county.asked.count("/sync/pull") <= 3


async def test_what_a_failing_server_may_have_stored_can_no_longer_be_taken_back(line: Line) -> None:  # noqa: F811
    visit_id = line.record()

    def stores_and_fails(request: httpx.Request) -> httpx.Response:
        line.county.push(sent(request))
        return problem(Code.server_error)

    line.county.fails("/sync/push", stores_and_fails)
    await line.syncer.sync_once()
    [entry] = line.store.outbox.entries(State.unsent, State.sent)

    assert not line.store.outbox.take_back(entry.op_id)
    assert await line.syncer.sync_once()
    assert (line.stored(), line.counts()) == ([str(visit_id)], (0, 0, 1, 0))
