"""Coordinate systems and distances."""

from math import hypot

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.grid.geo import distance_m, from_wgs84, to_gcj02, to_wgs84
from shared.types import Crs

IN_COUNTY = st.tuples(st.floats(106.3, 107.2), st.floats(33.5, 34.4))
IN_COUNTRY = st.tuples(st.floats(73, 135), st.floats(4, 53))


def test_the_shift_agrees_with_the_published_pair():
    lon, lat = to_gcj02(120, 40)

    assert (lon, lat) == pytest.approx((120.00567568, 40.00130479), abs=1e-8)


def test_mixing_the_systems_in_the_county_is_off_by_a_street_and_more():
    assert distance_m(106.52, 33.91, *to_gcj02(106.52, 33.91)) == pytest.approx(417.6, abs=2)


@given(IN_COUNTRY)
def test_there_and_back_is_within_a_millimetre(place):
    back = to_wgs84(*to_gcj02(*place), Crs.gcj02)

    assert hypot(back[0] - place[0], back[1] - place[1]) * 111_320 < 0.001


def test_one_step_of_the_inverse_is_not_enough():
    # The control: subtracting the shift once leaves more than a millimetre, so the test above can fail.
    shifted = to_gcj02(106.52, 33.91)
    again = to_gcj02(*shifted)

    assert distance_m(106.52, 33.91, 2 * shifted[0] - again[0], 2 * shifted[1] - again[1]) > 0.001


def test_wgs84_stays_as_it_is():
    assert to_wgs84(106.52, 33.91, Crs.wgs84) == (106.52, 33.91)


@pytest.mark.parametrize("place", [(0.0, 0.0), (2.35, 48.85), (-180.0, -90.0), (180.0, 90.0)])
def test_places_abroad_are_not_shifted(place):
    assert to_gcj02(*place) == place
    assert to_wgs84(*place, Crs.gcj02) == place


def test_a_degree_of_latitude_is_as_long_as_it_should_be():
    assert distance_m(106.5, 33.0, 106.5, 34.0) == pytest.approx(111_195, abs=1)
    assert distance_m(0, 0, 180, 0) == pytest.approx(20_015_115, abs=1)
    assert distance_m(106.5, 33.9, 106.5, 33.9) == 0


def test_the_bend_of_bd09_agrees_with_the_published_pair():
    # Published for GCJ-02 116.404, 39.915.
    lon, lat = from_wgs84(*to_wgs84(116.404, 39.915, Crs.gcj02), Crs.bd09)

    assert (lon, lat) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


@pytest.mark.parametrize("crs", list(Crs))
@given(place=st.one_of(IN_COUNTY, IN_COUNTRY))
def test_every_system_comes_back_within_a_centimetre(crs, place):
    there = from_wgs84(*place, crs)
    back = to_wgs84(*there, crs)

    assert distance_m(*back, *place) < 0.01
    assert distance_m(*from_wgs84(*back, crs), *there) < 0.01


def test_one_step_of_the_inverse_of_bd09_are_not_enough(monkeypatch):
    # The control: with too few steps the test above can fail.
    monkeypatch.setattr("backend.grid.geo._BD_STEPS", 1)

    assert distance_m(*to_wgs84(*from_wgs84(106.52, 33.91, Crs.bd09), Crs.bd09), 106.52, 33.91) > 0.01


def test_a_place_of_one_system_read_as_another_is_streets_away():
    baidu = from_wgs84(106.52, 33.91, Crs.bd09)

    assert distance_m(106.52, 33.91, *baidu) > 900
    assert distance_m(106.52, 33.91, *to_wgs84(*baidu, Crs.gcj02)) > 500
