"""What a volunteer sees before saying yes: a coarse place and reasons in plain words."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest

from backend.grid.geo import distance_m
from backend.matching.cards import ENOUGH_HOUSEHOLDS, Neighbourhood
from backend.matching.rules import is_quiet, no_to_time, no_to_yes, reasons, served
from shared.errors import Code
from shared.matching import OfferState, ReasonCode
from shared.requests import RequestState
from shared.volunteers import Language, ServiceState

CHINA = timezone(timedelta(hours=8))
TUESDAY_9 = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOME = (106.52, 33.91)


def doors(count: int, spread: float, seed: int = 1) -> list[tuple[float, float]]:
    rng = Random(seed)
    return [(HOME[0] + rng.uniform(-spread, spread), HOME[1] + rng.uniform(-spread, spread)) for _ in range(count)]


@pytest.mark.parametrize(("count", "spread"), [(400, 0.004), (60, 0.02), (30, 0.05)])
def test_a_circle_holds_the_door_and_at_least_twenty_households(count, spread):
    ground = doors(count, spread)
    place = Neighbourhood("杨家坪社区居委会", ground)

    for door in ground[:20]:
        circle = place.around(*door)
        inside = [other for other in ground if distance_m(*other, circle.lon, circle.lat) <= circle.radius_m]
        assert door in inside
        assert len(inside) >= ENOUGH_HOUSEHOLDS


def test_the_circle_of_neighbours_is_the_same_every_time():
    """Jitter would average out; here two hundred invitations tell no more than one."""
    ground = doors(400, 0.004)

    circles = {Neighbourhood("", ground).around(*ground[0]) for _ in range(200)}
    neighbours = {Neighbourhood("", ground).around(*door) for door in ground}

    assert len(circles) == 1
    assert len(neighbours) <= len(ground) / ENOUGH_HOUSEHOLDS


def test_a_hamlet_gets_a_wide_circle_and_not_a_door():
    hamlet = [HOME, (HOME[0] + 0.03, HOME[1])]

    circle = Neighbourhood("双石铺村委会", hamlet).around(*HOME)

    assert all(distance_m(*door, circle.lon, circle.lat) <= circle.radius_m for door in hamlet)


@pytest.mark.parametrize(
    ("office", "spoken"),
    [("新建路社区居委会", "新建路社区"), ("双石铺村委会", "双石铺村"), ("白家店村民委员会", "白家店村")],
)
def test_a_place_is_named_as_people_say_it(office, spoken):
    place = Neighbourhood(office, doors(2000, 0.01))

    east, south_west, middle = [
        place.label(place.around(HOME[0] + x, HOME[1] + y)) for x, y in ((0.009, 0), (-0.009, -0.009), (0, 0))
    ]

    assert (east, south_west, middle) == (f"{spoken}东边", f"{spoken}西南边", f"{spoken}中间")


def test_at_most_three_reasons_in_plain_words():
    found = reasons(
        "escort_hospital", TUESDAY_9, Language.shaanxi, distance_m=600, times_done=6, knows_person=False, zone=CHINA
    )

    assert [reason.text for reason in found] == ["周二上午您正好有空", "走路 8 分钟就到", "您陪人去过 6 次医院"]


def test_a_need_that_tells_of_the_person_is_not_shown():
    found = reasons("chat", None, Language.sign, distance_m=9000, times_done=0, knows_person=False, zone=CHINA)

    assert [reason.code for reason in found] == [ReasonCode.has_skill]


@pytest.mark.parametrize(("hour", "minute", "quiet"), [(21, 29, False), (21, 30, True), (7, 29, True), (7, 30, False)])
def test_nobody_is_asked_at_night(hour, minute, quiet):
    assert is_quiet(datetime(2026, 11, 24, hour, minute, tzinfo=CHINA), CHINA) is quiet


def test_a_yes_is_in_time_only_while_the_offer_and_the_request_are_open():
    later = TUESDAY_9 + timedelta(minutes=1)

    assert no_to_yes(OfferState.offered, later, RequestState.open, TUESDAY_9) is None
    assert no_to_yes(OfferState.offered, TUESDAY_9, RequestState.open, TUESDAY_9) is Code.offer_over
    assert no_to_yes(OfferState.offered, later, RequestState.taken, TUESDAY_9) is Code.offer_taken
    assert no_to_yes(OfferState.recalled, later, RequestState.cancelled, TUESDAY_9) is Code.offer_over


def test_minutes_are_whole_and_a_forgotten_check_out_waits_for_somebody():
    assert served(TUESDAY_9, TUESDAY_9 + timedelta(minutes=41, seconds=59)) == (41, ServiceState.waiting)
    assert served(TUESDAY_9, TUESDAY_9 + timedelta(days=3)) == (1440, ServiceState.unverified)


def test_a_clock_that_is_far_off_is_told_so():
    assert no_to_time(TUESDAY_9 + timedelta(hours=1), TUESDAY_9, TUESDAY_9) is Code.in_the_future
    assert no_to_time(TUESDAY_9 - timedelta(seconds=1), TUESDAY_9, TUESDAY_9) is Code.too_old
    assert no_to_time(TUESDAY_9 + timedelta(minutes=5), TUESDAY_9, TUESDAY_9) is None
