"""The phone against a server whose network fails on cue: nothing is lost, nothing arrives twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from mobile.core.session import AppContext
from mobile.device import fakes
from mobile.store.outbox import State
from mobile.store.store import Store
from mobile.sync import pace, syncer
from mobile.sync.client import Client
from mobile.sync.status import SyncStatus
from mobile.sync.syncer import Syncer
from mobile.visits.effects import effects
from shared.auth import GrantOut, Role, TokenOut
from shared.conflicts import ConflictOut, ConflictSide, ConflictState
from shared.errors import Code
from shared.grid import CellName
from shared.residents import HouseholdOut
from shared.sync import SCHEMA, OperationKind
from shared.types import uuid7
from shared.visits import VisitIn, VisitOutcome
from tests.mobile.county import County, cut_off, no_network, refuse, sent
from tests.mobile.phone_parts import Desk, Hands, cell, change, household, me


@dataclass
class Line:
    """A phone and its county, ready to talk."""

    desk: Desk
    county: County
    home: HouseholdOut = field(default_factory=household)
    waits: asyncio.Queue[float] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.county.devices.add(str(self.desk.phone.device_id))
        self.county.rows.append(change(self.home))
        self.client = Client("http://county", self.county.tokens(), transport=self.county.transport())
        self.client.on_tokens = self.store.keep_tokens
        self.status = SyncStatus(self.store, self.desk.now)
        self.syncer = Syncer(self.store, self.client, self.status, self.desk.now, self.sleep, lambda: 1.0)

    @property
    def store(self) -> Store:
        return self.desk.store

    async def sleep(self, seconds: float) -> None:
        self.waits.put_nowait(seconds)
        await asyncio.Event().wait()

    def record(self, after: UUID | None = None) -> UUID:
        visit = VisitIn(household_id=self.home.id, outcome=VisitOutcome.absent, visited_at=self.desk.now())
        visit_id, fields = uuid7(), visit.model_dump(mode="json")
        changed = effects(visit_id, visit, self.home, self.desk.me)
        self.store.outbox.capture(
            OperationKind.visit_record, visit_id, fields, changed, title="何长顺 走访", after=after
        )
        return visit_id

    def counts(self) -> tuple[int, int, int, int]:
        counts = self.store.outbox.counts()
        return counts[State.unsent], counts[State.sent], counts[State.accepted], counts[State.refused]

    def stored(self) -> list[str]:
        return [operation["entity_id"] for operation in self.county.applied.values()]


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    desk = Desk(tmp_path)
    ready = Line(desk, County(desk.me))
    yield ready
    await ready.client.close()


async def test_a_visit_is_pushed_and_the_grid_is_pulled(line: Line) -> None:
    visit_id = line.record()

    settled = await line.syncer.sync_once()

    assert settled
    assert line.stored() == [str(visit_id)]
    assert line.counts() == (0, 0, 1, 0)
    assert [home.id for home in line.store.entities.all(HouseholdOut)] == [line.home.id]
    assert (line.status.state, line.status.text) == ("accepted", "已送到")


async def test_a_lost_answer_is_asked_for_again_and_the_visit_stands_once(line: Line) -> None:
    visit_id = line.record()

    def applies_and_drops_the_answer(request: httpx.Request) -> httpx.Response:
        line.county.push(sent(request))
        return cut_off(request)

    line.county.fails("/sync/push", applies_and_drops_the_answer)

    first = await line.syncer.sync_once()
    between = line.counts()
    second = await line.syncer.sync_once()

    assert (first, between, second) == (False, (0, 1, 0, 0), True)
    assert line.county.asked.count("/sync/push") == 2
    assert line.stored() == [str(visit_id)]
    assert line.counts() == (0, 0, 1, 0)


async def test_without_a_network_everything_stays_in_the_phone_and_says_so(line: Line) -> None:
    line.county.fails("/sync/pull", no_network)
    await line.syncer.sync_once()
    idle = line.status.text
    line.record()
    line.county.fails("/sync/push", no_network)

    await line.syncer.sync_once()

    assert idle == "没有网络，照常记"
    assert line.counts() == (1, 0, 0, 0)
    assert line.status.offline
    assert line.status.text == "1 条在手机里"


async def test_a_push_that_was_cut_keeps_what_it_carried(line: Line) -> None:
    for _ in range(3):
        line.record()
    line.county.fails("/sync/push", cut_off)

    await line.syncer.sync_once()
    await line.syncer.sync_once()

    assert line.counts() == (0, 0, 3, 0)
    assert len(line.stored()) == 3


async def test_what_was_made_ready_behind_a_push_that_was_cut_can_still_be_taken_back(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncer, "BATCH", 2)
    for _ in range(3):
        line.record()
    last = line.store.outbox.entries(State.unsent)[0]
    line.county.fails("/sync/push", cut_off)

    await line.syncer.sync_once()
    between, taken_back = line.counts(), line.store.outbox.take_back(last.op_id)
    await line.syncer.sync_once()

    assert (between, taken_back) == ((1, 2, 0, 0), True)
    assert (line.counts(), len(line.stored())) == ((0, 0, 2, 0), 2)


async def test_what_waited_for_a_receipt_goes_before_what_was_made_ready_meanwhile(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncer, "BATCH", 2)
    first = line.record()
    waited = line.record(after=line.store.outbox.entries(State.unsent)[0].op_id)
    later = [line.record() for _ in range(3)]

    await line.syncer.sync_once()

    assert line.stored() == [str(one) for one in (first, later[0], waited, *later[1:])]


async def test_a_restored_server_gets_back_what_it_lost_before_what_was_made_ready_meanwhile(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncer, "BATCH", 1)
    lost = line.record()
    await line.syncer.sync_once()
    line.county.epoch, line.county.settled_seq = "second", 0
    line.county.applied.clear()
    new = [line.record() for _ in range(3)]

    await line.syncer.sync_once()

    assert line.stored() == [str(one) for one in (new[0], lost, *new[1:])]


async def test_a_refused_neighbour_does_not_stop_the_others(line: Line) -> None:
    ids = [line.record() for _ in range(3)]
    line.county.refuses[str(ids[1])] = Code.household_not_here

    await line.syncer.sync_once()

    assert line.stored() == [str(ids[0]), str(ids[2])]
    assert line.counts() == (0, 0, 2, 1)
    assert line.status.text == "1 条被退回"
    assert line.store.outbox.entries(State.refused)[0].sentence == "这一户不在您的网格里。"


async def test_a_push_refused_as_a_whole_is_split_until_the_bad_one_is_found(line: Line) -> None:
    ids = [line.record() for _ in range(5)]

    def refuses_the_fourth(request: httpx.Request) -> httpx.Response | None:
        line.county.fails("/sync/push", refuses_the_fourth)
        bad = any(one["entity_id"] == str(ids[3]) for one in sent(request)["operations"])
        return refuse(Code.malformed)(request) if bad else None

    line.county.fails("/sync/push", refuses_the_fourth)

    await line.syncer.sync_once()

    assert line.counts() == (0, 0, 4, 1)
    assert line.store.outbox.entries(State.refused)[0].entity_id == ids[3]


async def test_an_expired_token_is_exchanged_once_and_kept(line: Line) -> None:
    line.record()
    line.county.token = "another"

    settled = await line.syncer.sync_once()

    kept = line.store.tokens()
    assert settled
    assert line.county.asked.count("/auth/refresh") == 1
    assert kept is not None
    assert (kept.access_token, kept.refresh_token) == (line.county.token, line.county.refresh)


async def test_when_the_session_has_ended_capturing_goes_on(line: Line) -> None:
    line.county.token = line.county.refresh = "revoked"
    line.record()

    await line.syncer.sync_once()
    line.record()

    assert line.counts() == (2, 0, 0, 0)
    assert line.status.needs_sign_in
    assert line.status.text == "请重新登录"


async def test_an_expired_cursor_reads_from_the_start_and_leaves_the_outbox_alone(line: Line) -> None:
    await line.syncer.sync_once()
    line.record()
    line.county.fails("/sync/push", no_network)
    await line.syncer.sync_once()
    line.county.fails("/sync/push", refuse(Code.busy))
    line.county.fails("/sync/pull", refuse(Code.cursor_expired))

    await line.syncer.sync_once()
    unsent = line.counts()
    await line.syncer.sync_once()

    assert unsent == (1, 0, 0, 0)
    assert line.county.cursors == [None, None]
    assert line.counts() == (0, 0, 1, 0)
    assert [home.id for home in line.store.entities.all(HouseholdOut)] == [line.home.id]


async def test_a_server_restored_from_a_backup_gets_its_visits_back(line: Line) -> None:
    visit_id = line.record()
    await line.syncer.sync_once()
    line.county.epoch, line.county.settled_seq = "second", 0
    line.county.applied.clear()
    line.county.rows = [change(line.home), change(household())]

    await line.syncer.sync_once()

    assert line.stored() == [str(visit_id)]
    assert line.counts() == (0, 0, 1, 0)
    assert len(line.store.entities.all(HouseholdOut)) == 2


async def test_staff_are_told_once_a_day_which_cells_somebody_may_move_to(line: Line) -> None:
    there = CellName(code="610330100009001", name="新建路第1网格")
    line.county.cell_names = [there]
    line.store.keep_me(line.desk.me)

    for _ in range(2):
        await line.syncer.sync_once()
    opened_again = Syncer(line.store, line.client, line.status, line.desk.now)
    await opened_again.sync_once()
    first = line.county.asked.count("/cells/names")
    line.desk.now.move(days=1)
    await line.syncer.sync_once()

    assert line.store.cell_names() == [there]
    assert (first, line.county.asked.count("/cells/names")) == (1, 2)


async def test_names_that_cannot_be_had_hold_nothing_up_and_those_of_yesterday_stay(line: Line) -> None:
    there = CellName(code="610330100009001", name="新建路第1网格")
    line.store.keep_me(line.desk.me)
    line.store.keep_cell_names([there], date(2020, 1, 1))
    line.county.fails("/cells/names", refuse(Code.not_found))

    assert [await line.syncer.sync_once() for _ in range(2)] == [True, True]
    assert line.store.cell_names() == [there]
    assert line.county.asked.count("/cells/names") == 1


async def test_a_volunteers_phone_asks_for_no_cells(line: Line) -> None:
    line.store.keep_me(line.desk.me.model_copy(update={"grants": [GrantOut(role=Role.volunteer, area_code="610330")]}))

    await line.syncer.sync_once()

    assert "/cells/names" not in line.county.asked


async def test_a_long_feed_is_read_to_its_end_and_goes_on_where_it_was_cut(line: Line) -> None:
    line.county.rows.extend(change(household()) for _ in range(6))
    line.county.page_size = 3
    line.county.fails("/sync/pull", lambda _request: None, cut_off)

    await line.syncer.sync_once()
    halfway, complete = len(line.store.entities.all(HouseholdOut)), line.status.first_pull_done
    await line.syncer.sync_once()

    assert (halfway, complete) == (3, False)
    assert line.county.cursors == [None, "3", "6"]
    assert len(line.store.entities.all(HouseholdOut)) == 7
    assert line.status.first_pull_done


async def test_a_phone_the_server_does_not_know_registers_itself(line: Line) -> None:
    line.county.devices.clear()
    line.record()

    assert await line.syncer.sync_once()
    assert line.counts() == (0, 0, 1, 0)


async def test_a_server_that_answers_nonsense_is_no_receipt(line: Line) -> None:
    line.record()
    line.county.fails("/sync/push", lambda _request: httpx.Response(200, text="<html>请登录无线网络</html>"))

    assert not await line.syncer.sync_once()
    assert line.counts() == (0, 1, 0, 0)


async def test_a_fault_in_the_phone_itself_does_not_reach_the_screen(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(line.store, "take_page", full)

    assert not await line.syncer.sync_once()


async def test_the_loop_waits_longer_after_each_failure_and_a_capture_wakes_it(line: Line) -> None:
    line.county.fails("/sync/pull", no_network, no_network)
    running = asyncio.ensure_future(line.syncer.run())

    async with asyncio.timeout(10):
        waits = [await line.waits.get()]
        line.syncer.wake()
        waits.append(await line.waits.get())
        visit_id = line.record()
        line.syncer.wake()
        waits.append(await line.waits.get())
    running.cancel()

    assert waits == [pace.FIRST_RETRY_SECONDS, pace.FIRST_RETRY_SECONDS * 2, pace.IDLE_SECONDS]
    assert line.stored() == [str(visit_id)]


async def test_the_loop_wakes_when_a_visit_can_no_longer_be_taken_back(line: Line) -> None:
    line.store.outbox.capture(OperationKind.visit_record, uuid7(), {}, [], title="", hold=timedelta(seconds=10))
    running = asyncio.ensure_future(line.syncer.run())

    async with asyncio.timeout(10):
        wait = await line.waits.get()
    running.cancel()

    assert wait == 10
    assert line.stored() == []


def test_retries_are_spread_and_never_further_apart_than_five_minutes() -> None:
    assert pace.retry_after(1, lambda: 0.0) == 1
    assert pace.retry_after(3, lambda: 1.0) == 8
    assert pace.retry_after(50, lambda: 1.0) == pace.LONGEST_RETRY_SECONDS


async def test_an_app_that_is_too_old_keeps_its_outbox_and_says_so(line: Line) -> None:
    line.record()
    line.county.fails("/sync/push", refuse(Code.client_too_old))

    settled = await line.syncer.sync_once()

    assert not settled
    assert line.counts() == (1, 0, 0, 0)
    assert (line.status.text, line.status.needs_update) == ("请更新应用，记录都还在手机里", True)
    assert line.status.problem == "请更新应用，记录都还在手机里。"

    await line.syncer.sync_once()
    assert (line.counts(), line.status.text) == ((0, 0, 1, 0), "已送到")


async def test_what_a_server_is_behind_for_stays_and_goes_later_and_stops_no_neighbour(line: Line) -> None:
    ids = [line.record(), line.record()]
    line.county.behind_for.add(str(ids[0]))

    await line.syncer.sync_once()
    waiting = line.counts()
    line.county.behind_for.clear()
    await line.syncer.sync_once()

    assert (waiting, line.counts()) == ((0, 1, 1, 0), (0, 0, 2, 0))
    assert sorted(line.stored()) == sorted(str(one) for one in ids)


async def test_rows_of_a_kind_that_this_app_does_not_know_stop_no_others(line: Line) -> None:
    def newer(_request: httpx.Request) -> httpx.Response:
        row = json.loads(change(line.home).model_dump_json())
        page = {
            "epoch": "first", "items": [{**row, "kind": "dream"}, row], "scope_removed": [], "cursor": "1",
            "more": False, "settled_seq": 0, "server_time": line.desk.now().isoformat(),
        }  # fmt: skip
        return httpx.Response(200, json=page)

    line.county.fails("/sync/pull", newer)

    assert await line.syncer.sync_once()
    assert [home.id for home in line.store.entities.all(HouseholdOut)] == [line.home.id]


async def test_a_long_push_goes_out_zipped_and_says_its_version(line: Line) -> None:
    for _ in range(20):
        line.record()
    seen: list[httpx.Request] = []
    line.county.fails("/sync/push", lambda request: seen.append(request))  # type: ignore[func-returns-value]

    await line.syncer.sync_once()

    [push] = seen
    assert push.headers["Content-Encoding"] == "gzip"
    assert len(push.content) < len(json.dumps(sent(push))) / 4
    assert sent(push)["schema_version"] == SCHEMA
    assert line.counts() == (0, 0, 20, 0)


async def test_a_sync_that_is_stopped_half_way_goes_on_when_the_app_comes_back(line: Line) -> None:
    visit_id = line.record()
    reached = asyncio.Event()

    def stored_and_then_paused(request: httpx.Request) -> httpx.Response:
        line.county.push(sent(request))
        reached.set()
        raise asyncio.CancelledError

    line.county.fails("/sync/push", stored_and_then_paused)

    stopped = asyncio.ensure_future(line.syncer.sync_once())
    await asyncio.gather(stopped, return_exceptions=True)
    between = line.counts()

    assert stopped.cancelled()
    assert reached.is_set()
    assert between == (0, 1, 0, 0)
    assert await line.syncer.sync_once()
    assert line.counts() == (0, 0, 1, 0)
    assert line.stored() == [str(visit_id)]


async def test_what_somebody_has_decided_elsewhere_waits_on_this_phone_no_longer(line: Line) -> None:
    visit_id = line.record()
    line.county.refuses[str(visit_id)] = Code.handed_over
    await line.syncer.sync_once()
    [entry] = line.store.outbox.entries(State.refused)
    item = ConflictOut(
        id=uuid7(), area_code=line.home.area_code, kind="visit.record", entity_id=visit_id, op_id=entry.op_id,
        device_id=line.desk.phone.device_id, code="handed_over", sentence="", subject="何长顺", fields=[],
        mine=ConflictSide(name="张敏", at=line.desk.now()), theirs=None, rescued=False, choices=[],
        state=ConflictState.open, choice=None, note="", settled_by="", settled_at=None, rev=1,
        received_at=line.desk.now(),
    )  # fmt: skip

    line.county.rows.append(change(item))
    await line.syncer.sync_once()
    open_ = line.counts()
    line.county.rows.append(change(item.model_copy(update={"state": ConflictState.settled, "rev": 2})))
    await line.syncer.sync_once()

    assert (open_, line.counts()) == ((0, 0, 0, 1), (0, 0, 0, 0))
    assert [one.state for one in line.store.entities.all(ConflictOut)] == [ConflictState.settled]


def an_app(folder: Path, county: County) -> AppContext:
    def connect(server: str, tokens: TokenOut | None) -> Client:
        return Client(server, tokens, transport=county.transport())

    return AppContext(folder, fakes.ports(), Hands(), make_client=connect, start_syncing=False)


async def sign_in(app: AppContext) -> bool:
    app.login.username, app.login.password, app.login.consent = "zhangmin", "demo", True
    done: bool = await app.login.sign_in()
    return done


async def with_an_unsent_visit(app: AppContext) -> None:
    await sign_in(app)
    await app.session.syncer.sync_once()
    app.session.visit_form(app.session.today.next_door.household_id).choose_outcome("absent")
    app.now.move(seconds=11)  # type: ignore[attr-defined]


@pytest.fixture
def fengxian() -> County:
    return County(me(), rows=[change(cell()), change(household())])


async def test_the_user_of_a_phone_that_was_shut_out_reads_what_became_of_the_rest(
    tmp_path: Path, fengxian: County
) -> None:
    app = an_app(tmp_path, fengxian)
    await with_an_unsent_visit(app)
    fengxian.fails("/sync/push", refuse(Code.device_revoked))

    await app.session.syncer.sync_once()

    assert app.session is None
    assert app.login.error == "这台手机已停用，没送出的 1 条已交给社区核对。"
    assert len(fengxian.rescued) == 1
    assert not app.resume()
    await app.close()


async def test_what_could_not_be_handed_in_is_handed_in_at_the_next_sign_in(tmp_path: Path, fengxian: County) -> None:
    app = an_app(tmp_path, fengxian)
    await with_an_unsent_visit(app)
    fengxian.fails("/sync/push", refuse(Code.device_revoked))
    fengxian.fails("/sync/rescue", no_network)
    await app.session.syncer.sync_once()
    first = app.login.error
    fengxian.fails(f"/devices/{app.phone.device_id}", refuse(Code.device_revoked), refuse(Code.device_revoked))

    signed_in = await sign_in(app)
    second = app.login.error
    await sign_in(app)

    assert first == "这台手机已停用。没送出的 1 条还锁在手机里，有网时再登录一次，就会交给社区核对。"
    assert (signed_in, app.session) == (False, None)
    assert second == "这台手机已停用，没送出的 1 条已交给社区核对。"
    assert app.login.error == "这台手机已停用，里面的资料已清空。"
    assert len(fengxian.rescued) == 1
    await app.close()


async def test_an_app_that_knows_more_kinds_of_rows_reads_everything_again_once(line: Line) -> None:
    await line.syncer.sync_once()
    line.store._db.put_meta("kinds", ["household"])  # as an older version left it
    reopened = [line.desk.open() for _ in range(2)]
    first, second = (Syncer(one, line.client, line.status, line.desk.now) for one in reopened)

    before = [home.id for home in reopened[0].entities.all(HouseholdOut)]
    await first.sync_once()
    again = line.desk.open()
    await second.sync_once()

    assert before == [line.home.id]
    assert line.county.cursors == [None, None, "1"]
    assert again.cursor() == "1"
