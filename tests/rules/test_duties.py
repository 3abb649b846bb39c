"""Who may answer for a cell, and who may end a post."""

from datetime import date, timedelta

import pytest

from backend.duties.rules import Days, covers, may_end, overlapping, refuse_leaving_day
from shared.auth import Role
from shared.errors import Code

CELL, COMMUNITY, COUNTY = "610330100008003", "610330100008", "610330"
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("grant", "covered"),
    [
        ((Role.grid_worker, CELL), True),
        ((Role.community_worker, COMMUNITY), True),
        ((Role.county_admin, COUNTY), True),
        ((Role.grid_worker, "610330100008004"), False),
        ((Role.auditor, COUNTY), False),
        ((Role.partner, COUNTY), False),
        ((Role.volunteer, COMMUNITY), False),
    ],
)
def test_only_a_working_grant_over_the_cell_covers_it(grant, covered):
    assert covers([grant], CELL) is covered


@pytest.mark.parametrize(
    ("mine", "leaving", "may"),
    [
        ([(Role.county_admin, COUNTY)], [(Role.county_admin, COUNTY)], True),
        ([(Role.county_admin, COUNTY)], [], True),
        ([(Role.community_worker, COMMUNITY)], [(Role.grid_worker, CELL)], True),
        ([(Role.community_worker, COMMUNITY)], [(Role.grid_worker, CELL), (Role.auditor, COUNTY)], False),
        ([(Role.community_worker, COMMUNITY)], [(Role.community_worker, COMMUNITY)], False),
        ([(Role.community_worker, COMMUNITY)], [], False),
        ([(Role.grid_worker, CELL)], [(Role.grid_worker, CELL)], False),
    ],
)
def test_a_post_is_ended_from_above(mine, leaving, may):
    assert may_end(mine, leaving) is may


def test_days_touch_without_overlapping():
    first, then = Days(TODAY, TODAY + timedelta(5)), Days(TODAY + timedelta(5), TODAY + timedelta(9))

    assert not overlapping(first, [then])
    assert overlapping(first, [then, Days(TODAY + timedelta(4), TODAY + timedelta(5))])
    assert not overlapping(Days(TODAY, TODAY), [Days(TODAY, TODAY + timedelta(1))])


@pytest.mark.parametrize(("days", "no"), [(0, None), (-366, None), (1, Code.in_the_future), (-367, Code.too_old)])
def test_a_post_is_left_today_or_in_the_past_year(days, no):
    assert refuse_leaving_day(TODAY + timedelta(days), TODAY) is no
