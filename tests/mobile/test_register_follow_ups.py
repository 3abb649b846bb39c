"""更正 and 跟进 without a window: what a visit found becomes a request or a correction, and a correction is settled."""

from datetime import timedelta
from pathlib import Path

import pytest

from mobile.device import fakes
from mobile.residents.checks import Checks
from mobile.residents.event_form import EventForm
from mobile.residents.follow_up import FollowUps
from mobile.residents.person import PersonDetail
from mobile.residents.person_form import PersonForm
from mobile.residents.viewmodel import HouseholdDetail
from mobile.store.outbox import State
from shared.requests import RequestOut
from shared.residents import Relation, ResidentOut, ResidentPatch
from shared.sync import Answer, Operation, Outcome
from shared.visits import (
    CorrectionFollowUp,
    CorrectionKind,
    CorrectionOut,
    CorrectionSettleIn,
    CorrectionState,
    Finding,
    FollowUpIn,
    RequestFollowUp,
    VisitOutcome,
)
from tests.mobile.phone_parts import MORNING, Desk, cell, household, resident, visit
from tests.mobile.register_parts import correction

HE = household()
HEAD = resident(HE)
WIFE = resident(HE, name="田秀珍", relation=Relation.spouse, phone=None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.holds(cell(), HE, HEAD, WIFE)
    desk.store.keep_me(desk.me)
    return desk


def checks(desk: Desk) -> Checks:
    return Checks(desk.store, fakes.ports(), desk.now)


def follow(desk: Desk) -> FollowUps:
    return HouseholdDetail(desk.store, fakes.ports(), desk.now, HE.id).follow


def sent(desk: Desk) -> list[Operation]:
    desk.now.move(seconds=11)
    return [Operation.model_validate(each) for each in desk.store.outbox.take_batch(50)]


def answered(desk: Desk, outcome: Outcome) -> Operation:
    """The one operation that is due leaves and has its receipt."""
    [operation] = sent(desk)
    answer = Answer(op_id=operation.op_id, index=0, outcome=outcome)
    desk.store.outbox.settle([operation.model_dump(mode="json")], [answer])
    return operation


def state_of(desk: Desk, doubt: CorrectionOut) -> CorrectionState:
    found = desk.store.entities.get(CorrectionOut, doubt.id)
    assert found is not None
    return found.state


# 更正


def test_open_doubts_of_my_doors_wait_in_待核对_in_the_order_they_came(desk: Desk) -> None:
    elsewhere, settled = household(), correction(HE, state=CorrectionState.done)
    late = correction(HE, what=CorrectionKind.new_person, said="", received_at=MORNING)
    desk.holds(late, correction(HE), correction(elsewhere), settled)

    found = checks(desk)

    assert [(one.title, one.word, one.noted, one.accept) for one in found.doubts] == [
        ("何长顺", "电话不对", "前天 王芳", "改电话"),
        ("何长顺一家", "有新住进来的人", "今天 王芳", "登记一人"),
    ]
    assert (found.doubts_title, found.count) == ("登记可能有误 2 件", 2)


def test_the_form_of_a_doubt_proposes_what_was_heard_and_saving_it_settles_both(desk: Desk) -> None:
    doubt = correction(HE, resident_id=HEAD.id)
    desk.holds(doubt)
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id, doubt.id)

    assert (form.phone, form.heard) == ("12800001111", "电话不对：女儿说换成 12800001111 了（王芳记的）")
    assert form.save()

    assert checks(desk).doubts == []
    edit, [settle] = answered(desk, Outcome.applied), sent(desk)
    assert ResidentPatch.model_validate(edit.fields).phone == "12800001111"
    assert (edit.kind, settle.kind, settle.entity_id) == ("resident.edit", "correction.settle", doubt.id)
    assert CorrectionSettleIn.model_validate(settle.fields).state is CorrectionState.done
    assert checks(desk).doubts == []


@pytest.mark.parametrize("outcome", [Outcome.rejected, Outcome.conflict])
def test_a_doubt_is_open_again_when_its_correction_is_refused(desk: Desk, outcome: Outcome) -> None:
    doubt = correction(HE, resident_id=HEAD.id)
    desk.holds(doubt)
    assert PersonForm(desk.store, desk.now, HE.id, HEAD.id, doubt.id).save()
    before = state_of(desk, doubt)

    answered(desk, outcome)

    assert (before, state_of(desk, doubt)) == (CorrectionState.done, CorrectionState.open)
    assert [one.id for one in checks(desk).doubts] == [doubt.id]
    assert sent(desk) == []


def test_a_doubt_about_who_left_is_open_again_when_the_change_is_refused(desk: Desk) -> None:
    doubt = correction(HE, what=CorrectionKind.moved_away, resident_id=WIFE.id)
    desk.holds(doubt)
    form = EventForm(desk.store, desk.me, desk.now, HE.id, WIFE.id, doubt.id)
    form.to.choose("unknown")
    form.save()

    answered(desk, Outcome.rejected)

    assert state_of(desk, doubt) is CorrectionState.open
    assert sent(desk) == []


def test_a_doubt_of_which_nothing_is_left_to_change_is_settled_all_the_same(desk: Desk) -> None:
    doubt = correction(HE, resident_id=HEAD.id, said="")
    desk.holds(doubt)
    said: list[str] = []
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id, doubt.id)
    form.bind(on_saved=lambda _form, _who, sentence: said.append(sentence))

    assert form.save()

    assert [one.kind for one in sent(desk)] == ["correction.settle"]
    assert said == ["已核对：何长顺"]


def test_a_form_without_a_doubt_settles_none(desk: Desk) -> None:
    doubt = correction(HE, resident_id=HEAD.id)
    desk.holds(doubt)
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id)
    form.phone = "12800001111"

    assert form.save()

    assert form.heard == ""
    assert [one.kind for one in sent(desk)] == ["resident.edit"]
    assert state_of(desk, doubt) is CorrectionState.open


def test_who_is_said_to_have_left_is_written_out_and_undoing_that_undoes_both(desk: Desk) -> None:
    doubt = correction(HE, what=CorrectionKind.moved_away, resident_id=WIFE.id)
    desk.holds(doubt)
    form = EventForm(desk.store, desk.me, desk.now, HE.id, WIFE.id, doubt.id)
    form.to.choose("unknown")
    wanted = (form.kind, form.who)

    assert wanted == ("move_out", [str(WIFE.id)])
    assert form.save()
    during = state_of(desk, doubt), desk.store.entities.get(ResidentOut, WIFE.id)
    assert form.undo()

    assert during == (CorrectionState.done, None)
    assert state_of(desk, doubt) is CorrectionState.open
    assert desk.store.entities.get(ResidentOut, WIFE.id) is not None
    assert sent(desk) == []


def test_what_need_not_be_changed_is_left_with_a_reason(desk: Desk) -> None:
    doubt = correction(HE)
    desk.holds(doubt)
    found = checks(desk)

    item = found.doubts[0]
    said = found.leave(item, "再问过，没有变")

    [operation] = sent(desk)
    wire = CorrectionSettleIn.model_validate(operation.fields)
    assert said == "已记：何长顺的登记不用改"
    assert (wire.state, wire.reason) == (CorrectionState.refused, "再问过，没有变")
    assert checks(desk).count == 0
    assert found.leave(item, "再问过，没有变") == ""
    assert [one.op_id for one in sent(desk)] == [operation.op_id], "what is settled is not settled again"


def test_a_refused_decision_comes_back_with_what_it_was(desk: Desk) -> None:
    doubt = correction(HE)
    desk.holds(doubt)
    found = checks(desk)
    found.leave(found.doubts[0], "说的是别人")
    [operation] = [one.model_dump(mode="json") for one in sent(desk)]
    answer = Answer(op_id=operation["op_id"], index=0, outcome=Outcome.rejected, sentence="已经办过了。")
    desk.store.outbox.settle([operation], [answer])

    found = checks(desk)

    [item] = found.returned
    assert (item.title, [(one.label, one.mine) for one in item.values]) == (
        "何长顺电话不对 不用改", [("核对", "不用改"), ("理由", "说的是别人")],
    )  # fmt: skip
    assert len(found.doubts) == 1, "it is open again"


# 跟进


def test_the_last_visit_suggests_what_is_usually_asked_for(desk: Desk) -> None:
    before = visit(HE, desk.me, findings=[Finding.utilities], visited_at=MORNING - timedelta(days=7))
    last = visit(HE, desk.me, findings=[Finding.unwell, Finding.supplies], note="说头晕")
    desk.holds(before, last)

    found = follow(desk)

    assert (found.title, found.line) == ("要跟进吗？", "今天 张敏：身体不适、缺吃缺用。说头晕")
    assert [word for _value, word, _icon in found.options] == ["陪着去医院", "代买东西", "送餐", "更多"]


@pytest.mark.parametrize(
    "values",
    [
        {"findings": [Finding.fine]},
        {"outcome": VisitOutcome.absent},
        {"findings": [Finding.unwell], "visited_at": MORNING - timedelta(days=31)},
    ],
    ids=["fine", "absent", "old"],
)
def test_a_visit_that_found_nothing_lately_suggests_nothing(desk: Desk, values: dict[str, object]) -> None:
    desk.holds(visit(HE, desk.me, **values))

    assert (follow(desk).title, follow(desk).options) == ("", [])


def test_one_tap_asks_for_help_that_stands_there_at_once_and_not_twice(desk: Desk) -> None:
    last = visit(HE, desk.me, findings=[Finding.unwell], resident_id=HEAD.id, note="说头晕")
    desk.holds(last)
    found = follow(desk)

    assert found.open("request:escort_hospital") == "已记：陪着去医院"
    found.refresh()

    [operation] = sent(desk)
    wire = FollowUpIn.model_validate(operation.fields).follow_up
    assert (operation.kind, operation.entity_id) == ("follow_up.open", last.id)
    assert isinstance(wire, RequestFollowUp)
    assert (wire.category, wire.resident_id, wire.detail) == ("escort_hospital", HEAD.id, "说头晕")
    assert [(one.text, one.sub, one.unsent) for one in found.followed] == [("陪着去医院", "待编号 · 等人接", True)]
    assert [word for _value, word, _icon in found.options] == ["更多"]
    assert "request:escort_hospital" not in [value for value, _word, _icon in found.every_option()]
    [row] = desk.store.entities.all(RequestOut, HE.id)
    assert (row.id, row.visit_id, row.owner_name) == (wire.id, last.id, "张敏")


def test_what_was_asked_for_by_a_slip_is_taken_back(desk: Desk) -> None:
    desk.holds(visit(HE, desk.me, findings=[Finding.unwell]))
    found = follow(desk)
    found.open("request:escort_hospital")

    assert found.undo()
    found.refresh()

    assert (found.followed, sent(desk)) == ([], [])
    assert desk.store.outbox.counts()[State.unsent] == 0


def test_who_is_said_to_have_moved_becomes_a_doubt_that_waits_for_somebody(desk: Desk) -> None:
    desk.holds(visit(HE, desk.me, outcome=VisitOutcome.moved, resident_id=HEAD.id, note="邻居说搬走了"))
    found = follow(desk)
    first = [word for _value, word, _icon in found.options]

    said = found.open("correction:moved_away")

    [doubt] = checks(desk).doubts
    [operation] = sent(desk)
    wire = FollowUpIn.model_validate(operation.fields).follow_up
    assert first == ["登记有误：已搬走", "更多"]
    assert said == "已记：登记有误，已搬走"
    assert isinstance(wire, CorrectionFollowUp)
    assert (wire.what, wire.resident_id, wire.said) == (CorrectionKind.moved_away, HEAD.id, "邻居说搬走了")
    assert (doubt.word, doubt.noted, doubt.said) == ("已搬走", "今天 张敏", "邻居说搬走了")


# 改资料


def test_occupation_and_registered_place_are_chosen_and_sent(desk: Desk) -> None:
    desk.holds(resident(HE, name="何小军", relation=Relation.son, registered_place="陕西宝鸡"))
    form = PersonForm(desk.store, desk.now, HE.id, HEAD.id)
    offered = [word for _value, word, _icon in form.places]
    form.registered_place = offered[0]
    form.choose_code("occupation", "50000")

    assert form.save()

    changed = desk.store.entities.get(ResidentOut, HEAD.id)
    assert changed is not None
    assert offered == ["凤县", "陕西宝鸡"]
    assert (changed.occupation, changed.registered_place) == ("50000", "凤县")
    patch = ResidentPatch.model_validate(sent(desk)[0].fields)
    assert patch.model_fields_set == {"occupation", "registered_place"}


def test_where_the_county_is_written_as_its_code_its_name_is_read(desk: Desk) -> None:
    one = resident(HE, registered_place="610330", occupation="50000")
    desk.holds(one)

    facts = dict(PersonDetail(desk.store, fakes.ports(), desk.now, one.id).facts)

    assert (facts["户籍地"], facts["职业"]) == ("凤县", "务农")
