"""联系人与帮扶, 经历 and 我的分工 without a window."""

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from mobile.device import fakes
from mobile.duties.viewmodel import Duties
from mobile.residents.checks import Checks
from mobile.residents.link_form import LinkForm
from mobile.residents.person import PersonDetail
from mobile.residents.told import NOTHING
from shared.duties import DutyRole, HouseholdListOut, StandInOut
from shared.links import HelperKind, LinkEndIn, LinkKind, LinkOut, PersonLinkIn
from shared.residents import Relation, ResidentOut
from shared.sync import Answer, Operation, Outcome
from shared.types import uuid7
from tests.mobile.phone_parts import CELL, MONDAY, Desk, cell, household, page, resident
from tests.mobile.register_parts import duty, link, period, with_past, with_team

HE = household()
HEAD = resident(HE)
WIFE = resident(HE, name="田秀珍", relation=Relation.spouse, phone="12600001102")
CHILD = resident(HE, name="何安安", relation=Relation.grandson, birth_date=date(2016, 5, 1), phone=None)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.holds(cell(), HE, HEAD, WIFE, CHILD)
    return desk


def page_of(desk: Desk, who: ResidentOut = HEAD, ports: object = None) -> PersonDetail:
    return PersonDetail(desk.store, ports or fakes.ports(), desk.now, who.id)  # type: ignore[arg-type]


def sent(desk: Desk) -> list[Operation]:
    desk.now.move(seconds=11)
    return [Operation.model_validate(each) for each in desk.store.outbox.take_batch(50)]


def test_who_stands_by_a_person_is_listed_with_guardians_first_and_whoever_is_over_left_out(desk: Desk) -> None:
    away = {
        "stand_in_name": "王建国", "stand_in_phone": "12600003802", "stand_in_from": MONDAY,
        "stand_in_until": MONDAY + timedelta(days=7),
    }  # fmt: skip
    mine = {"resident_id": HEAD.id}
    neighbour = {"kind": LinkKind.helper, "helper": HelperKind.neighbour, "name": "李秀兰", "relation": "对门"}
    desk.holds(
        link(HE, name="何建军", relation="儿子"),
        link(HE, **mine, **neighbour, **away),
        link(HE, **mine, kind=LinkKind.guardian, name="何小军", phone=None),
        link(HE, **mine, name="早先的人", until_day=MONDAY),
        link(HE, resident_id=WIFE.id, name="别人的"),
    )

    lines = page_of(desk).links

    assert [(one.name, one.line, one.phone, one.away) for one in lines] == [
        ("何小军", "监护人 · 女儿", "", ""),
        ("何建军", "全家的联系人 · 儿子", "126 **** 8801", ""),
        ("李秀兰", "帮扶人 · 对门 · 邻居", "126 **** 3802", "这几天由 王建国 代"),
    ]


def test_dialling_a_link_rings_whoever_answers_today(desk: Desk) -> None:
    ports, contact = fakes.ports(), link(HE, resident_id=HEAD.id)
    desk.holds(contact)

    page_of(desk, ports=ports).dial_link(contact.id)

    assert isinstance(ports.dialer, fakes.RecordedDialer)
    assert ports.dialer.dialled == ["12600008801"]


def test_a_contact_of_the_family_takes_two_taps_and_is_shown_at_once(desk: Desk) -> None:
    form = LinkForm(desk.store, desk.now, HEAD.id)
    form.choose_person(str(WIFE.id))

    assert (form.name, form.phone, form.relation, form.first) == ("田秀珍", "12600001102", "配偶", True)
    assert form.save()

    [line] = page_of(desk).links
    [operation] = sent(desk)
    wire = PersonLinkIn.model_validate(operation.fields)
    assert (line.name, line.line, line.unsent) == ("田秀珍", "联系人 · 配偶", True)
    assert (operation.kind, operation.base_rev) == ("link.put", None)
    assert (wire.resident_id, wire.person_id, wire.kind) == (HEAD.id, WIFE.id, LinkKind.contact)
    assert not LinkForm(desk.store, desk.now, HEAD.id).first, "the next one is called after this one"


@pytest.mark.parametrize(("written", "who"), [("邻居老李", None), ("田秀珍 ", WIFE.id)])
def test_another_name_over_the_chosen_one_is_somebody_else(desk: Desk, written: str, who: UUID | None) -> None:
    form = LinkForm(desk.store, desk.now, HEAD.id)
    form.choose_person(str(WIFE.id))
    form.name = written

    assert form.save()

    [operation] = sent(desk)
    assert PersonLinkIn.model_validate(operation.fields).person_id == who


def test_children_are_nobodys_contacts_and_nobody_their_own(desk: Desk) -> None:
    assert [word for _value, word, _icon in LinkForm(desk.store, desk.now, HEAD.id).people] == ["田秀珍"]


def test_an_adults_guardian_owes_a_reason_and_a_childs_does_not(desk: Desk) -> None:
    grown, child = (LinkForm(desk.store, desk.now, one.id) for one in (HEAD, CHILD))
    for form in (grown, child):
        form.kind, form.name = LinkKind.guardian.value, "何小军"

    assert (grown.asks_reason, grown.can_save) == (True, False)
    assert (child.asks_reason, child.can_save) == (False, True)
    grown.note = "法院指定"
    assert grown.save()
    assert PersonLinkIn.model_validate(sent(desk)[0].fields).note == "法院指定"


def test_a_helper_comes_from_somewhere_and_a_wrong_number_is_said(desk: Desk) -> None:
    form = LinkForm(desk.store, desk.now, HEAD.id)
    form.kind, form.name, form.phone = LinkKind.helper.value, "李秀兰", "12"
    before = form.can_save
    form.helper = HelperKind.neighbour.value

    assert (before, form.can_save, form.save()) == (False, True, False)
    assert form.problem == "电话号码不对，请再看一遍。"
    assert sent(desk) == []


def test_a_link_that_is_ended_is_gone_at_once_and_back_when_that_is_undone(desk: Desk) -> None:
    contact = link(HE, resident_id=HEAD.id, rev=3)
    desk.holds(contact)
    detail = page_of(desk)

    assert detail.end_link(contact.id) == "已结束：联系人 何小梅"
    assert page_of(desk).links == []
    assert detail.undo_end()
    assert [one.name for one in page_of(desk).links] == ["何小梅"]

    detail.end_link(contact.id)
    [operation] = sent(desk)
    assert (operation.kind, operation.entity_id, operation.base_rev) == ("link.end", contact.id, 3)
    assert LinkEndIn.model_validate(operation.fields).on == MONDAY
    assert not detail.undo_end()


def test_an_edited_contact_sends_only_what_changed_upon_what_was_on_the_screen(desk: Desk) -> None:
    contact = link(HE, resident_id=HEAD.id, rev=3)
    desk.holds(contact)
    form = LinkForm(desk.store, desk.now, HEAD.id, contact.id)
    form.phone = "12600009999"

    assert form.save()

    [line] = page_of(desk).links
    [operation] = sent(desk)
    assert (form.title, line.unsent) == ("改联系人", True)
    assert (operation.kind, operation.entity_id, operation.base_rev) == ("link.edit", contact.id, 3)
    assert (operation.fields, operation.base) == ({"phone": "12600009999"}, {"phone": contact.phone})
    shown = desk.store.entities.get(LinkOut, contact.id)
    assert shown is not None
    assert (shown.phone, shown.name) == ("12600009999", contact.name)


def a_helper(**values: object) -> LinkOut:
    return link(HE, resident_id=HEAD.id, kind=LinkKind.helper, helper=HelperKind.neighbour, name="李秀兰", **values)


def stood_in(first: date, until: date) -> dict[str, object]:
    return {
        "stand_in_name": "王建国", "stand_in_phone": "12600003802", "stand_in_from": first, "stand_in_until": until,
    }  # fmt: skip


def test_who_comes_in_a_helpers_place_is_written_down_from_today_and_shown_at_once(desk: Desk) -> None:
    helper = a_helper()
    desk.holds(helper)
    form = LinkForm(desk.store, desk.now, HEAD.id, helper.id)

    form.stand_in_name = "王建国"
    half = form.can_save
    form.choose_length("7")
    form.stand_in_phone = "12600003802"
    assert form.save(), form.problem

    [operation], [line] = sent(desk), page_of(desk).links
    week = {"from_day": MONDAY.isoformat(), "until_day": (MONDAY + timedelta(days=7)).isoformat()}
    assert not half, "nobody knows until when"
    assert operation.fields == {"stand_in": {"name": "王建国", "phone": "12600003802", **week}}
    assert operation.base == {"stand_in": None}
    assert (line.away, line.phone) == ("这几天由 王建国 代", "126 **** 3802")


def test_a_stand_in_is_ended_and_the_helper_is_called_again(desk: Desk) -> None:
    helper = a_helper(**stood_in(MONDAY, MONDAY + timedelta(days=7)))
    desk.holds(helper)
    form = LinkForm(desk.store, desk.now, HEAD.id, helper.id)
    words = form.stand_in_now

    form.end_stand_in()
    assert form.save()

    [operation], [line] = sent(desk), page_of(desk).links
    assert words == "王建国 126 0000 3802，11月23日到11月29日"
    assert (operation.fields, line.away, form.stand_in_now) == ({"stand_in": None}, "", "")


def test_another_number_of_the_stand_in_leaves_the_days_as_they_were(desk: Desk) -> None:
    helper = a_helper(**stood_in(MONDAY - timedelta(days=2), MONDAY + timedelta(days=5)))
    desk.holds(helper)
    form = LinkForm(desk.store, desk.now, HEAD.id, helper.id)

    form.stand_in_phone = "12600009999"
    assert form.save()

    days = {"from_day": "2026-11-21", "until_day": "2026-11-28"}
    assert sent(desk)[0].fields == {"stand_in": {"name": "王建国", "phone": "12600009999", **days}}


def test_a_stand_in_whose_days_are_over_is_not_offered_and_not_sent_again(desk: Desk) -> None:
    helper = a_helper(**stood_in(MONDAY - timedelta(days=7), MONDAY))
    desk.holds(helper)
    form = LinkForm(desk.store, desk.now, HEAD.id, helper.id)

    form.note = "下午再打"
    assert form.save()

    assert (form.stand_in_name, form.stand_in_now) == ("", "")
    assert sent(desk)[0].fields == {"note": "下午再打"}


def test_only_a_helper_who_is_there_already_is_asked_about_a_stand_in(desk: Desk) -> None:
    contact, helper = link(HE, resident_id=HEAD.id), a_helper()
    desk.holds(contact, helper)
    new = LinkForm(desk.store, desk.now, HEAD.id)
    new.kind = LinkKind.helper.value

    asks = [new, *(LinkForm(desk.store, desk.now, HEAD.id, one.id) for one in (contact, helper))]

    assert [form.asks_stand_in for form in asks] == [False, False, True]


def test_a_refused_stand_in_is_told_in_words_beside_the_one_that_stands(desk: Desk) -> None:
    helper = a_helper(**stood_in(MONDAY, MONDAY + timedelta(days=7)))
    desk.holds(helper)
    form = LinkForm(desk.store, desk.now, HEAD.id, helper.id)
    form.end_stand_in()
    assert form.save()
    [one] = [each.model_dump(mode="json") for each in sent(desk)]
    no = Answer(op_id=one["op_id"], index=0, outcome=Outcome.rejected, sentence="这个地方不归您管。")
    desk.store.outbox.settle([one], [no])

    [returned] = Checks(desk.store, fakes.ports(), desk.now).returned

    told = [(value.label, value.mine, value.theirs) for value in returned.values]
    assert told == [("由别人代", NOTHING, "王建国 126 0000 3802，11月23日到11月29日")]


def test_a_contact_that_was_only_looked_at_sends_nothing(desk: Desk) -> None:
    contact = link(HE, resident_id=HEAD.id, rev=3)
    desk.holds(contact)

    LinkForm(desk.store, desk.now, HEAD.id, contact.id).save()

    assert sent(desk) == []


def test_a_refused_link_is_told_in_words_and_sent_again_upon_what_is_there_now(desk: Desk) -> None:
    contact = link(HE, resident_id=HEAD.id)
    desk.holds(contact)
    form = LinkForm(desk.store, desk.now, HEAD.id)
    form.kind, form.helper, form.name = LinkKind.helper.value, HelperKind.member.value, "周丽华"
    assert form.save()
    page_of(desk).end_link(contact.id)
    batch = [one.model_dump(mode="json") for one in sent(desk)]
    no = {"outcome": Outcome.rejected, "sentence": "这个地方不归您管。"}
    desk.store.outbox.settle(batch, [Answer(op_id=one["op_id"], index=at, **no) for at, one in enumerate(batch)])
    assert desk.store.take_page(page(contact.model_copy(update={"rev": 2})), [])

    checks = Checks(desk.store, fakes.ports(), desk.now)
    told = {item.title: [(value.label, value.mine) for value in item.values] for item in checks.returned}
    for item in checks.returned:
        checks.send_again(item.op_id)

    assert told == {
        "何长顺 帮扶人 周丽华": [("关系", "帮扶人"), ("姓名", "周丽华"), ("哪一方", "单位成员")],
        "联系人 何小梅 结束": [("结束", "11月23日")],
    }
    assert {one.kind: one.base_rev for one in sent(desk)} == {"link.put": None, "link.end": 2}
    assert desk.store.entities.get(LinkOut, contact.id) is None


def test_a_persons_past_is_told_with_days_and_who_said_so_newest_first(desk: Desk) -> None:
    old, gone = household(compound="河滨小区", building="1号楼", unit="", room="101"), uuid7()
    desk.holds(old)
    desk.store.take_page(
        page(
            with_past(
                HEAD,
                period("residency", "living", date(2024, 1, 1), date(2026, 3, 1)),
                period("residency", "away", date(2026, 3, 1)),
                period("household", str(gone), date(2020, 1, 1), date(2024, 1, 1)),
                period("household", str(old.id), date(2024, 1, 1)),
                period("care:alone", "yes", date(2026, 11, 22)),
            )
        ),
        [],
    )

    detail = page_of(desk)
    first = [(one.text, one.sub, one.now) for one in detail.past]
    rest = detail.past_rest
    detail.show_all_past()

    assert first == [
        ("独居", "昨天起 · 王芳", True),
        ("外出", "3月1日起 · 王芳", True),
        ("常住", "2024年1月1日到3月1日 · 王芳", False),
        ("住在河滨小区 1号楼 101", "2024年1月1日起 · 王芳", True),
    ]
    assert (rest, detail.past_rest) == ("全部 5 条", "")
    assert detail.past[-1].text == "住在别处"
    assert detail.name == "何长顺", "the row itself reads as before"


def test_a_person_whose_past_has_not_come_has_none(desk: Desk) -> None:
    assert page_of(desk).past == []


def test_who_answers_for_my_cell_today_is_named_and_what_is_mine_is_marked(desk: Desk) -> None:
    stand_in = StandInOut(
        account_id=desk.me.account_id, name="张敏", from_day=MONDAY, until_day=MONDAY + timedelta(days=7)
    )
    team = with_team(
        cell(),
        duty(DutyRole.in_charge, "李建国", stand_in=stand_in),
        duty(DutyRole.informed, "王芳", from_day=MONDAY + timedelta(days=1)),
        duty(DutyRole.serving, "张敏", account_id=desk.me.account_id, until_day=MONDAY + timedelta(days=30)),
        looked_after=[
            HouseholdListOut(account_id=desk.me.account_id, name="张敏", household_ids=[HE.id, uuid7()]),
            HouseholdListOut(account_id=uuid7(), name="王芳", household_ids=[uuid7()]),
        ],
    )
    desk.store.take_page(page(team), [])

    duties = Duties(desk.store, desk.me, desk.now)

    [here] = [one for one in duties.cells if one.shares]
    assert [(one.role, one.name, one.sub, one.mine) for one in here.roles] == [
        ("管事", "李建国", "今天到11月30日由张敏代", True),
        ("知情", "还没有人", "", False),
        ("服务", "张敏", "9月24日起，到12月23日", True),
    ]
    assert here.shares == [("张敏", "1 户", True)], "households that have left this phone are not counted"
    assert [(one.title, one.sub, one.due) for one in duties.doors] == [
        ("何长顺一家", "杨家坪小区 3号楼2单元 302", "今天到期")
    ]
    assert (duties.doors_title, duties.doors_rest, duties.trail) == ("我包 1 户", "", "管事、服务")


def test_more_doors_than_a_glance_are_shown_when_asked_for(desk: Desk) -> None:
    homes = [household(room=str(room)) for room in range(101, 108)]
    mine = HouseholdListOut(account_id=desk.me.account_id, name="张敏", household_ids=[one.id for one in homes])
    desk.holds(*homes)
    desk.store.take_page(page(with_team(cell(code=CELL), looked_after=[mine])), [])
    duties = Duties(desk.store, desk.me, desk.now)
    first = len(duties.doors), duties.doors_rest

    duties.show_all_doors()

    assert first == (5, "全部 7 户")
    assert (len(duties.doors), duties.doors_rest) == (7, "")
