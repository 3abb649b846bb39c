"""同步情况 and the chip without a window."""

from pathlib import Path

import pytest

from mobile.device import fakes
from mobile.store.outbox import State
from mobile.sync.status import SyncStatus
from mobile.sync.viewmodel import SyncScreen
from mobile.visits.form import VisitForm
from shared.residents import HouseholdOut
from shared.sync import Answer, OperationKind, Outcome, PushOut
from shared.types import uuid7
from tests.mobile.phone_parts import MORNING, Desk, household


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def a_screen(desk: Desk) -> SyncScreen:
    return SyncScreen(desk.store, SyncStatus(desk.store, desk.now), desk.now, lambda: None)


def a_form(desk: Desk, home: HouseholdOut) -> VisitForm:
    return desk.visit_form(home, fakes.ports())


def answered(desk: Desk, *outcomes: Outcome) -> None:
    desk.now.move(seconds=11)
    batch = desk.store.outbox.take_batch(9)
    answers = [
        Answer(op_id=None, index=index, outcome=outcome, sentence="时间比现在还晚，请检查手机的日期和时间。")
        for index, outcome in enumerate(outcomes)
    ]
    receipt = PushOut(epoch="first", settled_seq=len(batch), answers=answers, server_time=MORNING)
    desk.store.take_receipt(batch, receipt)


def test_each_record_stands_in_exactly_one_list_with_its_words(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    for _ in range(3):
        a_form(desk, home).choose_outcome("absent")
    answered(desk, Outcome.applied, Outcome.rejected)
    a_form(desk, home).choose_outcome("absent")

    screen = a_screen(desk)

    status = screen.status
    assert (status.unsent, status.sent, status.accepted, status.refused) == (1, 1, 1, 1)
    assert [line.title for line in screen.refused] == ["何长顺一家 走访"]
    assert screen.refused[0].sentence == "时间比现在还晚，请检查手机的日期和时间。"
    assert (screen.refused_title, screen.unsent_title) == ("被退回 1 条，等您改", "在手机里 1 条")
    assert screen.sent_title == "已送达，等回执 1 条"
    assert screen.unsent[0].time == "今天 10:42"
    assert screen.last_line == "上次和服务器通上话：还没有"


def test_a_refused_visit_goes_back_into_its_form_and_is_replaced_by_the_corrected_one(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    first = a_form(desk, home)
    first.choose_outcome("seen")
    first.toggle_finding("heating")
    first.note = "炉子没装烟道"
    first.save()
    answered(desk, Outcome.rejected)
    screen = a_screen(desk)

    opened = screen.fix(screen.refused[0].op_id)
    again = a_form(desk, home)
    restored = (again.outcome, list(again.findings), again.note)
    before = desk.store.outbox.counts()[State.refused]
    again.save()

    assert opened == home.id
    assert restored == ("seen", ["heating"], "炉子没装烟道")
    counts = desk.store.outbox.counts()
    assert (before, counts[State.refused], counts[State.unsent]) == (1, 0, 1)


def test_only_what_cannot_be_done_again_is_put_aside(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    a_form(desk, home).choose_outcome("absent")
    desk.store.outbox.capture(OperationKind.offer_accept, uuid7(), {}, [], title="答应：送餐")
    answered(desk, Outcome.rejected, Outcome.rejected)
    screen = a_screen(desk)

    for line in screen.refused:
        screen.put_aside(line.op_id)
    screen.refresh()

    assert [(line.title, line.can_fix) for line in screen.refused] == [("何长顺一家 走访", True)]


def test_pressing_send_asks_the_loop(desk: Desk) -> None:
    pressed: list[int] = []
    screen = SyncScreen(desk.store, SyncStatus(desk.store, desk.now), desk.now, lambda: pressed.append(1))

    screen.send_now()

    assert pressed == [1]


def test_the_chip_is_green_only_when_nothing_waits(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    status = SyncStatus(desk.store, desk.now)
    seen = [(status.state, status.text)]

    a_form(desk, home).choose_outcome("absent")
    status.refresh()
    seen.append((status.state, status.text))
    status.begin()
    seen.append((status.state, status.text))
    answered(desk, Outcome.applied)
    status.end(None, desk.now())
    seen.append((status.state, status.text))

    assert seen == [
        ("accepted", "已送到"),
        ("unsent", "1 条在手机里"),
        ("sending", "正在送"),
        ("accepted", "已送到"),
    ]
    assert status.last_talk == "今天 10:42"
