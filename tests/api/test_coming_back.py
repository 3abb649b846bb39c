"""Somebody who had moved away and comes back: their own row with number and past, and not a second one beside it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.api.test_history import (  # noqa: F401  (fixtures)
    API,
    counts,
    event,
    names,
    periods_of,
    put,
    since_long_ago,
    today,
    worker,
)
from tests.factories import CELL, NEIGHBOUR

NUMBER = "610330200001010011"
AWAY = {"to": {"words": "西安", "leaves_county": True}}


@pytest.fixture
async def days(today):  # noqa: F811
    """Of leaving, and of coming back."""
    return today - timedelta(days=30), today - timedelta(days=5)


@pytest.fixture
async def person(make, worker, days, since_long_ago):  # noqa: F811
    """Somebody with a number on file who has moved to another county."""
    person = await make.resident(id_number=NUMBER, birth_date="2000-01-01", care=["alone"])
    await since_long_ago()
    gone = await put(worker, event("move_out", person, on=days[0], **AWAY))
    assert gone.status_code == 200, gone.text
    return person


def back(person, home, on, **more):
    return event("move_in", person, on=on, back={"household_id": str(getattr(home, "id", home)), **more})


async def row_of(worker, person):  # noqa: F811
    return (await worker.client.get(f"{API}/residents/{person.id}")).json()


async def test_their_row_stands_again_with_its_number_and_a_gap_in_its_past(make, worker, person, days):  # noqa: F811
    left, came = days
    before = await names(worker), await counts(worker, as_at=str(came))
    home = await make.household(NEIGHBOUR, room="401")
    coordinator = await make.worker(CELL[:12])

    answer = await put(coordinator, back(person, home, came, residency="floating"))
    row = await row_of(coordinator, person)
    periods = await periods_of(coordinator, person.id)

    assert answer.status_code == 200, answer.text
    assert (before[0], before[1]["people"]) == ([], 0)
    assert await names(coordinator) == ["王小华"]
    assert await names(coordinator, q="wxh") == ["王小华"]
    assert {name: row[name] for name in ("household_id", "area_code", "residency", "left_on", "id_on_file")} == {
        "household_id": str(home.id), "area_code": NEIGHBOUR, "residency": "floating", "left_on": None,
        "id_on_file": True,
    }  # fmt: skip
    assert ("household", str(person.household_id), "2026-01-01", str(left)) in periods
    assert ("household", str(home.id), str(came), None) in periods
    assert [
        (await counts(coordinator, as_at=str(day)))["people"] for day in (left - timedelta(days=1), left, came)
    ] == [1, 0, 1]


async def test_whom_to_call_about_them_comes_along_to_the_new_door(make, worker, person, days):  # noqa: F811
    home = await make.household(NEIGHBOUR, room="401")
    coordinator, url = await make.worker(CELL[:12]), f"{API}/residents/{person.id}/links"
    await put(coordinator, back(person, person.household_id, days[1]))
    contact = {"kind": "contact", "name": "何小梅", "phone": "12600002706"}
    await coordinator.client.put(f"{url}/{uuid4()}", json=contact)
    await put(coordinator, event("move_out", person, on=days[1] + timedelta(days=1), **AWAY))

    await put(coordinator, back(person, home, days[1] + timedelta(days=2)))

    [link] = (await coordinator.client.get(url)).json()
    assert (link["household_id"], link["area_code"]) == (str(home.id), NEIGHBOUR)


async def test_a_return_that_was_a_mistake_leaves_them_gone_since_they_left(make, worker, person, days):  # noqa: F811
    past = await periods_of(worker, person.id)
    home, event_id = await make.household(room="401"), uuid4()
    await put(worker, back(person, home, days[1]), event_id)

    answer = await worker.client.post(f"{API}/register-events/{event_id}/withdraw", json={"reason": "是他弟弟"})

    assert answer.status_code == 200, answer.text
    assert (await row_of(worker, person))["left_on"] == str(days[0])
    assert await periods_of(worker, person.id) == past
    assert await names(worker) == []
    assert (await put(worker, back(person, home, days[1]))).status_code == 200, "and can come back for good"


async def test_a_family_comes_back_together_and_hears_of_the_feed(make, worker, days, since_long_ago):  # noqa: F811
    home = await make.household()
    family = [await make.resident(home, name=name) for name in ("王小华", "王丽")]
    await since_long_ago()
    await put(worker, event("move_out", *family, on=days[0], **AWAY))
    empty = (await worker.client.get(f"{API}/households/{home.id}")).json()["size"]

    answer = await put(worker, event("move_in", *family, on=days[1], back={"household_id": str(home.id)}))

    stands = (await worker.client.get(f"{API}/households/{home.id}")).json()
    assert answer.status_code == 200, answer.text
    assert (empty, stands["size"], stands["head_name"]) == (0, 2, "王小华")


async def test_who_is_here_who_has_died_and_a_day_before_leaving_are_refused(
    make, worker, person, days, today  # noqa: F811
):  # fmt: skip
    home = await make.household(room="401")
    here, dead = await make.resident(home), await make.resident(home)
    await put(worker, event("death", dead, on=today))

    answers = [
        await put(worker, back(one, home, on))
        for one, on in ((here, today), (dead, today), (person, days[0] - timedelta(days=1)))
    ]

    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (409, "step_not_allowed"), (409, "step_not_allowed"), (422, "too_old"),
    ]  # fmt: skip
    assert await names(worker) == ["王小华"], "only who is here"


async def test_where_one_may_not_write_nobody_comes_back_to_and_nobody_from(make, worker, person, days):  # noqa: F811
    elsewhere = await make.household(NEIGHBOUR)
    neighbour = await make.worker(NEIGHBOUR)

    to_there = await put(worker, back(person, elsewhere, days[1]))
    from_here = await put(neighbour, back(person, elsewhere, days[1]))

    assert (to_there.status_code, to_there.json()["code"]) == (404, "household_not_here")
    assert (from_here.status_code, from_here.json()["code"]) == (404, "resident_not_here")


@pytest.mark.parametrize("kind", ["birth", "float", "death"])
async def test_only_a_move_in_brings_somebody_back(make, worker, person, days, kind):  # noqa: F811
    body = back(person, await make.household(room="401"), days[1]) | {"kind": kind}

    assert (await put(worker, body)).status_code == 422
