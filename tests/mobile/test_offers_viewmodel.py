"""求助邀请 and 我的任务 without a window."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mobile.core.texts import SHANGHAI
from mobile.device import fakes
from mobile.device.ports import DeviceFix, Ports
from mobile.offers import rules
from mobile.offers.forgotten import Forgotten
from mobile.offers.task import TaskBoard
from mobile.offers.viewmodel import Invitations
from mobile.store.outbox import State
from shared.auth import Role
from shared.matching import OfferOut, OfferState, TaskOut, TaskState
from shared.sync import Answer, Outcome, PushOut
from tests.mobile.phone_parts import MORNING, Desk, me, offer, page, task, volunteer


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, me(Role.volunteer, name="周老师"))


@pytest.fixture
def ports() -> Ports:
    return fakes.ports()


def invited(desk: Desk, **values: object) -> OfferOut:
    assert desk.me.volunteer_id is not None
    made = offer(desk.me.volunteer_id, **values)
    desk.holds(made, volunteer(desk.me))
    return made


def an_invitation(desk: Desk, ports: Ports) -> Invitations:
    return Invitations(desk.store, desk.me, ports, desk.now)


def pushed(desk: Desk) -> list[tuple[str, dict[str, object]]]:
    return [(operation["kind"], operation["fields"]) for operation in desk.store.outbox.take_batch(9)]


def test_an_invitation_says_what_when_where_and_why_me(desk: Desk, ports: Ports) -> None:
    invited(desk)

    home = an_invitation(desk, ports)

    card = home.offer
    assert home.greeting == "周老师，有人找您"
    assert (card.title, card.when, card.when_sub) == (
        "陪着去医院",
        "明天 上午 9:00–11:00",
        "11月24日 周二，大约 2 小时",
    )
    assert (card.where, card.where_sub) == ("新建路社区东边", "离您 600 米左右，答应后才看到门牌")
    assert card.reasons == [("calendar-check", "周二上午您正好有空")]
    assert card.expiry == "今天 18:00 前答复就行，不方便不用勉强"
    assert card.home == (106.51, 33.90)


def test_large_print_says_hours_as_people_do_and_leaves_out_the_rest(desk: Desk, ports: Ports) -> None:
    invited(desk)

    large = an_invitation(desk, ports).offer.large

    assert (large.when, large.when_sub, large.where_sub) == ("明天 周二", "上午 9 点到 11 点", "离您 600 米左右")


def test_large_print_leaves_an_open_time_open(desk: Desk, ports: Ports) -> None:
    invited(desk, starts_at=None, ends_at=None)

    large = an_invitation(desk, ports).offer.large

    assert (large.when, large.when_sub) == ("时间您来定", "大约 2 小时")


def test_nobody_asking_is_a_greeting_and_not_an_error(desk: Desk, ports: Ports) -> None:
    home = an_invitation(desk, ports)

    assert (home.greeting, home.offer) == ("周老师，您好", None)


def test_a_yes_is_pushed_at_once(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    home, said = an_invitation(desk, ports), []
    home.bind(on_accepted=lambda _home, sentence: said.append(sentence))

    home.accept()
    home.refresh()

    assert said == ["答应了：陪着去医院"]
    assert (home.offer, home.has_accepted, home.can_undo) == (None, True, True)
    assert home.accepted_line == "答应还在手机里，有网络就送出"
    assert pushed(desk) == [("offer.accept", {})]
    kept = desk.store.entities.get(OfferOut, made.id)
    assert kept is not None
    assert kept.state is OfferState.accepted


def test_a_yes_that_has_not_left_is_undone_without_a_trace(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    home = an_invitation(desk, ports)
    home.accept()

    undone = home.undo()
    home.refresh()

    assert undone
    assert pushed(desk) == []
    assert home.offer.id == made.id


def test_a_yes_that_has_left_is_undone_by_handing_back(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    home = an_invitation(desk, ports)
    home.accept()
    desk.store.outbox.take_batch(9)
    desk.holds(task(made))

    undone = home.undo()

    assert undone
    assert pushed(desk)[1] == ("task.hand_back", {"reason": "一分钟内撤销"})
    assert not TaskBoard(desk.store, ports, desk.now).has_task


def test_after_a_minute_a_yes_stands(desk: Desk, ports: Ports) -> None:
    invited(desk)
    home = an_invitation(desk, ports)
    home.accept()

    desk.now.move(seconds=61)
    home.refresh()

    assert not home.can_undo
    assert not home.undo()


def test_a_no_needs_no_reason_and_brings_the_next_one(desk: Desk, ports: Ports) -> None:
    later = invited(desk, title="送药上门", expires_at=MORNING + timedelta(hours=9))
    invited(desk)
    home = an_invitation(desk, ports)
    more = home.more

    home.decline()
    home.refresh()
    second = home.offer.id
    home.decline("busy")
    home.refresh()

    assert (more, second) == (1, later.id)
    assert home.offer is None
    assert pushed(desk) == [("offer.decline", {}), ("offer.decline", {"reason": "busy"})]


def test_one_may_look_at_the_next_without_answering(desk: Desk, ports: Ports) -> None:
    first = invited(desk)
    second = invited(desk, expires_at=MORNING + timedelta(hours=9))
    home = an_invitation(desk, ports)

    seen = [home.offer.id]
    for _ in range(2):
        home.next_offer()
        seen.append(home.offer.id)

    assert seen == [first.id, second.id, first.id]


def test_an_expired_offer_is_not_shown(desk: Desk, ports: Ports) -> None:
    invited(desk)
    home = an_invitation(desk, ports)

    desk.now.move(hours=8)
    home.refresh()

    assert home.offer is None


def test_somebody_was_faster_and_it_is_said_kindly(desk: Desk, ports: Ports) -> None:
    invited(desk)
    home = an_invitation(desk, ports)
    home.accept()
    answer = Answer(
        op_id=None, index=0, outcome=Outcome.rejected, code="offer_taken", sentence="已经有人答应了，谢谢您。"
    )
    batch = desk.store.outbox.take_batch(9)
    desk.store.take_receipt(batch, PushOut(epoch="first", settled_seq=1, answers=[answer], server_time=MORNING))

    home.refresh()
    said = home.notice
    home.clear_notice()
    home.refresh()

    assert said == "已经有人答应了，谢谢您。"
    assert home.notice == ""
    assert desk.store.outbox.counts()[State.refused] == 0


def test_an_invitation_can_be_read_aloud(desk: Desk, ports: Ports) -> None:
    invited(desk)

    an_invitation(desk, ports).speak()

    assert isinstance(ports.speech, fakes.RecordedSpeech)
    assert ports.speech.spoken == [
        "陪着去医院。挂号、取药，有人陪着就好。明天 上午 9:00–11:00。新建路社区东边。离您 600 米左右。"
    ]


def test_the_door_is_awaited_until_the_server_has_answered(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    an_invitation(desk, ports).accept()
    board = TaskBoard(desk.store, ports, desk.now)
    waiting = (board.waiting, board.has_task)

    desk.store.take_page(page(task(made)), [])
    board.refresh()

    assert waiting == (True, False)
    assert (board.waiting, board.has_task) == (False, True)
    assert (board.person_name, board.age_text, board.phone) == ("李秀英", "78 岁", "126 0000 4417")
    assert board.door == "新建路 18 号院 2号楼1单元 202"


def test_the_steps_go_on_one_by_one_and_minutes_are_whole(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    desk.holds(task(made, accepted_at=MORNING - timedelta(hours=19)))
    board = TaskBoard(desk.store, ports, desk.now)
    before = (board.action_text, board.done_steps, board.steps[0])

    board.act()
    board.refresh()
    desk.now.move(minutes=42, seconds=50)
    board.tick()
    during = (board.action_text, board.state_word, board.minutes_text, board.steps[1])
    board.act()
    board.refresh()

    assert before == ("签到", 1, ("答应", "昨天 15:42"))
    assert during == ("签退", "服务中", "42 分钟", ("签到", "10:42"))
    assert not board.has_task
    assert [(kind, list(fields)) for kind, fields in pushed(desk)] == [
        ("task.check_in", ["at"]),
        ("task.check_out", ["at"]),
    ]


def test_being_late_is_said_once_and_a_task_can_be_handed_back(desk: Desk, ports: Ports) -> None:
    desk.holds(task(invited(desk)))
    board = TaskBoard(desk.store, ports, desk.now)

    board.late()
    board.refresh()
    board.late()
    board.hand_back("身体不舒服")
    board.refresh()

    assert not board.has_task
    assert pushed(desk) == [("task.late", {}), ("task.hand_back", {"reason": "身体不舒服"})]


def test_the_task_being_served_comes_first_and_ended_ones_are_not_shown(desk: Desk, ports: Ports) -> None:
    waiting, serving, ended = (invited(desk, title=title) for title in ("送餐", "聊天", "代买"))
    desk.holds(
        task(waiting),
        task(serving, state=TaskState.serving, checked_in_at=MORNING),
        task(ended, state=TaskState.finished),
    )
    board = TaskBoard(desk.store, ports, desk.now)
    first = board.title

    board.next_task()

    assert (first, board.title, board.tasks) == ("聊天", "送餐", 2)


def test_ringing_uses_the_number_of_the_task(desk: Desk, ports: Ports) -> None:
    desk.holds(task(invited(desk)))

    TaskBoard(desk.store, ports, desk.now).dial()

    assert isinstance(ports.dialer, fakes.RecordedDialer)
    assert ports.dialer.dialled == ["12600004417"]


def a_night(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 23, hour, minute, tzinfo=SHANGHAI)


def test_who_pauses_is_told_that_nobody_will_ask(desk: Desk, ports: Ports) -> None:
    desk.holds(volunteer(desk.me, active=False))

    home = an_invitation(desk, ports)

    assert home.empty_title == "您在歇一歇"


def test_after_a_yes_the_way_is_told_from_where_the_phone_is_or_from_home(desk: Desk, ports: Ports) -> None:
    made = invited(desk)
    desk.holds(task(made, lon=106.51, lat=33.909, door="新建路 18 号院 2号楼1单元 202"))
    from_home = TaskBoard(desk.store, ports, desk.now)
    ports.location._last = DeviceFix(106.51 - 0.0054, 33.909, 10, MORNING)
    from_here = TaskBoard(desk.store, ports, desk.now)
    lines = (from_home.route_line, from_home.way_in, from_here.route_line)

    from_here.act()
    from_here.refresh()

    assert lines == (
        "从您家往北 1 公里，走路 15 分钟", "先找新建路 18 号院，再找 2号楼1单元", "从您这里往东 499 米，走路 8 分钟",
    )  # fmt: skip
    assert from_here.route_line == ""


def test_a_map_app_is_asked_for_the_yard_and_never_for_the_door(desk: Desk, ports: Ports) -> None:
    desk.holds(task(invited(desk), door="新建路 18 号院 2号楼1单元 202"))
    desk.store.keep_me(desk.me)
    board = TaskBoard(desk.store, ports, desk.now)

    found = [board.find_way()]
    ports.maps.installed = False
    found.append(board.find_way())

    assert found == [True, False]
    assert ports.maps.sought == ["凤县新建路 18 号院"] * 2


@pytest.mark.parametrize(("lon", "lat", "word"), [(1, 1, "东北"), (-1, 0, "西"), (0, -1, "南"), (1, -1, "东南")])
def test_directions_are_those_of_the_compass(lon: float, lat: float, word: str) -> None:
    assert rules.direction((106.5, 33.9), (106.5 + lon / 100, 33.9 + lat / 120)) == word


@pytest.mark.parametrize("door", ["", "凤凰村三组", "新建路 18 号院 202"])
def test_a_door_without_a_stairwell_is_said_once(door: str) -> None:
    assert rules.way_in(door) == ""


def served_since(desk: Desk, begun: datetime, **values: object) -> TaskOut:
    assert desk.me.volunteer_id is not None
    made = task(offer(desk.me.volunteer_id), state=TaskState.serving, accepted_at=begun, checked_in_at=begun, **values)
    desk.holds(made)
    return made


YESTERDAY = datetime(2026, 11, 22, 9, 3, tzinfo=SHANGHAI)


def test_a_forgotten_leaving_is_asked_about_the_next_morning(desk: Desk) -> None:
    served_since(desk, YESTERDAY)
    moments = [YESTERDAY.replace(hour=23), a_night(0, 30), a_night(4, 59), a_night(5)]

    asked = []
    for desk.now.at in moments:
        asked.append(Forgotten(desk.store, desk.now).open)

    forgotten = Forgotten(desk.store, desk.now)
    assert asked == [False, False, False, True]
    assert (forgotten.title, [word for _, word, _ in forgotten.options]) == (
        "昨天陪到几点？",
        ["10:00", "11:00", "12:00"],
    )


def test_a_task_begun_today_or_not_begun_is_not_asked_about(desk: Desk) -> None:
    served_since(desk, a_night(8))
    desk.holds(task(offer(desk.me.volunteer_id), accepted_at=YESTERDAY))

    assert not Forgotten(desk.store, desk.now).open


@pytest.mark.parametrize(
    ("minutes", "begun", "words"),
    [
        (20, YESTERDAY, ["9:15", "9:30", "9:45"]),
        (40, YESTERDAY, ["9:30", "9:45", "10:00"]),
        (1200, YESTERDAY.replace(hour=20), ["6:00"]),
    ],
)
def test_the_times_offered_lie_after_the_arrival_and_before_now(
    desk: Desk, minutes: int, begun: datetime, words: list[str]
) -> None:
    served_since(desk, begun, minutes=minutes)

    options = Forgotten(desk.store, desk.now).options

    assert [word for _, word, _ in options] == words
    assert all(begun < datetime.fromisoformat(moment) <= desk.now.at for moment, _, _ in options)


def test_the_answer_is_a_leaving_at_that_time_and_shown_at_once(desk: Desk, ports: Ports) -> None:
    made = served_since(desk, YESTERDAY)
    forgotten, said = Forgotten(desk.store, desk.now), []
    forgotten.bind(on_answered=lambda _vm, sentence: said.append(sentence))

    forgotten.answer(forgotten.options[1][0])
    forgotten.refresh()
    held = pushed(desk)
    desk.now.move(seconds=11)

    [(kind, fields)] = pushed(desk)
    assert (held, kind, said) == ([], "task.check_out", ["记下了：补签退"])
    assert datetime.fromisoformat(str(fields["at"])) == YESTERDAY.replace(hour=11, minute=0)
    assert not forgotten.open
    assert not TaskBoard(desk.store, ports, desk.now).has_task
    kept = desk.store.entities.get(TaskOut, made.id)
    assert kept is not None
    assert kept.checked_out_at == YESTERDAY.replace(hour=11, minute=0)


def test_who_did_not_go_hands_the_task_back(desk: Desk) -> None:
    served_since(desk, YESTERDAY)
    forgotten = Forgotten(desk.store, desk.now)

    forgotten.did_not_go()
    desk.now.move(seconds=11)

    assert pushed(desk) == [("task.hand_back", {"reason": "没去成"})]


def test_an_answer_is_taken_back_while_it_has_not_left(desk: Desk) -> None:
    served_since(desk, YESTERDAY)
    forgotten = Forgotten(desk.store, desk.now)
    forgotten.did_not_go()

    undone = [forgotten.undo() for _ in range(2)]
    forgotten.refresh()
    desk.now.move(seconds=11)

    assert undone == [True, False]
    assert forgotten.open
    assert pushed(desk) == []


def test_who_is_still_there_is_asked_again_at_the_next_opening_only(desk: Desk) -> None:
    first = served_since(desk, YESTERDAY - timedelta(hours=1))
    second = served_since(desk, YESTERDAY)
    forgotten = Forgotten(desk.store, desk.now)
    asked = [forgotten.task_id]

    forgotten.still_there()
    asked.append(forgotten.task_id)
    forgotten.still_there()

    assert asked == [first.id, second.id]
    assert not forgotten.open
    assert pushed(desk) == []
    assert Forgotten(desk.store, desk.now).open
