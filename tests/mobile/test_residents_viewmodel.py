"""住户详情 without a window."""

from datetime import timedelta
from pathlib import Path

import pytest

from mobile.device import fakes
from mobile.residents.viewmodel import HouseholdDetail
from shared.residents import Care, Relation, Residency
from shared.types import uuid7
from shared.visits import Evidence, Finding, VisitOutcome
from tests.mobile.phone_parts import MONDAY, MORNING, Desk, cell, change, household, page, resident, visit


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_household_shows_its_door_people_and_history(desk: Desk) -> None:
    home = household(care=[Care.discharged], due_on=MONDAY)
    son = resident(home, name="何小军", relation=Relation.son, residency=Residency.away, note="在西安", phone=None)
    seen = visit(home, desk.me, findings=[Finding.medication], note="药在按时吃。", evidence=Evidence.at_door)
    missed = visit(home, desk.me, outcome=VisitOutcome.absent, visited_at=MORNING - timedelta(days=7))
    desk.holds(cell(), home, son, resident(home), missed, seen)

    detail = HouseholdDetail(desk.store, fakes.ports(), desk.now, home.id)

    assert (detail.title, detail.door) == ("何长顺一家", "杨家坪小区 3号楼2单元 302")
    assert (detail.place_line, detail.due_word, detail.due_kind) == ("杨家坪第3网格", "今天到期", "due")
    assert [(m.name, m.line, m.phone, m.residency_word) for m in detail.members] == [
        ("何长顺", "户主 · 72 岁", "126 **** 2706", "常住"),
        ("何小军", "儿子 · 72 岁", "", "外出"),
    ]
    assert [(line.text, line.sub) for line in detail.visits] == [
        ("见到本人。用药。药在按时吃", "11月23日 周一 · 张敏 入户 · 在门口"),
        ("家中无人", "11月16日 周一 · 张敏 入户"),
    ]


def test_dialling_uses_the_whole_number_that_is_not_shown(desk: Desk) -> None:
    home, ports = household(), fakes.ports()
    person = resident(home)
    desk.holds(home, person)
    detail = HouseholdDetail(desk.store, ports, desk.now, home.id)

    detail.dial()
    detail.dial_member(person.id)

    assert isinstance(ports.dialer, fakes.RecordedDialer)
    assert ports.dialer.dialled == ["12600002706"] * 2


def test_older_visits_are_shown_when_asked_for(desk: Desk) -> None:
    home = household()
    desk.holds(home, *(visit(home, desk.me, visited_at=MORNING - timedelta(days=days)) for days in range(7)))
    detail = HouseholdDetail(desk.store, fakes.ports(), desk.now, home.id)
    first = (len(detail.visits), detail.visits_total_text)

    detail.show_all()

    assert first == (5, "全部 7 次")
    assert (len(detail.visits), detail.visits_total_text) == (7, "")


def test_a_household_that_left_the_phone_is_said_to_be_gone(desk: Desk) -> None:
    home = household()
    desk.holds(home)
    detail = HouseholdDetail(desk.store, fakes.ports(), desk.now, home.id)

    desk.store.take_page(page(change(home, gone=True)), [])
    detail.refresh()

    assert detail.gone
    assert HouseholdDetail(desk.store, fakes.ports(), desk.now, uuid7()).gone
