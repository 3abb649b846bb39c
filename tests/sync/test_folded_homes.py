"""A household that a merge has folded into another: a worker's phone reads what it knows of both as one."""

from uuid import uuid4

import pytest

from mobile.core.clock import local_day
from mobile.device import fakes
from mobile.requests.todo import Todo
from mobile.residents import links
from mobile.residents.viewmodel import HouseholdDetail
from shared.residents import HouseholdOut
from tests.api.test_duplicates import the_pair, twins, undo
from tests.factories import visit_to
from tests.sync.test_conflicts_on_phones import UNDONE, phones_in


@pytest.fixture
async def pair(make):
    """One man registered twice; of the second row a visit, a request and whom to call are known."""
    first, second = await twins(make)
    worker = await make.worker()
    found = visit_to(second.household_id, outcome="seen", findings=["supplies"], note="米没了")
    await worker.client.put(f"/api/v1/visits/{uuid4()}", json=found)
    home = (await worker.client.get(f"/api/v1/households/{second.household_id}")).json()
    await make.request(HouseholdOut.model_validate(home))
    contact = {"name": "何小梅", "phone": "12600002706"}
    await worker.client.put(f"/api/v1/households/{second.household_id}/contacts/{uuid4()}", json=contact)
    return worker, first, second


@pytest.fixture
async def phone(make, pair, tmp_path):
    async with phones_in(make, tmp_path, "张敏") as [phone]:
        yield phone


def knows(phone, person):
    """What the household page, and the person's, say."""
    page = HouseholdDetail(phone.store, fakes.ports(), phone.clock, person.household_id)
    called = [one.name for one in links.of_person(phone.store, person, local_day(phone.clock()))]
    return len(page.visits), [one.text for one in page.follow.followed], called


ALL, NOTHING = (1, ["代买东西"], ["何小梅"]), (0, [], [])


async def test_who_settles_the_pair_elsewhere_is_read_as_one_and_apart_again_after_it_is_undone(phone, pair):
    worker, first, second = pair
    found = await the_pair(worker)
    settled = {"same": True, "keep": str(first.id), "reason": "上门核过"}

    before = knows(phone, first), knows(phone, second)
    await worker.client.post(f"/api/v1/duplicates/{found['id']}/settle", json=settled)
    await phone.sync()
    merged = knows(phone, first), phone.store.entities.get(HouseholdOut, second.household_id)
    await undo(worker, found)
    await phone.sync()

    assert before == (NOTHING, ALL)
    assert merged == (ALL, None)
    assert (knows(phone, first), knows(phone, second)) == (NOTHING, ALL)


async def test_it_is_so_on_the_phone_that_settles_it_before_the_server_has_heard(phone, pair):
    _worker, first, second = pair
    [twin] = phone.checks.twins

    phone.checks.decide(twin, True)
    offline = knows(phone, first), phone.store.entities.get(HouseholdOut, second.household_id)
    where = Todo(phone.store, phone.clock).lines[0].where
    phone.checks.undo()
    taken_back = knows(phone, first), knows(phone, second)
    phone.checks.decide(phone.checks.twins[0], True)
    phone.clock.at += UNDONE
    await phone.sync()

    assert offline == (ALL, None)
    assert where == "王小华家 3号楼2单元 302", "the door where the man is looked for, and not a household that is gone"
    assert taken_back == (NOTHING, ALL)
    assert knows(phone, first) == ALL
