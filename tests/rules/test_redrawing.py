"""Where a door goes when boundaries change."""

import pytest

from backend.redrawing.rules import Ground, Placement, place, settled
from shared.grid import WhyUndecided

A, B, C = "610330100008001", "610330100008002", "610330100008003"
COMMUNITY = A[:12]


@pytest.mark.parametrize(
    ("area", "ground", "touched", "wanted"),
    [
        (A, Ground(A, B), {A, B}, Placement(B)),
        (A, Ground(A, A), {A, B}, Placement(A)),
        (A, Ground(None, B), {B}, Placement(B)),
        (COMMUNITY, Ground(None, B), {B}, Placement(B)),
        (A, Ground(A, None), {A}, Placement(A, WhyUndecided.outside)),
        (A, Ground(None, None), {B}, Placement(A)),
        (A, None, {A}, Placement(A, WhyUndecided.no_position)),
        (A, None, {B}, Placement(A)),
        (A, Ground(B, C), {A, B}, Placement(A, WhyUndecided.disagrees)),
        (A, Ground(B, A), {A, B}, Placement(A)),
        (A, Ground(B, C), {B, C}, Placement(A)),
    ],
)
def test_it_moves_only_with_the_ground_under_it(area, ground, touched, wanted):
    assert place(area, ground, touched) == wanted


@pytest.mark.parametrize(
    ("placement", "decided", "wanted"),
    [
        (Placement(B), None, B),
        (Placement(A, WhyUndecided.no_position), None, COMMUNITY),
        (Placement(A, WhyUndecided.no_position), C, C),
        (Placement(B, WhyUndecided.outside), None, B),
    ],
)
def test_what_nobody_decided_falls_to_the_community_only_with_its_cell(placement, decided, wanted):
    assert settled(placement, decided, {A}, COMMUNITY) == wanted
