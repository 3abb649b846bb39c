"""Photos of visits to a household that goes to another cell: they go where their visit goes, sent or not yet."""

import pytest

from backend.attachments.store import Folder
from backend.core.clock import county_day
from tests.api.test_attachments import announce, listed, photo, send, states
from tests.api.test_redrawing import NEW, door, plan, split, step
from tests.factories import CELL, COMMUNITY, NEIGHBOUR

CONTENT = photo()
SHA256 = listed(CONTENT)["sha256"]
URL = f"/api/v1/attachments/{SHA256}"


@pytest.fixture
async def home(running, tmp_path, make):
    """A household in the half of the cell that will be another's."""
    running.app.state.files = Folder(tmp_path)
    await make.cell(CELL)
    return await door(make, 0.7)


@pytest.fixture
def redraw(make, home):
    async def work():
        coordinator = await make.worker(COMMUNITY)
        body = split(county_day(make.database.clock()))
        assert (await step(coordinator, await plan(coordinator, body), "apply")).status_code == 200

    return work


async def reads(person) -> list[int]:
    return [(await person.client.get(URL + part)).status_code for part in ("", "/thumbnail")]


async def test_who_takes_a_household_over_sees_the_photos_of_earlier_visits_as_the_visits(make, home, redraw):
    former, new = await make.worker(CELL), await make.worker(NEW)
    visit_id = await announce(former, home, listed(CONTENT))
    await send(former, SHA256, 0, CONTENT)

    await redraw()

    visits = (await new.client.get("/api/v1/visits", params={"household_id": str(home.id)})).json()["items"]
    assert [visit["id"] for visit in visits] == [visit_id]
    assert await states(new, visit_id) == ["stored"]
    assert await reads(new) == [200, 200]
    assert await reads(former) == [404, 404], "nor do they see the visit any more"


async def test_a_photo_still_on_its_way_when_the_boundary_changes_arrives(make, home, redraw):
    former, new = await make.worker(CELL), await make.worker(NEW)
    visit_id = await announce(former, home, listed(CONTENT))
    half = len(CONTENT) // 2
    await send(former, SHA256, 0, CONTENT[:half])

    await redraw()
    status = (await former.client.get(f"{URL}/status")).json()
    sent = await send(former, SHA256, half, CONTENT[half:])
    again = await send(former, SHA256, half, CONTENT[half:])

    assert (status["received"], status["state"]) == (half, "missing")
    assert (sent.status_code, sent.json()["state"], again.json()["state"]) == (200, "stored", "stored")
    assert await states(new, visit_id) == ["stored"]
    assert await reads(new) == [200, 200]
    assert await reads(former) == [404, 404]


async def test_a_photo_of_a_visit_that_comes_after_the_boundary_has_changed_arrives_too(make, home, redraw):
    former, new = await make.worker(CELL), await make.worker(NEW)
    await redraw()

    visit_id = await announce(former, home, listed(CONTENT))
    sent = await send(former, SHA256, 0, CONTENT)

    assert sent.json()["state"] == "stored"
    assert await states(new, visit_id) == ["stored"]
    assert await reads(new) == [200, 200]


async def test_nobody_else_sends_it_and_who_looks_after_the_household_now_may(make, home, redraw):
    former, new, stranger = [await make.worker(cell) for cell in (CELL, NEW, NEIGHBOUR)]
    await announce(former, home, listed(CONTENT))
    colleague = await make.worker(CELL)

    await redraw()
    refused = [await send(person, SHA256, 0, CONTENT) for person in (stranger, colleague)]
    taken = await send(new, SHA256, 0, CONTENT)

    assert [answer.status_code for answer in refused] == [404, 404]
    assert taken.json()["state"] == "stored"
