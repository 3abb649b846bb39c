"""上报事件, 待办事项 and 帮他求助 without a window."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mobile.core.drafts import Draft
from mobile.device import fakes
from mobile.device.ports import DeviceFix, LocationTimeout
from mobile.requests import rules
from mobile.requests.detail import RequestDetail
from mobile.requests.help_form import HelpForm, time_options
from mobile.requests.places import Whereabouts, in_cell
from mobile.requests.report import ReportForm
from mobile.requests.todo import Reported, Todo, reported_on
from mobile.residents.checks import Checks
from mobile.store.outbox import State
from shared.requests import RequestIn, RequestOut, RequestState, Urgency
from shared.sync import Answer, OperationKind, Outcome
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, Desk, cell, household, resident
from tests.mobile.request_parts import SlowCamera, a_picture, request

HERE = DeviceFix(106.5201, 33.9101, 9, MORNING)
OTHER = CELL[:-1] + "4"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.holds(cell(), household())
    return desk


def a_report(desk: Desk, *script: DeviceFix | LocationTimeout) -> ReportForm:
    ports = fakes.ports(fakes.ScriptedLocation(*script))
    return ReportForm(desk.store, desk.me, ports, desk.now, desk.tray(ports))


def sent(desk: Desk) -> list[RequestIn]:
    desk.now.move(seconds=11)
    return [RequestIn.model_validate(operation["fields"]) for operation in desk.store.outbox.take_batch(9)]


def detail(desk: Desk, row: RequestOut) -> RequestDetail:
    return RequestDetail(desk.store, desk.me, desk.now, row.id)


def take(vm: RequestDetail, to: RequestState, reason: str = "") -> bool:
    step = next(step for step in vm.steps if step.to == to)
    if step.asks:
        vm.choose(step)
        vm.reason = reason
    return vm.choose(step)


async def test_a_report_says_what_where_and_is_written_at_once(desk: Desk) -> None:
    form = a_report(desk, HERE)
    await form.locate()
    assert (form.place.title, form.place.line) == ("杨家坪小区 3号楼附近", "第3网格 · 误差 9 米 · 刚刚定位")
    form.choose_kind("street_lamp")
    form.choose_urgency(Urgency.today.value)
    form.note = "从周五起"

    assert form.report()

    [body] = sent(desk)
    [row] = desk.store.entities.all(RequestOut)
    assert (body.category, body.detail, body.urgency) == ("street_lamp", "从周五起", Urgency.today)
    assert body.place
    assert (body.place.lon, body.place.crs) == (HERE.lon, "wgs84")
    assert (row.area_code, row.state, row.number, row.owner_name) == (CELL, RequestState.open, "", "张敏")
    assert (form.category, form.note, form.can_report) == ("", "", False)


async def test_without_a_position_the_only_cell_stands_for_the_place(desk: Desk) -> None:
    form = a_report(desk, LocationTimeout())
    form.choose_kind("noise")
    await form.locate()

    assert (form.place.title, form.place.line, form.place.ok) == ("第3网格", "还没定到位，照样能报", False)
    assert form.report()

    [body] = sent(desk)
    assert body.place_note == "第3网格"


async def test_a_position_that_comes_after_the_report_still_goes_with_it(desk: Desk) -> None:
    form = a_report(desk, HERE)
    form.choose_kind("noise")
    form.report()

    await form.locate()

    [body] = sent(desk)
    assert body.place
    assert body.place.lon == HERE.lon
    assert body.place_note == "杨家坪小区 3号楼附近"


async def test_a_position_that_comes_late_keeps_the_words_about_the_place(desk: Desk) -> None:
    form = a_report(desk, HERE)
    form.choose_kind("noise")
    form.place.landmark = "卫生站门口"
    form.report()

    await form.locate()

    [body] = sent(desk)
    assert body.place_note == "杨家坪小区 3号楼附近 卫生站门口"


@pytest.mark.parametrize(("found", "place"), [(LocationTimeout(), "第3网格"), (HERE, "杨家坪小区 3号楼附近")])
async def test_a_report_never_gets_the_place_that_was_chosen_for_the_next_one(
    desk: Desk, found: DeviceFix | LocationTimeout, place: str
) -> None:
    desk.holds(cell(), household(), household(compound="河滨小区", lon=106.525, lat=33.915))
    form = a_report(desk, found)
    form.choose_kind("noise")
    form.report()
    form.choose_kind("rubbish")
    form.place.choose("河滨小区")

    await form.locate()

    [body] = sent(desk)
    assert (body.category, body.place_note) == ("noise", place)


async def test_who_has_several_cells_and_no_position_chooses_one(desk: Desk) -> None:
    desk.holds(cell(code=OTHER, name="杨家坪第4网格"))
    form = a_report(desk, LocationTimeout())
    form.choose_kind("noise")
    await form.locate()
    assert not form.can_report
    assert (form.place.title, form.place.line) == ("还没定到位，照样能报", "点“改位置”，选网格或者小区")

    form.place.choose(OTHER)
    form.place.landmark = "卫生站门口"

    assert form.report()
    [body] = sent(desk)
    assert body.place_note == "第4网格 卫生站门口"
    assert (form.place.choice, form.place.landmark) == ("here", ""), "the next report is about another place"


async def test_an_old_position_is_not_where_the_report_is(desk: Desk) -> None:
    location = fakes.ScriptedLocation(HERE, LocationTimeout())
    await location.fix(1)
    desk.now.move(minutes=30)

    place = Whereabouts(desk.store, fakes.ports(location), desk.now)

    assert not place.ok
    assert place.guessed


def test_the_point_of_a_bent_cell_lies_inside_it() -> None:
    ring = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 2], [2.5, 2], [2.5, 1], [0, 1], [0, 0]]

    spot = in_cell(cell(geometry={"type": "Polygon", "coordinates": [ring]}))

    assert 2.5 < spot.lon < 3


def test_a_report_taken_back_is_in_the_form_again_and_nowhere_else(desk: Desk) -> None:
    form = a_report(desk)
    form.choose_kind("rubbish")
    form.note = "旧沙发"
    form.report()

    assert form.undo()

    assert (form.category, form.note) == ("rubbish", "旧沙发")
    assert desk.store.entities.all(RequestOut) == []
    assert sent(desk) == []


def drafted(desk: Desk, form: ReportForm) -> Draft:
    return Draft(desk.store, "report", form, form.drafted)


async def test_what_was_begun_is_there_after_a_new_start_and_gone_once_it_was_reported(desk: Desk) -> None:
    ports = fakes.ports(camera=fakes.ScriptedCamera(a_picture()))
    form = ReportForm(desk.store, desk.me, ports, desk.now, desk.tray(ports))
    draft = drafted(desk, form)
    form.choose_kind("rubbish")
    form.note = "旧沙发"
    assert await form.tray.take()
    draft.keep()

    again = a_report(desk)
    drafted(desk, again)
    shown = again.category, again.note, len(again.tray.photos)
    assert again.report()

    assert shown == ("rubbish", "旧沙发", 1)
    assert desk.store.draft("report") is None


def test_letters_of_a_report_are_not_each_written_to_the_disk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    form, written = a_report(desk), []
    draft = drafted(desk, form)
    monkeypatch.setattr(desk.store, "keep_draft", lambda key, value: written.append(value))

    for letter in "旧沙发堵了门":
        form.note += letter
    at_once = len(written)
    draft.keep()

    assert (at_once, len(written)) == (0, 1)


def test_a_report_taken_back_is_kept_again(desk: Desk) -> None:
    form = a_report(desk)
    draft = drafted(desk, form)
    form.choose_kind("rubbish")
    form.report()

    form.undo()
    draft.keep()

    assert desk.store.draft("report")["values"]["category"] == "rubbish"


def test_what_i_reported_shows_how_far_it_has_come(desk: Desk) -> None:
    form = a_report(desk)
    for kind in ("rubbish", "noise"):
        form.choose_kind(kind)
        form.report()
    vm = Reported(desk.store, desk.now)
    assert [(line.title, line.number, line.word) for line in vm.lines] == [
        ("噪声扰民", "待编号", "在手机里"),
        ("垃圾没清", "待编号", "在手机里"),
    ]

    noise = vm.lines[0].id
    desk.holds(request(None, "noise", id=noise, state=RequestState.handling, number="008-261123-021-4"))
    desk.now.move(seconds=11)
    desk.store.outbox.take_batch(9)
    vm.refresh()

    assert [(line.number, line.word) for line in vm.lines] == [("008-261123-021-4", "已送达"), ("待编号", "已送达")]
    assert reported_on(desk.store, MONDAY) == 2


def test_what_waits_is_sorted_by_deadline_and_says_who_has_it(desk: Desk) -> None:
    home = desk.store.entities.all(type(household()))[0]
    late = request(home, received_at=MORNING - timedelta(days=5), owner_name="李娟", handler_name="王芳")
    lamp = request(None, "street_lamp", urgency=Urgency.today, place_note="北门外", number="")
    agreed = request(home, "chat", starts_at=MORNING + timedelta(days=1), ends_at=MORNING + timedelta(days=1, hours=1))
    over = request(home, state=RequestState.closed)
    desk.holds(lamp, over, agreed, late)

    todo = Todo(desk.store, desk.now)

    assert [line.id for line in todo.lines] == [late.id, lamp.id, agreed.id]
    assert [(line.due_word, line.where) for line in todo.lines] == [
        ("超期 2 天", "何长顺家 3号楼2单元 302"),
        ("今天到期", "北门外"),
        ("明天到期", "何长顺家 3号楼2单元 302"),
    ]
    assert todo.lines[0].who == "首问 李娟 · 经办 王芳"
    assert todo.lines[1].number == "待编号"
    assert (todo.count_text, todo.late_text) == ("3 件", "1 件超期")


@pytest.mark.parametrize(
    ("category", "state", "words"),
    [
        ("street_lamp", RequestState.open, ["我来办", "不用办了", "不予受理"]),
        ("street_lamp", RequestState.handling, ["办好了", "转给别人"]),
        ("street_lamp", RequestState.done, ["确认办结", "没办好，接着办"]),
        ("errand", RequestState.taken, ["另外找人", "不用办了"]),
        ("errand", RequestState.done, ["确认办结", "没办好，重新找人"]),
        ("errand", RequestState.closed, []),
    ],
)
def test_what_may_be_done_next_follows_the_table_of_states(
    category: str, state: RequestState, words: list[str]
) -> None:
    assert [step.word for step in rules.steps(request(None, category, state=state))] == words


def test_steps_without_network_are_based_on_each_other(desk: Desk) -> None:
    row = request(None, "street_lamp", rev=4, owner_name="李娟", handler_name="李娟")
    desk.holds(row)
    vm = detail(desk, row)

    assert take(vm, RequestState.handling)
    vm.refresh()
    assert (vm.state_word, vm.handler, vm.owner, vm.unsent) == ("正在办", "张敏", "李娟", True)
    assert take(vm, RequestState.done, "换了灯泡")

    desk.now.move(seconds=11)
    pushed = desk.store.outbox.take_batch(9)
    assert [(one["base_rev"], one["base"], one["fields"]) for one in pushed] == [
        (4, {"state": "open"}, {"to": "handling", "reason": ""}),
        (5, {"state": "handling"}, {"to": "done", "reason": "换了灯泡"}),
    ]


def test_a_step_that_owes_a_reason_waits_for_it(desk: Desk) -> None:
    row = request(None, "street_lamp")
    desk.holds(row)
    vm = detail(desk, row)

    assert not take(vm, RequestState.cancelled, "  ")
    assert vm.asking is not None
    assert not vm.can_take
    vm.reason = "已经亮了"
    assert vm.choose(vm.asking)
    assert (vm.asking, desk.store.outbox.counts()[State.unsent]) == (None, 1)


def test_a_step_taken_back_in_time_was_never_taken(desk: Desk) -> None:
    row = request(None, "street_lamp")
    desk.holds(row)
    vm = detail(desk, row)
    take(vm, RequestState.handling)

    assert vm.undo()

    vm.refresh()
    assert (vm.state_word, desk.store.outbox.of_kind(OperationKind.request_step)) == ("等人接", [])


def test_help_is_asked_for_one_person_and_a_half_day(desk: Desk) -> None:
    home = household(size=2)
    old = resident(home, name="何长顺", birth_date=MONDAY.replace(year=1950), care=["frail"])
    desk.holds(home, old, resident(home, name="何小军", relation="20"))
    form = HelpForm(desk.store, desk.me, desk.now, home.id)
    assert form.who == str(old.id), "whoever needs care is the likely one"

    form.choose_kind("escort_hospital")
    form.choose_when("1am")
    assert form.save()

    [body] = sent(desk)
    [row] = desk.store.entities.all(RequestOut, home.id)
    assert (body.household_id, body.resident_id) == (home.id, UUID(form.who))
    assert body.starts_at
    assert body.ends_at
    assert body.ends_at - body.starts_at == timedelta(hours=2)
    assert (row.area_code, row.title) == (home.area_code, "陪着去医院")


def test_a_half_day_that_has_begun_is_not_offered() -> None:
    words = [word for _value, word, _icon in time_options(MORNING)]

    assert words == ["都行", "今天下午", "明天上午", "明天下午", "后天上午", "后天下午"]


def test_help_taken_back_is_in_the_form_again_with_its_day(desk: Desk) -> None:
    home = household()
    old, son = resident(home), resident(home, name="何小军", relation="20")
    desk.holds(home, old, son)

    def opened() -> HelpForm:
        form = HelpForm(desk.store, desk.me, desk.now, home.id)
        Draft(desk.store, "help", form, form.drafted)
        return form

    form = opened()
    form.choose_kind("escort_hospital")
    form.choose_who(str(son.id))
    form.choose_when("1am")
    form.note = "做透析"
    form.save()
    after_saving = opened().note

    assert form.undo()
    again = opened()
    desk.now.move(hours=24)
    next_day = opened()

    assert after_saving == ""
    assert (again.category, again.who, again.when, again.note) == ("escort_hospital", str(son.id), "1am", "做透析")
    assert (next_day.when, next_day.note) == ("any", "做透析"), "明天上午 has begun by then"
    assert sent(desk) == []


def came_back(desk: Desk, outcome: Outcome, code: str) -> None:
    """The server answered what waits."""
    desk.now.move(seconds=11)
    batch = desk.store.outbox.take_batch(9)
    answers = [
        Answer(op_id=one["op_id"], index=place, outcome=outcome, code=code, sentence="别人刚改过。")
        for place, one in enumerate(batch)
    ]
    desk.store.outbox.settle(batch, answers)


def test_a_step_that_somebody_overtook_is_decided_by_whoever_took_it(desk: Desk) -> None:
    row = request(None, "street_lamp")
    desk.holds(row)
    desk.store.keep_me(desk.me)
    take(detail(desk, row), RequestState.cancelled, "已经亮了")
    came_back(desk, Outcome.conflict, "edit_conflict")
    desk.holds(row.model_copy(update={"state": RequestState.handling, "rev": 2}))
    checks = Checks(desk.store, fakes.ports(), desk.now)

    [item] = checks.returned
    assert item.conflict
    assert [(value.label, value.mine, value.theirs) for value in item.values] == [
        ("到哪一步", "已取消", "正在办"),
        ("理由", "已经亮了", ""),
    ]
    checks.send_again(item.op_id)

    [again] = desk.store.outbox.take_batch(9)
    assert (again["base_rev"], again["fields"]["to"], again["op_id"] != str(item.op_id)) == (2, "cancelled", True)


def test_a_refused_report_is_in_nobodys_list_and_waits_to_be_read(desk: Desk) -> None:
    form = a_report(desk)
    form.choose_kind("noise")
    form.report()
    came_back(desk, Outcome.rejected, "outside_county")

    [item] = Checks(desk.store, fakes.ports(), desk.now).returned

    assert [value.mine for value in item.values] == ["噪声扰民", "第3网格"]
    assert Todo(desk.store, desk.now).lines == []
    assert [line.word for line in Reported(desk.store, desk.now).lines] == ["被退回"]
    assert reported_on(desk.store, MONDAY) == 0


async def test_a_photo_goes_with_the_report_and_comes_back_with_undo(desk: Desk) -> None:
    ports = fakes.ports(camera=fakes.ScriptedCamera(a_picture()))
    form = ReportForm(desk.store, desk.me, ports, desk.now, desk.tray(ports))
    form.choose_kind("street_lamp")
    assert await form.tray.take()
    [photo] = form.tray.photos
    form.report()
    assert form.tray.photos == []

    assert form.undo()
    assert form.tray.photos == [photo]
    form.report()

    [body] = sent(desk)
    assert [one.sha256 for one in body.photos] == [photo.sha256]


async def test_a_photo_that_is_still_being_stored_belongs_to_this_report_and_not_to_the_next(desk: Desk) -> None:
    camera = SlowCamera(a_picture())
    ports = fakes.ports(camera=camera)
    form = ReportForm(desk.store, desk.me, ports, desk.now, desk.tray(ports))
    form.choose_kind("street_lamp")
    taking = asyncio.ensure_future(form.tray.take())
    await asyncio.sleep(0)

    too_early = form.can_report, form.report()
    camera.ready.set()
    await taking
    assert form.report()
    form.choose_kind("noise")
    form.report()

    assert too_early == (False, False)
    assert [(body.category, len(body.photos)) for body in sent(desk)] == [("street_lamp", 1), ("noise", 0)]
