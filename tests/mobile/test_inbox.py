"""消息: what is noticed on the phone, once each, and when the phone may ring."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.core.session import AppContext, Session
from mobile.device.fakes import RecordedNotifications
from mobile.inbox.viewmodel import Inbox
from mobile.inbox.watch import FEW
from mobile.store.outbox import State
from shared.auth import MeOut, Role
from shared.conflicts import ConflictChoice, ConflictOut, ConflictSide, ConflictState, mark_of
from shared.errors import Code
from shared.links import DuplicateState
from shared.matching import OfferState, TaskState
from shared.register import MoveOut, Mover, MoveState
from shared.requests import RequestState, Urgency
from shared.rounds import AlertKind, AlertOut
from shared.types import WireOut, uuid7
from shared.visits import CorrectionKind, CorrectionOut, CorrectionState
from shared.volunteers import ServiceState
from tests.mobile.app_parts import an_app, signed_in
from tests.mobile.county import County
from tests.mobile.phone_parts import (
    CELL,
    MONDAY,
    MORNING,
    cell,
    change,
    household,
    me,
    offer,
    pair,
    resident,
    service,
    sketch,
    task,
    volunteer,
)
from tests.mobile.request_parts import request

HOME = household()
PERSON = resident(HOME)
NIGHT = MORNING.replace(hour=14, minute=30)
"""22:30 in the county."""


async def phone_of(folder: Path, person: MeOut, *rows: WireOut) -> tuple[AppContext, County]:
    county = County(person)
    return await signed_in(folder, county, *rows), county


async def worker(folder: Path, *rows: WireOut) -> tuple[AppContext, County]:
    return await phone_of(folder, me(), cell(), HOME, PERSON, *rows)


async def comes(ctx: AppContext, county: County, *rows: WireOut) -> Inbox:
    """The server has something new, and the phone asks."""
    county.rows += [change(row) for row in rows]
    assert await ctx.session.syncer.sync_once()
    return ctx.session.inbox


def texts(inbox: Inbox) -> list[str]:
    return [line.text for line in inbox.lines]


def rings(ctx: AppContext) -> list[tuple[str, str]]:
    told = ctx.ports.notifications
    assert isinstance(told, RecordedNotifications)
    return told.shown


def correction(**values: Any) -> CorrectionOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "household_id": HOME.id,
        "resident_id": PERSON.id,
        "visit_id": uuid7(),
        "what": CorrectionKind.phone,
        "said": "",
        "noted_by": "王芳",
        "state": CorrectionState.open,
        "reason": "",
        "settled_by": "",
        "rev": 1,
        "received_at": MORNING,
    }
    return CorrectionOut(**{**usual, **values})


def move(**values: Any) -> MoveOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "from_area_code": "610330100009001",
        "movers": [Mover(resident_id=uuid7(), name="马小军", phone=None)],
        "out_on": MONDAY,
        "words": "",
        "state": MoveState.expected,
        "overdue": False,
        "settled_on": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return MoveOut(**{**usual, **values})


def conflict(**values: Any) -> ConflictOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL,
        "kind": "resident.edit",
        "entity_id": PERSON.id,
        "op_id": uuid7(),
        "device_id": uuid7(),
        "code": "overtaken",
        "sentence": "",
        "subject": "何长顺",
        "fields": [],
        "mine": ConflictSide(name="王芳", at=MORNING),
        "theirs": None,
        "rescued": False,
        "choices": [ConflictChoice.theirs],
        "state": ConflictState.open,
        "choice": None,
        "note": "",
        "settled_by": "",
        "settled_at": None,
        "rev": 1,
        "received_at": MORNING,
    }
    return ConflictOut(**{**usual, **values})


def alert(**values: Any) -> AlertOut:
    usual: dict[str, Any] = {
        "id": uuid7(),
        "area_code": CELL[:6],
        "kind": AlertKind.cold,
        "from_day": date(2026, 11, 24),
        "last_day": date(2026, 11, 26),
        "words": "夜里降到零下 8 度",
        "issued_by": "县气象台",
        "rev": 1,
        "received_at": MORNING,
    }
    return AlertOut(**{**usual, **values})


def again(row: WireOut, **values: Any) -> Any:
    """The same row as it was changed on the server."""
    return row.model_copy(update={"rev": getattr(row, "rev", 1) + 1, **values})


TWINS = pair(sketch(PERSON, HOME), sketch(resident(HOME, name="何常顺"), HOME))
ERRAND = request(HOME)
OURS = request(HOME, handler_name="王芳")
MOVE = move()

WORKERS_NEWS: dict[str, tuple[list[WireOut], WireOut, str, str]] = {
    "an alert": ([], alert(), "寒潮预警，11月24日到11月26日：夜里降到零下 8 度", "today"),
    "a request": ([], ERRAND, "来了一件求助：代买东西，何长顺家 3号楼2单元 302", "request"),
    "danger": ([], request(HOME, urgency=Urgency.danger), "急事：代买东西，何长顺家 3号楼2单元 302", "request"),
    "handed to me": ([OURS], again(OURS, handler_name="张敏"), "转给您办了：代买东西，原来是王芳办", "request"),
    "handed on": ([ERRAND], again(ERRAND, handler_name="王芳"), "换了人办：代买东西，从张敏转给王芳", "request"),
    "a move": ([], MOVE, "马小军要搬来，等您上门核实", "check"),
    "a late move": ([MOVE], again(MOVE, overdue=True), "马小军要搬来，过了期限还没核实", "check"),
    "a doubt": ([], correction(), "何长顺：电话不对，王芳记的，等您核对", "check"),
    "twins": ([], TWINS, "何长顺、何常顺可能登记重了，等您核对", "check"),
    "a conflict": ([], conflict(), "何长顺：两边写的不一样，等您定", "check"),
}


@pytest.mark.parametrize("news", WORKERS_NEWS)
async def test_what_concerns_a_worker_is_noticed_in_one_sentence(tmp_path: Path, news: str) -> None:
    held, row, sentence, route = WORKERS_NEWS[news]
    ctx, county = await worker(tmp_path, *held)

    inbox = await comes(ctx, county, row)

    assert [(line.text, line.route, line.new) for line in inbox.lines] == [(sentence, route, True)]
    assert inbox.unread_text == "1 条没看"
    await ctx.close()


QUIET_ROWS: dict[str, tuple[list[WireOut], WireOut]] = {
    "a request that is over": ([], request(HOME, state=RequestState.closed)),
    "a request whose words changed": ([ERRAND], again(ERRAND, detail="买米")),
    "a move to another cell": ([], move(area_code="610330100009001")),
    "my own doubt": ([], correction(noted_by="张敏")),
    "a settled pair": ([TWINS], again(TWINS, state=DuplicateState.distinct)),
    "an alert that is over": ([], alert(from_day=date(2026, 11, 1), last_day=date(2026, 11, 2))),
    "a household": ([], household(head_name="王改萍")),
}


@pytest.mark.parametrize("row", QUIET_ROWS)
async def test_what_asks_nothing_of_a_worker_makes_no_noise(tmp_path: Path, row: str) -> None:
    held, came = QUIET_ROWS[row]
    ctx, county = await worker(tmp_path, *held)

    inbox = await comes(ctx, county, came)

    assert texts(inbox) == []
    await ctx.close()


async def test_what_concerns_a_volunteer_is_noticed_in_one_sentence(tmp_path: Path) -> None:
    teacher = me(Role.volunteer, name="周老师")
    assert teacher.volunteer_id
    asked, promised, served = offer(teacher.volunteer_id), offer(teacher.volunteer_id), service(teacher, MONDAY, 40)
    held = task(promised)
    waiting = again(served, state=ServiceState.waiting)
    ctx, county = await phone_of(tmp_path, teacher, volunteer(teacher), held, waiting)

    await comes(ctx, county, asked)
    await comes(ctx, county, again(asked, state=OfferState.recalled))
    later = again(held, starts_at=held.starts_at + timedelta(hours=1) if held.starts_at else None)
    await comes(ctx, county, later)
    await comes(ctx, county, again(later, state=TaskState.cancelled))
    inbox = await comes(ctx, county, again(waiting, state=ServiceState.confirmed))

    assert sorted(texts(inbox)) == [
        "不用答复了：陪着去医院的邀请收回了",
        "双方都确认了：送药上门 40 分",
        "取消了：陪着去医院，不用去了",
        "有人找您：陪着去医院，11月24日 周二 9:00，新建路社区东边",
        "有变动：陪着去医院，改到11月24日 周二 10:00",
    ]
    assert {line.route for line in inbox.lines} == {"offers", "tasks", "hours"}
    await ctx.close()


async def test_a_refused_operation_is_noticed_and_so_is_who_decided_about_it(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    form = ctx.session.visit_form(HOME.id)
    form.choose_outcome("seen")
    form.save()
    ctx.now.move(seconds=11)
    entry = ctx.session.store.outbox.entries(State.unsent)[0]
    county.refuses[str(entry.entity_id)] = Code.in_the_future
    open_one = conflict(op_id=entry.op_id, device_id=mark_of(ctx.session.store.device_id))
    settled = {"state": ConflictState.settled, "choice": ConflictChoice.mine, "settled_by": "李主任"}

    await comes(ctx, county, open_one)
    refused = texts(ctx.session.inbox)
    inbox = await comes(ctx, county, again(open_one, **settled))

    assert len(refused) == 1
    assert refused[0].startswith(f"被退回：{entry.title}。")
    decided = next(line for line in inbox.lines if line.text == "您记的何长顺，李主任定了：用晚到的")
    assert (decided.route, decided.arguments) == ("person", {"resident_id": str(PERSON.id)})
    await ctx.close()


async def test_what_i_did_myself_is_no_news_when_it_comes_back(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path, OURS)
    detail = ctx.session.request(OURS.id)
    detail.choose(next(step for step in detail.steps if step.to == "handling"))
    ctx.now.move(seconds=11)

    inbox = await comes(ctx, county, again(OURS, state=RequestState.handling, handler_name="张敏"))

    assert texts(inbox) == []
    await ctx.close()


async def test_neither_a_first_sync_nor_a_full_one_makes_anything_unread(tmp_path: Path) -> None:
    many = [request(HOME, number=str(n)) for n in range(30)]
    ctx, county = await worker(tmp_path, *many)
    first = texts(ctx.session.inbox)
    inbox = await comes(ctx, county, request(HOME, category="street_lamp", place_note="桥头"))
    inbox.read_all()

    ctx.session.store.drop_cursor()
    assert await ctx.session.syncer.sync_once()

    assert first == []
    assert texts(inbox) == ["来了一件事件：路灯不亮，何长顺家 3号楼2单元 302"]
    assert (inbox.unread, inbox.unread_text) == (0, "")
    await ctx.close()


async def test_what_was_read_stays_read_after_a_restart_and_is_kept_for_thirty_days(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    await comes(ctx, county, alert())
    ctx.now.move(minutes=1)
    inbox = await comes(ctx, county, ERRAND)
    inbox.read(inbox.lines[1].key)
    await ctx.close()

    ctx = an_app(tmp_path, county)
    ctx.resume()
    after_restart = [(line.text[:2], line.new) for line in ctx.session.inbox.lines]
    ctx.now.at = MORNING + timedelta(days=30, seconds=30)
    ctx.session.inbox.refresh()

    assert after_restart == [("来了", True), ("寒潮", False)]
    assert [text[:2] for text in texts(ctx.session.inbox)] == ["超期", "来了"]
    await ctx.close()


async def test_a_week_s_worth_of_one_sort_is_one_notice(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    county.page_size = 10

    inbox = await comes(ctx, county, *(request(HOME, number=str(n)) for n in range(4 * FEW)))

    lots = [line for line in inbox.lines if line.text.startswith("新来")]
    assert [(line.route, line.arguments) for line in lots] == [("todo", {})]
    assert len(inbox.lines) <= 1 + FEW
    await ctx.close()


async def test_a_deadline_that_passes_is_noticed_without_any_network(tmp_path: Path) -> None:
    ctx, _county = await worker(tmp_path, ERRAND)
    ctx.now.move(days=3)
    ctx.session.inbox.refresh()
    on_the_day = texts(ctx.session.inbox)
    ctx.now.move(days=1)
    ctx.session.inbox.refresh()
    ctx.now.move(days=1)
    ctx.session.inbox.refresh()

    assert on_the_day == []
    assert texts(ctx.session.inbox) == ["超期了：代买东西，何长顺家 3号楼2单元 302"]
    await ctx.close()


async def test_signing_out_takes_the_notices_off_the_phone(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    await comes(ctx, county, ERRAND)
    session: Session = ctx.session

    session.store.sign_out()

    assert session.store.inbox() == {}
    await ctx.close()


async def test_a_phone_that_nobody_looks_at_rings_once_a_sync_and_names_nobody(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    await comes(ctx, county, alert())
    in_sight = list(rings(ctx))
    ctx.away = True

    await comes(ctx, county, ERRAND, correction())
    assert await ctx.session.syncer.sync_once()

    assert in_sight == []
    assert rings(ctx) == [("邻格", "2 件新的事")]
    await ctx.close()


async def test_behind_the_lock_it_rings_too(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    ctx.lock.set_pin("2580")
    ctx.lock.lock()

    await comes(ctx, county, ERRAND)

    assert rings(ctx) == [("邻格", "1 件新的事")]
    await ctx.close()


async def test_at_night_only_danger_rings_and_the_rest_waits_for_the_morning(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    ctx.away, ctx.now.at = True, NIGHT

    await comes(ctx, county, alert())
    quiet = list(rings(ctx))
    ctx.now.move(hours=10)
    await ctx.session.syncer.sync_once()
    morning = list(rings(ctx))
    ctx.now.at = NIGHT + timedelta(days=1)
    await comes(ctx, county, request(HOME, urgency=Urgency.danger))

    assert quiet == []
    assert morning == [("邻格", "1 件新的事")]
    assert rings(ctx)[1:] == [("急事", "请马上打开邻格看看")]
    await ctx.close()


@pytest.mark.parametrize(("hours", "rung"), [((9 * 60, 12 * 60), False), ((0, 0), True)])
async def test_a_volunteer_s_own_quiet_hours_count(tmp_path: Path, hours: tuple[int, int], rung: bool) -> None:
    """At 10:42, which is quiet for one and not for the other."""
    teacher = me(Role.volunteer, name="周老师")
    assert teacher.volunteer_id
    own = volunteer(teacher).model_copy(update={"quiet_from": hours[0], "quiet_until": hours[1]})
    ctx, county = await phone_of(tmp_path, teacher, own)
    ctx.away = True

    await comes(ctx, county, offer(teacher.volunteer_id))

    assert bool(rings(ctx)) is rung
    await ctx.close()


async def test_a_row_that_cannot_be_read_costs_its_notice_and_not_the_sync(tmp_path: Path) -> None:
    ctx, county = await worker(tmp_path)
    strange = change(alert())
    assert strange.body
    county.rows.append(strange.model_copy(update={"body": {**strange.body, "kind": "hail"}}))

    inbox = await comes(ctx, county, ERRAND)

    assert [text[:2] for text in texts(inbox)] == ["来了"]
    await ctx.close()


async def test_a_worker_is_told_nothing_of_what_their_volunteers_are_asked(tmp_path: Path) -> None:
    somebody = me(Role.volunteer)
    ctx, county = await worker(tmp_path)
    asked, promised = offer(somebody.volunteer_id), offer(somebody.volunteer_id)
    done = task(promised, state=TaskState.accepted)

    await comes(ctx, county, asked, done, service(somebody, MONDAY, 40))
    inbox = await comes(ctx, county, again(asked, state=OfferState.recalled), again(done, state=TaskState.cancelled))

    assert texts(inbox) == []
    assert rings(ctx) == []
    await ctx.close()
