"""Dates, times and numbers as neighbours say them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from mobile.core import texts

# Half past midnight on Tuesday in Shanghai is still Monday in UTC.
NOW = datetime(2026, 11, 23, 2, 42, tzinfo=UTC)  # 周一 10:42
TODAY = date(2026, 11, 23)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=texts.SHANGHAI)


def test_a_slot_names_the_day_the_part_of_the_day_and_both_ends() -> None:
    assert texts.slot(at(24, 9), at(24, 11), NOW) == "明天 上午 9:00–11:00"
    assert texts.slot(at(23, 14, 30), at(23, 16), NOW) == "今天 下午 14:30–16:00"
    assert texts.slot_large(at(24, 9), at(24, 11)) == "上午 9 点到 11 点"


def test_days_are_counted_by_shanghai_and_not_by_utc() -> None:
    just_after_midnight = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)

    assert texts.when(just_after_midnight, NOW) == "明天 0:05"


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (TODAY, "今天"),
        (TODAY - timedelta(1), "昨天"),
        (TODAY + timedelta(2), "后天"),
        (date(2026, 11, 30), "11月30日"),
        (date(2027, 1, 2), "2027年1月2日"),
    ],
)
def test_near_days_have_words_and_other_years_are_named(day: date, words: str) -> None:
    assert texts.day_word(day, TODAY) == words


def test_a_full_day_has_its_weekday() -> None:
    assert texts.full_day(TODAY) == "11月23日 周一"


@pytest.mark.parametrize(
    ("day", "words", "kind"),
    [
        (date(2026, 11, 21), "超期 2 天", "over"),
        (TODAY, "今天到期", "due"),
        (date(2026, 11, 24), "明天到期", "later"),
        (date(2026, 11, 30), "11月30日到期", "later"),
    ],
)
def test_what_is_due_says_how_late_it_is(day: date, words: str, kind: str) -> None:
    assert (texts.due(day, TODAY), texts.due_kind(day, TODAY)) == (words, kind)


def test_never_seen_is_not_the_same_as_long_unseen() -> None:
    assert texts.days_unseen(None, TODAY) == "还没见过本人"
    assert texts.days_unseen(date(2026, 10, 22), TODAY) == "32 天没见到本人"


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=20), "刚刚"),
        (timedelta(minutes=5), "5 分钟前"),
        (timedelta(hours=3), "3 小时前"),
        (timedelta(hours=12), "昨天 22:42"),
    ],
)
def test_how_long_ago(passed: timedelta, words: str) -> None:
    assert texts.ago(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("metres", "words"),
    [(40, "离您不到 100 米"), (612, "离您 600 米左右"), (960, "离您 1 公里左右"), (1240, "离您 1.2 公里左右")],
)
def test_a_distance_before_acceptance_is_rounded_so_that_it_finds_no_door(metres: float, words: str) -> None:
    assert texts.about(metres) == words


@pytest.mark.parametrize(("total", "words"), [(112, "1 小时 52 分"), (120, "2 小时"), (35, "35 分"), (0, "0 分")])
def test_minutes_served_are_whole(total: int, words: str) -> None:
    assert texts.minutes(total) == words


@pytest.mark.parametrize(("total", "words"), [(120, "大约 2 小时"), (90, "大约 1 个半小时"), (40, "大约 40 分钟")])
def test_a_length_that_is_only_planned_is_said_roughly(total: int, words: str) -> None:
    assert texts.roughly(total) == words


def test_ages_and_phone_numbers() -> None:
    assert texts.age(date(1945, 11, 24), TODAY) == "80 岁"
    assert texts.age(date(2026, 5, 1), TODAY) == "6 个月"
    assert texts.phone("12600004417") == "126 0000 4417"
    assert texts.phone_masked("12600002706") == "126 **** 2706"
