"""人员变动, 登记 and 待核对 without a window: what is shown at once, what is sent, what comes back."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mobile.device import fakes
from mobile.residents.checks import Checks
from mobile.residents.event_form import EventForm
from mobile.residents.household_form import HouseholdForm
from mobile.residents.person import PersonDetail
from mobile.residents.person_form import PersonForm
from mobile.residents.viewmodel import HouseholdDetail
from mobile.store.outbox import State
from shared.auth import GrantOut, Role
from shared.errors import CATALOGUE, Code
from shared.grid import CellName
from shared.links import SettleIn
from shared.register import EventIn, EventKind, EventOut, MoveOut, Mover, MoveSettleIn, MoveState
from shared.residents import (
    NOT_A_NAME,
    Care,
    HouseholdIn,
    HouseholdOut,
    Relation,
    Residency,
    ResidentIn,
    ResidentOut,
    ResidentPatch,
)
from shared.sync import Answer, Operation, Outcome
from shared.types import uuid7
from tests.mobile.phone_parts import CELL, MONDAY, MORNING, Desk, cell, household, page, pair, resident, sketch

OTHER = "610330100009001"
HE = household(care=[Care.medication], size=3)
HEAD = resident(HE, care=[Care.medication])
WIFE = resident(HE, name="田秀珍", relation=Relation.spouse, phone=None)
SON = resident(HE, name="何小军", relation=Relation.son, residency=Residency.floating, phone=None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.holds(cell(), HE, HEAD, WIFE, SON)
    return desk


def event(desk: Desk, kind: EventKind, *who: ResidentOut) -> EventForm:
    form = EventForm(desk.store, desk.me, desk.now, HE.id)
    form.choose_kind(kind)
    for one in who:
        form.choose_who(str(one.id))
    return form


def names(desk: Desk) -> list[str]:
    return sorted(one.name for one in desk.store.entities.all(ResidentOut, HE.id))


def home(desk: Desk) -> HouseholdOut:
    found = desk.store.entities.get(HouseholdOut, HE.id)
    assert found is not None
    return found


def sent(desk: Desk) -> list[Operation]:
    desk.now.move(seconds=11)
    return [Operation.model_validate(each) for each in desk.store.outbox.take_batch(50)]


def answered(desk: Desk, outcome: Outcome, code: Code = Code.area_not_allowed) -> None:
    said = {} if outcome is Outcome.applied else {"code": code, "sentence": CATALOGUE[code].sentence}
    batch = [operation.model_dump(mode="json") for operation in sent(desk)]
    answers = [Answer(op_id=each["op_id"], index=at, outcome=outcome, **said) for at, each in enumerate(batch)]
    desk.store.outbox.settle(batch, answers)


def test_a_death_takes_the_person_off_the_lists_at_once_and_asks_with_the_name(desk: Desk) -> None:
    form = event(desk, EventKind.death, HEAD)

    assert form.question == "何长顺，去世了？"
    assert form.save()

    assert names(desk) == ["何小军", "田秀珍"]
    assert (home(desk).head_name, home(desk).size, home(desk).care) == ("田秀珍", 2, [])
    [line] = HouseholdDetail(desk.store, fakes.ports(), desk.now, HE.id).events
    assert (line.text, line.unsent) == ("何长顺 死亡", True)
    [operation] = sent(desk)
    wire = EventIn.model_validate(operation.fields)
    assert (operation.kind, wire.kind, wire.on, wire.resident_ids) == ("register.event", "death", MONDAY, [HEAD.id])


def test_an_event_taken_back_in_time_was_never_made(desk: Desk) -> None:
    form = event(desk, EventKind.death, HEAD)
    form.save()

    assert form.undo()

    assert len(names(desk)) == 3
    assert home(desk).size == 3
    assert desk.store.entities.all(EventOut) == []


def test_a_refused_event_brings_the_person_back_and_waits_in_待核对_with_its_reason(desk: Desk) -> None:
    event(desk, EventKind.death, HEAD).save()

    answered(desk, Outcome.rejected)

    checks = Checks(desk.store, fakes.ports(), desk.now)
    assert len(names(desk)) == 3
    [item] = checks.returned
    assert (item.title, item.reason) == ("何长顺 死亡", CATALOGUE[Code.area_not_allowed].sentence)
    assert [(value.label, value.mine) for value in item.values] == [("变动", "死亡"), ("哪天", "2026年11月23日")]
    assert checks.count == 1


def test_an_accepted_event_is_no_longer_marked_as_unsent(desk: Desk) -> None:
    event(desk, EventKind.float, HEAD).save()
    detail = HouseholdDetail(desk.store, fakes.ports(), desk.now, HE.id)
    before = [member.unsent for member in detail.members if member.name == "何长顺"]

    answered(desk, Outcome.applied)
    detail.refresh()

    assert before == [True]
    assert not any(member.unsent for member in detail.members)
    assert [line.unsent for line in detail.events] == [False]


def test_settling_and_floating_change_the_residency_and_offer_only_whom_it_concerns(desk: Desk) -> None:
    settle = event(desk, EventKind.settle)

    assert [value for value, _word, _icon in settle.who_options] == [str(SON.id)]
    assert settle.can_save, "an only one is chosen already"
    settle.save()

    son = desk.store.entities.get(ResidentOut, SON.id)
    assert son is not None
    assert son.residency is Residency.living
    assert not event(desk, EventKind.settle).can_save
    assert event(desk, EventKind.settle).missing == "这一户没有能这样变动的人"


def test_a_day_before_the_person_was_born_is_said_while_the_form_is_open(desk: Desk) -> None:
    form = event(desk, EventKind.death, HEAD)

    form.day.choose_day(date(1954, 2, 28))
    early = (form.can_save, form.missing)
    form.day.choose_day(date(1954, 3, 1))

    assert early == (False, "日期比出生日期还早")
    assert form.can_save


def test_a_birth_needs_a_name_and_a_sex_and_is_a_child_of_the_household(desk: Desk) -> None:
    form = event(desk, EventKind.birth)
    first = form.missing
    form.name = "+"
    second = form.missing
    form.name = "何安安"
    form.choose_sex("2")

    assert (first, second, form.can_save) == ("再写姓名", NOT_A_NAME, True)
    assert form.relation == Relation.granddaughter, "a head of 72 has grandchildren"
    form.save()

    assert "何安安" in names(desk)
    assert home(desk).size == 4
    [operation] = sent(desk)
    new = EventIn.model_validate(operation.fields).new_resident
    assert new is not None
    assert (new.name, new.birth_date, new.household_id) == ("何安安", MONDAY, HE.id)


def test_a_whole_family_moves_out_and_its_door_stays_without_a_visit_due(desk: Desk) -> None:
    form = event(desk, EventKind.move_out)
    form.choose_who("all")
    form.to.choose("county")

    form.save()

    assert names(desk) == []
    assert (home(desk).size, home(desk).due_on) == (0, None)
    [operation] = sent(desk)
    wire = EventIn.model_validate(operation.fields)
    assert set(wire.resident_ids) == {HEAD.id, WIFE.id, SON.id}
    assert wire.to is not None
    assert (wire.to.words, wire.to.leaves_county) == ("外县", True)


def test_where_nobody_can_tell_is_no_other_county(desk: Desk) -> None:
    form = event(desk, EventKind.move_out, HEAD)

    form.to.choose("unknown")

    assert not form.to.wire().leaves_county


def test_where_to_is_a_community_and_then_its_cell(desk: Desk) -> None:
    desk.holds(
        cell(id=uuid7(), code="610330100008002", name="杨家坪第2网格"),
        cell(id=uuid7(), code=OTHER, name="新建路第1网格", community_code=OTHER[:12]),
        cell(id=uuid7(), code="610330100009002", name="新建路第2网格", community_code=OTHER[:12]),
    )
    form = event(desk, EventKind.move_out, HEAD)

    form.to.choose("cell")
    assert [name for _code, name, _icon in form.to.communities] == ["杨家坪", "新建路"]
    form.to.choose_community(OTHER[:12])
    assert [name for _code, name, _icon in form.to.cells] == ["第1网格", "第2网格"]
    assert not form.can_save
    form.to.choose_cell(OTHER)

    assert form.can_save
    assert form.to.wire().cell_code == OTHER


def test_a_worker_of_one_cell_sends_people_to_any_cell_of_the_county_the_nearest_first(desk: Desk) -> None:
    there = [
        ("610330100008003", "杨家坪社区第3网格"), ("610330100008004", "杨家坪社区第4网格"),
        ("610330100001001", "新建路社区第1网格"), ("610330101003002", "龙口社区第2网格"),
    ]  # fmt: skip
    desk.store.keep_cell_names([CellName(code=code, name=name) for code, name in there], MONDAY)
    form = event(desk, EventKind.move_out, HEAD)

    form.to.choose("cell")
    communities = [name for _code, name, _icon in form.to.communities]
    form.to.choose_community("610330101003")

    assert communities == ["杨家坪社区", "新建路社区", "龙口社区"]
    assert form.can_save, "an only cell is chosen already"
    assert form.to.wire().cell_code == "610330101003002"
    form.to.choose_community("610330100008")
    assert [code for code, _name, _icon in form.to.cells] == ["610330100008004"], "nobody moves to where they live"


def test_whoever_goes_where_no_cell_can_be_named_takes_words_along_and_so_does_the_draft(desk: Desk) -> None:
    form = event(desk, EventKind.move_out, HEAD)
    form.to.choose("unknown")
    form.to.words = " 县城新民街，儿子家 "
    again = event(desk, EventKind.move_out)

    again.restore(form.draft())

    assert again.to.wire().words == form.to.wire().words == "县城新民街，儿子家"
    form.to.words = "很" * 300
    assert form.save(), "too many words are cut, not refused"


def test_a_draft_of_an_earlier_app_has_no_words(desk: Desk) -> None:
    form = event(desk, EventKind.move_out, HEAD)
    form.to.choose("county")
    draft = form.draft()
    draft["to"] = draft["to"][:3]
    again = event(desk, EventKind.move_out)

    again.restore(draft)

    assert again.to.wire().words == "外县"


def test_a_phone_that_knows_one_cell_offers_no_other(desk: Desk) -> None:
    form = event(desk, EventKind.move_out, HEAD)

    assert [value for value, _word, _icon in form.to.options] == ["county", "unknown"]


def test_a_day_is_today_yesterday_or_one_of_the_month_but_none_to_come(desk: Desk) -> None:
    day = event(desk, EventKind.death, HEAD).day

    day.choose("yesterday")
    assert day.day == MONDAY - timedelta(days=1)
    day.choose("date")
    assert [tile.text for tile in day.tiles if tile.day and not tile.allowed] == [str(n) for n in range(24, 31)]
    assert not day.can_go_on
    day.turn(-11)
    assert day.month_title == "2025年12月"
    day.choose_day(date(2025, 12, 31))

    assert (day.day, day.word) == (date(2025, 12, 31), "2025年12月31日")


def test_a_new_household_and_its_first_person_are_there_at_once(desk: Desk) -> None:
    form = HouseholdForm(desk.store, fakes.ports(), desk.now)
    saved: list[Any] = []
    form.bind(on_saved=lambda _form, key, sentence: saved.append((key, sentence)))
    form.compound, form.building, form.unit, form.room = "杨家坪小区", "3号楼", "2单元", "401"

    assert form.save()
    person = PersonForm(desk.store, desk.now, saved[0][0])
    assert person.relation == Relation.head, "the first one is the head"
    person.name, person.sex, person.birth = "冯玉梅", "2", "19610809"
    assert person.save()

    new = desk.store.entities.get(HouseholdOut, saved[0][0])
    assert new is not None
    assert (new.head_name, new.size, new.area_code) == ("冯玉梅", 1, CELL)
    put, first = sent(desk)
    assert HouseholdIn.model_validate(put.fields).room == "401"
    assert ResidentIn.model_validate(first.fields).birth_date == date(1961, 8, 9)
    assert saved[0][1] == "已登记：3号楼2单元 401"


def test_a_door_that_is_registered_is_not_registered_again(desk: Desk) -> None:
    form = HouseholdForm(desk.store, fakes.ports(), desk.now)

    form.compound, form.building, form.unit, form.room = "杨家坪小区", "3号楼", "2单元", "302"

    assert form.problem == "这个门牌已经登记过了：何长顺一家"
    assert not form.save()


def test_an_edit_sends_only_what_changed_with_what_it_is_based_on(desk: Desk) -> None:
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id)
    form.phone = "12800002706"
    form.toggle_care("alone")
    form.choose_code("education", "71")

    assert form.save()

    [operation] = sent(desk)
    assert set(operation.fields) == {"phone", "care", "education"}
    assert ResidentPatch.model_validate(operation.fields).education == "71"
    assert (operation.base_rev, operation.base) == (
        1,
        {"phone": "12600002706", "care": ["medication"], "education": None},
    )
    assert home(desk).care == [Care.alone, Care.medication]
    detail = PersonDetail(desk.store, fakes.ports(), desk.now, HEAD.id)
    assert (detail.phone, detail.unsent) == ("128 **** 2706", True)
    assert ("学历", "初中毕业") in detail.facts


def test_a_form_that_changes_nothing_sends_nothing(desk: Desk) -> None:
    desk.holds(HEAD.model_copy(update={"care": [Care.discharged, Care.medication, Care.alone]}))

    assert PersonForm(desk.store, desk.now, HE.id, HEAD.id).save()

    assert desk.store.outbox.counts()[State.unsent] == 0


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "=1+1", NOT_A_NAME),
        ("birth", "1954", "出生日期写 8 位数字，例如 19540308。"),
        ("phone", "12", "电话号码不对，请再看一遍。"),
        ("id_number", "610388195403082714", "身份证号最后一位对不上，请对着证件再核一遍。"),
    ],
)
def test_what_the_server_would_refuse_is_said_before(desk: Desk, field: str, typed: str, said: str) -> None:
    form = PersonForm(desk.store, desk.now, HE.id)
    form.name, form.relation = "冯玉梅", "97"
    setattr(form, field, typed)

    assert not form.save()

    assert form.problem == said


def test_an_identity_number_brings_birth_and_sex(desk: Desk) -> None:
    form = PersonForm(desk.store, desk.now, HE.id)

    form.id_number = "610388195403082713"

    assert (form.birth, form.sex) == ("19540308", "1")


def a_move(**values: Any) -> MoveOut:
    usual: dict[str, Any] = {
        "id": uuid7(), "area_code": CELL, "from_area_code": OTHER,
        "movers": [Mover(resident_id=uuid7(), name="冯玉梅", phone="12600003381")], "out_on": MONDAY - timedelta(16),
        "words": "", "state": MoveState.expected, "overdue": True, "settled_on": None, "rev": 4, "received_at": MORNING,
    }  # fmt: skip
    return MoveOut(**{**usual, **values})


def test_only_who_is_expected_here_is_asked_about(desk: Desk) -> None:
    desk.holds(a_move(), a_move(area_code=OTHER), a_move(state=MoveState.arrived))

    checks = Checks(desk.store, fakes.ports(), desk.now)

    [arrival] = checks.arrivals
    assert (arrival.title, arrival.line) == ("冯玉梅", "11月7日从本县别的网格迁出")
    assert arrival.late == "16 天了还没核实"


def test_who_arrives_is_said_to_come_from_where_and_to_go_where(desk: Desk) -> None:
    desk.store.keep_cell_names([CellName(code=OTHER, name="新建路第1网格")], MONDAY)
    desk.holds(
        a_move(words="县城老街，儿子家"), a_move(from_area_code="610331100001002", out_on=MONDAY),
    )  # fmt: skip

    lines = [arrival.line for arrival in Checks(desk.store, fakes.ports(), desk.now).arrivals]

    assert lines == ["11月7日从新建路第1网格迁出，去“县城老街，儿子家”", "今天从外县迁出"]


def test_who_waits_at_a_community_is_shown_to_who_works_in_all_of_it_only(desk: Desk) -> None:
    desk.holds(a_move(area_code=CELL[:12]))

    shown = []
    for area in (CELL, CELL[:12]):
        grant = GrantOut(role=Role.community_worker, area_code=area)
        desk.store.keep_me(desk.me.model_copy(update={"grants": [grant]}))
        shown.append(Checks(desk.store, fakes.ports(), desk.now).count)

    assert shown == [0, 1]


def test_somebody_who_arrived_lives_in_the_chosen_household_at_once(desk: Desk) -> None:
    move = a_move()
    desk.holds(move)
    checks = Checks(desk.store, fakes.ports(), desk.now)

    checks.arrived(move.id, HE.id)
    checks.refresh()

    assert "冯玉梅" in names(desk)
    assert home(desk).size == 4
    assert checks.count == 0
    [operation] = sent(desk)
    wire = MoveSettleIn.model_validate(operation.fields)
    assert (operation.entity_id, wire.arrived, wire.household_id) == (move.id, True, HE.id)


def test_a_slip_on_没有来_is_taken_back(desk: Desk) -> None:
    move = a_move()
    desk.holds(move)
    checks = Checks(desk.store, fakes.ports(), desk.now)

    assert checks.not_arrived(move.id) == "已记：冯玉梅 没有来"
    checks.refresh()
    during = len(checks.arrivals), desk.store.outbox.take_batch(9)
    assert checks.undo()
    checks.refresh()

    assert during == (0, [])
    assert len(checks.arrivals) == 1
    assert sent(desk) == []


def test_what_has_left_the_phone_is_not_taken_back(desk: Desk) -> None:
    move = a_move()
    desk.holds(move)
    checks = Checks(desk.store, fakes.ports(), desk.now)
    checks.not_arrived(move.id)

    [operation] = sent(desk)

    assert operation.entity_id == move.id
    assert not checks.undo()


NEXT_DOOR = household(room="303", head_name="何长顺", size=1)
AGAIN = resident(NEXT_DOOR, id_on_file=False)


def registered_twice(desk: Desk, **later: Any) -> Checks:
    """The head of one household is on file behind the next door too."""
    desk.holds(NEXT_DOOR, AGAIN, pair(sketch(AGAIN, NEXT_DOOR, **later), sketch(HEAD, HE)))
    return Checks(desk.store, fakes.ports(), desk.now)


def test_a_pair_shows_why_and_both_rows_and_counts(desk: Desk) -> None:
    checks = registered_twice(desk)

    [twin] = checks.twins
    assert (twin.title, twin.why) == ("何长顺", "姓名和出生日期相同；电话相同")
    assert (twin.first.door, twin.first.number) == ("杨家坪小区 3号楼 2单元 303", "身份证没登记")
    assert (twin.second.door, twin.second.number) == ("杨家坪小区 3号楼 2单元 302", "身份证已登记")
    assert (twin.first.born, twin.first.phone) == ("1954年3月1日生", "126 **** 2706")
    assert checks.count == 1


def test_of_one_person_the_row_with_the_number_stays_and_the_other_is_gone_at_once(desk: Desk) -> None:
    checks = registered_twice(desk, received_at=MORNING - timedelta(days=9))

    checks.decide(checks.twins[0], True)
    checks.refresh()

    assert desk.store.entities.get(ResidentOut, AGAIN.id) is None
    assert (names(desk), checks.count) == (["何小军", "何长顺", "田秀珍"], 0)
    left = desk.store.entities.get(HouseholdOut, NEXT_DOOR.id)
    assert left is not None
    assert left.size == 0
    [operation] = sent(desk)
    wire = SettleIn.model_validate(operation.fields)
    assert (operation.kind, wire.same, wire.keep) == ("duplicate.settle", True, HEAD.id)


def test_of_two_rows_alike_the_earlier_stays(desk: Desk) -> None:
    checks = registered_twice(desk, id_on_file=True, received_at=MORNING - timedelta(days=9))

    checks.decide(checks.twins[0], True)

    [operation] = sent(desk)
    assert SettleIn.model_validate(operation.fields).keep == AGAIN.id


def test_two_people_stay_two_and_a_refusal_brings_the_pair_back(desk: Desk) -> None:
    checks = registered_twice(desk)

    checks.decide(checks.twins[0], False)
    checks.refresh()
    before = checks.count
    answered(desk, Outcome.rejected, Code.step_not_allowed)
    checks.refresh()

    assert desk.store.entities.get(ResidentOut, AGAIN.id) is not None
    assert before == 0
    assert [one.title for one in checks.returned] == ["何长顺 不是同一个人"]
    assert len(checks.twins) == 1


@pytest.mark.parametrize("same", [True, False])
def test_a_slip_about_a_pair_is_taken_back(desk: Desk, same: bool) -> None:
    checks = registered_twice(desk)

    checks.decide(checks.twins[0], same)
    checks.refresh()
    during = len(checks.twins), desk.store.outbox.take_batch(9)
    assert checks.undo()
    checks.refresh()

    assert during == (0, [])
    assert len(checks.twins) == 1
    assert len(names(desk)) == 3
    assert sent(desk) == []


def test_a_pair_whose_person_has_left_the_phone_asks_nothing(desk: Desk) -> None:
    checks = registered_twice(desk)
    event(desk, EventKind.death, HEAD).save()

    checks.refresh()

    assert checks.twins == []


def test_a_conflict_shows_both_values_and_my_own_can_be_sent_again_on_the_newest(desk: Desk) -> None:
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id)
    form.phone = "12800002706"
    form.save()
    answered(desk, Outcome.conflict, Code.stale)
    desk.store.take_page(page(HEAD.model_copy(update={"phone": "12900002706", "rev": 7})), [])
    checks = Checks(desk.store, fakes.ports(), desk.now)

    [item] = checks.returned
    assert item.conflict
    assert [(v.label, v.mine, v.theirs) for v in item.values] == [("电话", "128 0000 2706", "129 0000 2706")]
    checks.send_again(item.op_id)
    checks.refresh()

    [operation] = sent(desk)
    assert operation.op_id != item.op_id, "the server answers the old one as it did"
    assert (operation.base_rev, operation.fields) == (7, {"phone": "12800002706"})
    shown = desk.store.entities.get(ResidentOut, HEAD.id)
    assert shown is not None
    assert shown.phone == "12800002706"
    assert checks.count == 0


def test_what_is_given_up_leaves_what_the_community_has(desk: Desk) -> None:
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id)
    form.phone = "12800002706"
    form.save()
    answered(desk, Outcome.conflict, Code.stale)
    checks = Checks(desk.store, fakes.ports(), desk.now)

    checks.give_up(checks.returned[0].op_id)
    checks.refresh()

    shown = desk.store.entities.get(ResidentOut, HEAD.id)
    assert shown is not None
    assert shown.phone == HEAD.phone
    assert checks.count == 0


def test_a_person_s_history_names_the_day_and_who_wrote_it_down(desk: Desk) -> None:
    moved = EventOut(
        id=uuid7(), area_code=CELL, kind=EventKind.move_in, on=date(2025, 6, 1), resident_ids=[HEAD.id],
        names=["何长顺"], note="从西安回来", noted_by="李晓梅", received_at=MORNING,
    )  # fmt: skip
    taken_back = moved.model_copy(update={"id": uuid7(), "on": date(2025, 5, 1), "withdrawn": True, "note": ""})
    desk.holds(moved, taken_back)

    [line, older] = PersonDetail(desk.store, fakes.ports(), desk.now, HEAD.id).events

    assert (line.text, line.sub, line.unsent) == ("迁入", "2025年6月1日 · 李晓梅 · 从西安回来", False)
    assert older.text == "迁入（已撤回）"
