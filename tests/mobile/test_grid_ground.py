"""Plane geometry of the map."""

import math
from itertools import combinations

import pytest

from mobile.grid.ground import covered, inside, make_way, nearest_pair

SQUARE = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
HOLE = [(4.0, 4.0), (6.0, 4.0), (6.0, 6.0), (4.0, 6.0)]


@pytest.mark.parametrize(("point", "found"), [((5, 1), True), ((5, 5), False), ((11, 5), False), ((-1, 5), False)])
def test_a_point_is_in_a_cell_but_not_in_its_hole(point: tuple[float, float], found: bool) -> None:
    assert inside(point, [SQUARE, HOLE]) is found


def test_marks_that_overlap_move_apart_and_the_chosen_one_stays() -> None:
    places = [(0.0, 0.0), (20.0, 0.0), (40.0, 1.0), (20.0, 12.0), (200.0, 0.0)]

    moved = make_way(places, [16.0] * 5, fixed=1)

    assert min(math.dist(a, b) for a, b in combinations(moved, 2)) > 31
    assert (moved[1], moved[4]) == (places[1], places[4])
    assert max(math.dist(a, b) for a, b in zip(places, moved, strict=True)) < 32


def test_two_stairwells_in_one_place_stand_side_by_side() -> None:
    assert make_way([(5.0, 5.0), (5.0, 5.0)], [10.0, 10.0]) == [(-5.0, 5.0), (15.0, 5.0)]


def test_places_that_no_scale_could_part_do_not_count_as_near() -> None:
    assert nearest_pair([(0, 0), (0, 1), (30, 0)], 3) == pytest.approx(30)
    assert nearest_pair([(0, 0)], 3) == math.inf


def test_what_a_name_would_hide_adds_up() -> None:
    assert covered((0, 0, 10, 10), [(5, 5, 20, 20), (8, 0, 12, 2), (20, 20, 30, 30)]) == 29
