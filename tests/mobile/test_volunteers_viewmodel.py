"""服务时长 without a window."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from mobile.volunteers.viewmodel import Hours
from shared.auth import Role
from shared.volunteers import ServiceState
from tests.mobile.phone_parts import MONDAY, Desk, me, service


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, me(Role.volunteer, name="周老师"))


def test_only_confirmed_minutes_make_the_total(desk: Desk) -> None:
    desk.holds(
        service(desk.me, MONDAY, 112, ServiceState.waiting),
        service(desk.me, MONDAY - timedelta(days=5), 70),
        service(desk.me, MONDAY - timedelta(days=11), 35),
        service(desk.me, MONDAY - timedelta(days=16), 125, ServiceState.unverified),
    )

    hours = Hours(desk.store, desk.now)

    assert (hours.hours, hours.minutes) == (1, 45)
    assert hours.waiting_line == "另有 1 小时 52 分等对方确认"
    assert [(line.length, line.word) for line in hours.records] == [
        ("1 小时 52 分", "等对方确认"),
        ("1 小时 10 分", "双方已确认"),
        ("35 分", "双方已确认"),
        ("2 小时 5 分", "待核实"),
    ]
    assert hours.records[0].sub == "今天 · 杨家坪社区"
    assert hours.count_text == "全部 4 次"


def test_six_months_are_shown_across_the_year(desk: Desk) -> None:
    desk.holds(
        service(desk.me, date(2026, 11, 2), 240),
        service(desk.me, date(2026, 6, 30), 480),
        service(desk.me, date(2026, 5, 31), 999),
        service(desk.me, date(2025, 11, 2), 999),
    )

    bars = Hours(desk.store, desk.now).bars

    assert [bar.label for bar in bars] == ["6月", "7月", "8月", "9月", "10月", "11月"]
    assert [(bar.hours, bar.share) for bar in (bars[0], bars[1], bars[-1])] == [(8, 1.0), (0, 0.0), (4, 0.5)]
    assert [bar.current for bar in bars] == [False] * 5 + [True]


def test_nothing_served_yet_is_zero_and_not_an_error(desk: Desk) -> None:
    hours = Hours(desk.store, desk.now)

    assert (hours.hours, hours.minutes, hours.count_text, hours.records) == (0, 0, "", [])
