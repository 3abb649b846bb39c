"""The algebra of periods against a model that knows each day on its own."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.residents import periods
from backend.residents.periods import Span

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(40)]
VALUES = ("registered", "living", "floating", "away")
AREAS = ("610330100008003", "610330100008004")

days = st.sampled_from(DAYS)
values = st.sampled_from(VALUES)
areas = st.sampled_from(AREAS)
intervals = st.tuples(days, st.one_of(days, st.just(periods.FOREVER))).filter(lambda pair: pair[0] < pair[1])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), values, areas, days),
        st.tuples(st.just("end"), days),
        st.tuples(st.just("correct"), st.one_of(st.none(), values), areas, intervals),
        st.tuples(st.just("move"), areas, days),
    ),
    max_size=12,
)

Model = dict[date, tuple[str, str]]
"""What holds on each day of the window; the last day stands for all that follow."""


def by_algebra(spans: list[Span], step: tuple) -> list[Span]:
    match step:
        case ("set", value, area, day):
            return periods.from_day_on(spans, value, area, day)
        case ("end", day):
            return periods.ended(spans, day)
        case ("correct", value, area, (first, last)):
            return periods.corrected(spans, [Span(value, area, first, last)] if value else [], first, last)
        case ("move", area, day):
            return periods.elsewhere(spans, area, day)
    raise AssertionError(step)


def by_days(model: Model, spans: list[Span], step: tuple) -> Model:
    """Do the same day by day. Where a change is known to come next is read from the notes, not from values."""
    changed = dict(model)
    match step:
        case ("set", value, area, day):
            changes = sorted({d for span in spans for d in (span.from_day, span.until_day)})
            until = next((d for d in changes if d > day), periods.FOREVER)
            changed.update({d: (value, area) for d in DAYS if day <= d < until})
        case ("end", day):
            changed = {d: held for d, held in model.items() if d < day}
        case ("correct", value, area, (first, last)):
            inside = [d for d in DAYS if first <= d < last]
            changed = {d: held for d, held in model.items() if d not in inside}
            changed.update(dict.fromkeys(inside, (value, area)) if value else {})
        case ("move", area, day):
            changed.update({d: (held[0], area) for d, held in model.items() if d >= day})
    return changed


def spread(spans: list[Span]) -> Model:
    return {day: (held.value, held.area) for day in DAYS if (held := periods.at(spans, day))}


@given(steps)
def test_any_sequence_of_notes_leaves_what_a_day_by_day_model_says(sequence):
    spans: list[Span] = []
    model: Model = {}
    for step in sequence:
        model = by_days(model, spans, step)
        spans = by_algebra(spans, step)

        assert spread(spans) == model


@given(steps)
def test_spans_are_sorted_never_overlap_and_are_never_empty(sequence):
    spans: list[Span] = []
    for step in sequence:
        spans = by_algebra(spans, step)

    assert all(span.from_day < span.until_day for span in spans)
    assert all(one.until_day <= following.from_day for one, following in pairwise(spans))


@given(steps, values, areas, days)
def test_a_note_sent_twice_changes_nothing_more(sequence, value, area, day):
    spans: list[Span] = []
    for step in sequence:
        spans = by_algebra(spans, step)

    once = periods.from_day_on(spans, value, area, day)

    assert periods.from_day_on(once, value, area, day) == once


@given(st.permutations(list(enumerate(VALUES * 2))), st.lists(days, min_size=8, max_size=8, unique=True))
def test_what_is_noted_for_days_is_the_same_in_whatever_order_it_arrives(order, when):
    def noted(notes: list[tuple[int, str]]) -> Model:
        spans: list[Span] = []
        for number, value in notes:
            spans = periods.from_day_on(spans, value, AREAS[0], when[number])
        return spread(spans)

    assert noted(order) == noted(sorted(order))


def test_a_late_note_of_an_earlier_day_leaves_what_was_noted_for_later():
    known = [Span("living", AREAS[0], DAYS[0], DAYS[20]), Span("away", AREAS[0], DAYS[20])]

    found = periods.from_day_on(known, "floating", AREAS[0], DAYS[10])

    assert [(span.value, span.from_day) for span in found] == [
        ("living", DAYS[0]), ("floating", DAYS[10]), ("away", DAYS[20]),
    ]  # fmt: skip


def test_a_death_noted_late_ends_what_was_noted_for_later():
    known = [Span("living", AREAS[0], DAYS[0], DAYS[20]), Span("away", AREAS[0], DAYS[20])]

    assert periods.ended(known, DAYS[10]) == [Span("living", AREAS[0], DAYS[0], DAYS[10])]


@given(steps, values, intervals)
def test_a_correction_keeps_where_the_person_was(sequence, value, interval):
    where: list[Span] = []
    for step in sequence:
        where = by_algebra(where, step)

    spread_out = periods.pieces(value, where, AREAS[0], *interval)

    assert (spread_out[0].from_day, spread_out[-1].until_day) == interval
    assert all(one.until_day == following.from_day for one, following in pairwise(spread_out))
    for day in (day for day in DAYS if interval[0] <= day < interval[1]):
        known, found = periods.at(where, day), periods.at(spread_out, day)
        assert found is not None
        assert known is None or found.area == known.area
