"""今日走访, 记走访 and 今日小结 without a window."""

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from openpyxl import load_workbook

from mobile.device import fakes
from mobile.device.ports import DeviceFix, LocationDenied, Ports
from mobile.requests.report import ReportForm
from mobile.store.outbox import State
from mobile.visits import ledger, rules
from mobile.visits.form import VisitForm
from mobile.visits.summary import Summary
from mobile.visits.viewmodel import Today
from shared.residents import Care, HouseholdOut, Residency
from shared.rounds import AlertOut, RoundRuleOut
from shared.types import uuid7
from shared.visits import Evidence, Finding, VisitIn, VisitMode, VisitOut, VisitOutcome
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, Desk, cell, household, resident, visit
from tests.mobile.request_parts import SlowCamera, a_picture

AT_THE_DOOR = DeviceFix(106.52, 33.91, 8, MORNING)
DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def ports() -> Ports:
    return fakes.ports(fakes.ScriptedLocation(AT_THE_DOOR))


def a_form(desk: Desk, ports: Ports, home: HouseholdOut) -> VisitForm:
    return desk.visit_form(home, ports)


def recorded(desk: Desk) -> list[dict[str, Any]]:
    desk.now.move(seconds=11)
    return [operation["fields"] for operation in desk.store.outbox.take_batch(9)]


def test_the_longest_overdue_door_comes_first_and_later_ones_not_at_all(desk: Desk, ports: Ports) -> None:
    homes = {late: household(due_on=MONDAY + DAY * late, room=str(late + 200)) for late in (1, 0, -2, 2)}
    done = household(due_on=MONDAY, last_visited_on=MONDAY)
    desk.holds(cell(), *homes.values(), done)

    today = Today(desk.store, ports, desk.now)

    assert [door.household_id for door in today.doors] == [homes[late].id for late in (-2, 0, 1)]
    assert [(door.due_word, door.due_kind) for door in today.doors] == [
        ("超期 2 天", "over"),
        ("今天到期", "due"),
        ("明天到期", "later"),
    ]
    assert today.progress_text == "看了 1 户，还有 3 户"
    assert today.date_line == "11月23日 周一 · 杨家坪第3网格"


def test_a_door_says_who_why_where_and_how_far(desk: Desk, ports: Ports) -> None:
    home = household(care=[Care.alone], due_reason="上次说头晕，约好这天再来")
    wife = resident(home, name="赵桂兰", birth_date=MONDAY.replace(year=1945), care=[Care.alone], relation="10")
    son = resident(home, name="何小军", residency=Residency.away, care=[Care.frail])
    desk.holds(home, wife, son)

    today = Today(desk.store, ports, desk.now)

    door = today.next_door
    assert (door.name, door.age_text) == ("赵桂兰", "81 岁")
    assert (door.door, door.door_short) == ("杨家坪小区 3号楼2单元 302", "3号楼2单元 302")
    assert door.why == "上次说头晕，约好这天再来"
    assert [(tag.word, tag.icon) for tag in door.care] == [("独居", "house-line")]
    assert door.walk_text == ""


def cold_rule(**given: Any) -> RoundRuleOut:
    usual = {
        "id": uuid7(), "area_code": CELL[:6], "name": "寒潮看独居高龄老人", "alert": "cold", "every_days": None,
        "conditions": {"age_from": 80, "care_all": ["alone"]}, "priority": 1, "state": "live", "rev": 1,
        "received_at": MORNING,
    }  # fmt: skip
    return RoundRuleOut.model_validate(usual | given)


def cold(day: date) -> AlertOut:
    return AlertOut(
        id=uuid7(), area_code=CELL[:12], kind="cold", from_day=day, last_day=day, words="今夜降温", issued_by="张敏",
        rev=1, received_at=MORNING,
    )  # fmt: skip


def test_a_warning_brings_who_is_old_and_alone_to_the_front_without_network(desk: Desk, ports: Ports) -> None:
    due, named = household(due_on=MONDAY - DAY), household(due_on=MONDAY + DAY * 9, room="402", care=[Care.alone])
    grandmother = resident(named, birth_date=MONDAY.replace(year=1940), care=[Care.alone])
    desk.holds(cell(), due, named, grandmother, cold_rule(), cold(MONDAY))

    today = Today(desk.store, ports, desk.now)

    assert [door.household_id for door in today.doors] == [named.id, due.id]
    assert (today.next_door.why, today.next_door.due_word) == ("寒潮预警（今夜降温）：80 岁以上、独居", "今天到期")


def test_a_draft_or_yesterdays_warning_brings_nobody(desk: Desk, ports: Ports) -> None:
    named = household(due_on=MONDAY + DAY * 9, care=[Care.alone])
    grandmother = resident(named, birth_date=MONDAY.replace(year=1940), care=[Care.alone])
    desk.holds(named, grandmother, cold_rule(), cold_rule(state="draft", alert=None, every_days=1), cold(MONDAY - DAY))

    assert Today(desk.store, ports, desk.now).doors == []


async def test_walking_time_comes_with_a_fix_and_the_way_can_be_followed(desk: Desk) -> None:
    near, far = household(room="101"), household(room="102", lon=106.53, due_on=MONDAY - DAY)
    desk.holds(near, far)
    today = Today(desk.store, fakes.ports(fakes.ScriptedLocation(AT_THE_DOOR)), desk.now)
    by_urgency = [door.household_id for door in today.doors]

    await today.locate()
    today.toggle_route()

    assert by_urgency == [far.id, near.id]
    assert [(door.household_id, door.walk_text) for door in today.doors] == [
        (near.id, "走路 1 分钟"),
        (far.id, "走路 14 分钟"),
    ]


def suggested(homes: list[HouseholdOut], here: tuple[float, float] | None = (106.52, 33.91)) -> list[str]:
    """Room by room, of a round without rules."""
    seen = rules.to_see(homes, MONDAY, {})
    return [home.room for home in rules.suggested(seen, MONDAY, {}, here)]


def test_the_round_takes_overdue_before_risk_before_the_way() -> None:
    near = household(room="near")
    frail = household(room="frail", lon=106.56, care=[Care.frail])
    alone = household(room="alone", lon=106.55, care=[Care.alone])
    late = household(room="late", lon=106.58, due_on=MONDAY - DAY)
    tomorrow = household(room="tomorrow", due_on=MONDAY + DAY, care=[Care.frail])

    assert suggested([tomorrow, near, alone, frail, late]) == ["late", "frail", "alone", "near", "tomorrow"]


def test_what_is_alike_lies_along_the_way_from_where_the_worker_stands() -> None:
    places = {"1": 106.53, "2": 106.521, "3": 106.525}
    far, near, between = (household(room=room, lon=lon) for room, lon in places.items())

    assert suggested([far, near, between]) == ["2", "3", "1"]
    assert suggested([far, near, between], here=(106.531, 33.91)) == ["1", "3", "2"]


def test_the_way_goes_on_from_the_last_door_of_what_pressed_more() -> None:
    late = household(room="late", lon=106.54, due_on=MONDAY - DAY)
    here, there = household(room="here"), household(room="there", lon=106.539)

    assert suggested([here, there, late]) == ["late", "there", "here"]


def test_doors_of_one_stairwell_come_one_after_another_from_the_lowest() -> None:
    doors = [household(room=room) for room in ("301", "101", "201")]
    beside = household(room="beside", building="1号楼", lon=106.5203)

    assert suggested([beside, *doors]) == ["101", "201", "301", "beside"]


def test_without_a_position_the_longest_overdue_comes_first() -> None:
    homes = [household(room=str(late), due_on=MONDAY - DAY * late, lon=None, lat=None) for late in (1, 9, 4)]

    assert suggested(homes, here=None) == ["9", "4", "1"]


def test_a_family_without_care_flags_is_named_after_its_head(desk: Desk, ports: Ports) -> None:
    home = household(head_name="王改萍", last_seen_on=None)
    desk.holds(home, resident(home), resident(home))

    door = Today(desk.store, ports, desk.now).next_door

    assert (door.name, door.age_text, door.why) == ("王改萍一家", "3 口人", "还没见过本人")


def test_when_everybody_was_seen_it_says_so(desk: Desk, ports: Ports) -> None:
    before = Today(desk.store, ports, desk.now)
    desk.holds(household(due_on=MONDAY + DAY * 9))
    after = Today(desk.store, ports, desk.now)

    assert not before.all_done
    assert after.all_done
    assert after.next_door is None


def test_ringing_goes_through_the_dialer(desk: Desk) -> None:
    home, ports = household(), fakes.ports()
    desk.holds(home, resident(home))

    Today(desk.store, ports, desk.now).dial(home.id)

    assert isinstance(ports.dialer, fakes.RecordedDialer)
    assert ports.dialer.dialled == ["12600002706"]


async def test_nobody_home_is_saved_by_one_choice_and_can_be_undone(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form, said = a_form(desk, ports, home), []
    form.bind(on_saved=lambda _form, sentence: said.append(sentence))

    form.choose_outcome("absent")
    saved = [row.outcome for row in desk.store.entities.all(VisitOut)]
    desk.now.move(seconds=9)
    undone = form.undo()

    assert said == ["已记：家中无人"]
    assert saved == [VisitOutcome.absent]
    assert undone
    assert desk.store.entities.all(VisitOut) == []
    assert Today(desk.store, ports, desk.now).left == 1


async def test_a_visit_that_has_left_the_phone_cannot_be_undone(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)
    form.choose_outcome("absent")

    recorded(desk)

    assert not form.undo()
    assert len(desk.store.entities.all(VisitOut)) == 1


async def test_a_visit_with_a_finding_needs_four_choices_and_is_sent_as_written(desk: Desk, ports: Ports) -> None:
    home = household()
    person = resident(home, care=[Care.medication])
    desk.holds(home, person)
    form = a_form(desk, ports, home)
    await form.locate()

    form.choose_outcome("seen")
    form.toggle_finding("unwell")
    form.choose_return("tomorrow")
    saved = form.save()

    assert saved
    (fields,) = recorded(desk)
    sent = VisitIn.model_validate(fields)
    assert (sent.mode, sent.outcome, sent.findings) == (VisitMode.home, VisitOutcome.seen, [Finding.unwell])
    assert (sent.resident_id, sent.return_on) == (person.id, MONDAY + DAY)
    assert sent.fix is not None
    assert (sent.fix.lon, sent.fix.accuracy_m, sent.fix.mock) == (106.52, 8, False)
    shown = desk.store.entities.all(VisitOut)[0]
    assert (shown.distance_m, shown.evidence) == (0, Evidence.at_door)


async def test_without_a_position_the_visit_counts_all_the_same(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, fakes.ports(fakes.ScriptedLocation(LocationDenied())), home)

    await form.locate()
    form.choose_outcome("absent")

    assert (form.place_title, form.place_ok) == ("没有允许定位，照样能记", False)
    assert [fields["fix"] for fields in recorded(desk)] == [None]


async def test_a_position_that_came_after_saving_still_goes_with_the_visit(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)

    form.choose_outcome("absent")
    await form.locate()

    (fields,) = recorded(desk)
    assert fields["fix"]["accuracy_m"] == 8
    assert fields["outcome"] == "absent"


async def test_the_place_line_names_distance_accuracy_and_a_mock_position(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    away = replace(AT_THE_DOOR, lat=33.91 + 12 / 111_320, mock=True)
    form = a_form(desk, fakes.ports(fakes.ScriptedLocation(away)), home)

    await form.locate()

    assert (form.place_title, form.place_line) == ("位置已记下", "离这户 12 米 · 误差 8 米 · 模拟定位")


async def test_a_call_carries_no_position(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)
    await form.locate()

    form.choose_mode("phone")
    form.choose_outcome("seen")
    form.save()

    assert [fields["fix"] for fields in recorded(desk)] == [None]


def test_all_is_well_excludes_every_other_finding(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)

    steps = []
    for choice in ("unwell", "heating", "fine", "low_mood", "low_mood"):
        form.toggle_finding(choice)
        steps.append(list(form.findings))

    assert steps == [["unwell"], ["unwell", "heating"], ["fine"], ["low_mood"], []]


def test_nothing_can_be_saved_before_it_is_said_whether_somebody_was_met(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)

    form.note = "敲了门"

    assert not form.can_save
    assert not form.save()
    assert desk.store.outbox.counts()[State.unsent] == 0


def test_an_unfinished_form_is_there_again_and_a_saved_one_is_not(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    form = a_form(desk, ports, home)
    form.choose_outcome("family")
    form.toggle_finding("heating")
    form.note = "炉子没装烟道"

    again = a_form(desk, ports, home)
    restored = (again.outcome, list(again.findings), again.note, again.can_save)
    again.save()
    fresh = a_form(desk, ports, home)

    assert restored == ("family", ["heating"], "炉子没装烟道", True)
    assert (fresh.outcome, fresh.note) == ("", "")


def test_the_summary_counts_todays_own_visits(desk: Desk, ports: Ports) -> None:
    first, second = household(), household(room="101", head_name="王改萍")
    unwell = visit(first, desk.me, findings=[Finding.unwell], return_on=MONDAY + DAY)
    called = visit(second, desk.me, mode=VisitMode.phone, outcome=VisitOutcome.family)
    missed = visit(second, desk.me, outcome=VisitOutcome.absent, visited_at=MORNING + timedelta(minutes=5))
    yesterday = visit(first, desk.me, visited_at=MORNING - DAY)
    colleague = visit(first, desk.me.model_copy(update={"account_id": UUID(int=7)}))
    desk.holds(first, second, unwell, called, missed, yesterday, colleague)

    summary = Summary(desk.store, desk.me, ports, desk.now)

    assert summary.figures == [(2, "走访户"), (1, "见到本人"), (1, "有情况")]
    assert summary.modes_line == "入户 2 · 电话 1 · 没见到 1"
    assert [(item.text, item.right, item.icon) for item in summary.notable] == [
        ("何长顺一家 身体不适", "明天再去", "thermometer")
    ]
    assert (summary.rows[0].time, summary.total, summary.unsent_line) == ("10:42", 3, "")


def test_the_summary_counts_what_was_reported_today(desk: Desk, ports: Ports) -> None:
    desk.holds(cell())
    form = ReportForm(desk.store, desk.me, ports, desk.now, desk.tray(ports))
    for kind in ("street_lamp", "noise"):
        form.choose_kind(kind)
        assert form.report()
    desk.now.move(days=1)
    form.choose_kind("rubbish")
    form.report()

    assert Summary(desk.store, desk.me, ports, desk.now).modes_line == "今天还没有走访 · 上报 1 件"


def test_the_summary_says_what_is_still_on_the_phone(desk: Desk, ports: Ports) -> None:
    home = household()
    desk.holds(home)
    a_form(desk, ports, home).choose_outcome("absent")

    summary = Summary(desk.store, desk.me, ports, desk.now)

    assert summary.total == 1
    assert summary.unsent_line == "还有 1 条在手机里，表里已经算上"


def test_the_ledger_is_exported_and_copied_with_every_visit(desk: Desk) -> None:
    home, ports = household(), fakes.ports()
    desk.holds(home, visit(home, desk.me, findings=[Finding.heating], note="炉子\t没装烟道\n已报社区"))
    summary = Summary(desk.store, desk.me, ports, desk.now)

    summary.export()
    summary.copy_text()

    assert isinstance(ports.files, fakes.RecordedFiles)
    assert isinstance(ports.clipboard, fakes.RecordedClipboard)
    book = load_workbook(BytesIO(ports.files.saved["走访台账-张敏-20261123.xlsx"]))
    cells = [[value or "" for value in line] for line in book.active.iter_rows(values_only=True)]
    assert cells[0] == list(ledger.HEADINGS)
    assert cells[1][:6] == ["10:42", "杨家坪小区 3号楼2单元 302", "何长顺", "入户", "见到本人", "取暖用火"]
    pasted = [line.split("\t") for line in ports.clipboard.text.split("\n")]
    assert [len(line) for line in pasted] == [len(ledger.HEADINGS)] * 2
    assert pasted[1][6] == "炉子 没装烟道 已报社区"


@pytest.mark.parametrize("dangerous", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a\x0bb"])
def test_nothing_a_resident_said_becomes_a_formula(desk: Desk, dangerous: str) -> None:
    home = household()
    row = ledger.row(visit(home, desk.me, note=dangerous), home)

    cell_ = load_workbook(BytesIO(ledger.as_xlsx([row], MONDAY))).active.cell(2, 7)
    pasted = ledger.as_text([row]).split("\n")[1].split("\t")[6]

    assert cell_.data_type == "s"
    assert cell_.quotePrefix == dangerous.startswith(ledger.FORMULA_STARTS)
    assert not pasted.startswith(ledger.FORMULA_STARTS)


async def photographing(desk: Desk, picture: bytes) -> tuple[VisitForm, SlowCamera, asyncio.Future[bool]]:
    """A visit's form while a photo is being stored."""
    home, camera = household(), SlowCamera(picture)
    desk.holds(cell(), home, resident(home))
    form = desk.visit_form(home, fakes.ports(camera=camera))
    taking = asyncio.ensure_future(form.tray.take())
    await asyncio.sleep(0)
    return form, camera, taking


async def test_a_visit_waits_for_the_photo_that_is_being_stored(desk: Desk) -> None:
    form, camera, taking = await photographing(desk, a_picture())
    form.choose_outcome("seen")
    form.toggle_finding("fine")

    too_early = form.can_save, form.save()
    camera.ready.set()
    await taking
    assert form.save()

    assert too_early == (False, False)
    assert [len(fields["photos"]) for fields in recorded(desk)] == [1]


async def test_nobody_at_home_is_written_down_as_soon_as_the_photo_is_there(desk: Desk) -> None:
    form, camera, taking = await photographing(desk, a_picture())

    form.choose_outcome("absent")
    at_once = desk.store.outbox.counts()[State.unsent]
    camera.ready.set()
    await taking

    assert (at_once, form.saves_soon) == (0, False)
    assert [(fields["outcome"], len(fields["photos"])) for fields in recorded(desk)] == [("absent", 1)]


async def test_without_the_photo_nobody_at_home_waits_for_a_tap(desk: Desk) -> None:
    form, camera, taking = await photographing(desk, b"<html>")
    form.choose_outcome("absent")

    camera.ready.set()
    await taking

    assert recorded(desk) == []
    assert form.tray.message == "这张照片打不开，请再拍一张"
    assert form.can_save


async def test_a_form_that_was_left_saves_nothing_by_itself(desk: Desk) -> None:
    form, camera, taking = await photographing(desk, a_picture())
    form.choose_outcome("absent")

    form.wait()
    camera.ready.set()
    await taking

    assert recorded(desk) == []
    assert len(form.tray.photos) == 1
