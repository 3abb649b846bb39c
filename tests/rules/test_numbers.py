"""Numbers that are read out to each other."""

from datetime import date
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.requests.numbers import is_sound, number_of

NUMBERS = st.builds(
    number_of,
    st.sampled_from(["610330100008003", "610330100001", "610330"]),
    st.dates(date(2026, 1, 1), date(2099, 12, 31)),
    st.integers(1, 99_999),
)


def test_a_number_says_community_day_and_sequence():
    assert number_of("610330100008003", date(2026, 11, 23), 14).startswith("008-261123-014-")
    assert number_of("610330", date(2026, 11, 23), 1234).startswith("000-261123-1234-")


@given(NUMBERS)
def test_every_number_is_sound(number):
    assert is_sound(number)


@given(NUMBERS, st.data())
def test_one_wrong_digit_is_caught(number, data):
    at = data.draw(st.sampled_from([i for i, c in enumerate(number) if c != "-"]))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != number[at]]))

    assert not is_sound(number[:at] + other + number[at + 1 :])


@given(NUMBERS, st.data())
def test_two_neighbours_swapped_are_caught(number, data):
    places = [i for i, c in enumerate(number) if c != "-"]
    swaps = [(a, b) for a, b in pairwise(places) if number[a] != number[b]]
    a, b = data.draw(st.sampled_from(swaps))
    slipped = list(number)
    slipped[a], slipped[b] = number[b], number[a]

    assert not is_sound("".join(slipped))


def test_what_is_no_number_at_all_is_not_sound():
    assert not any(is_sound(text) for text in ("", "008", "008-261123-01-7", "８-261123-014-7", "x" * 20))
