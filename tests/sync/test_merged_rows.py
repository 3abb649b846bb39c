"""A person registered twice, the second time with a family that stays: a worker's phone reads both rows as one."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from backend.core.clock import county_day
from mobile.core.clock import local_day
from mobile.device import fakes
from mobile.residents import links
from mobile.residents.link_form import LinkForm
from mobile.residents.person import PersonDetail
from mobile.residents.viewmodel import HouseholdDetail
from shared.links import LinkOut
from shared.residents import MergedRows, ResidentOut
from tests.api.test_duplicates import BORN, PHONE, home_of, settle, the_pair, twins, undo
from tests.factories import CELL, visit_to
from tests.sync.test_conflicts_on_phones import UNDONE, phone_of, phones_in
from tests.sync.test_push import register  # noqa: F401  (fixture)
from tests.sync.test_push_register import API
from tests.sync.test_register_on_phones import pulled


@pytest.fixture
async def pair(make):
    """One man registered twice. Of the second row, whose daughter lives there too, it is known whom to call, who helps
    and that he became a floating resident."""
    first, second = await twins(make)
    await make.resident(await home_of(make, second), name="王丽", phone="12600000099")
    worker = await make.worker()
    await ask(worker, "links", second, kind="contact", name="何小梅", phone="12600002706")
    await ask(worker, "links", second, kind="helper", helper="neighbour", name="老张", phone="12600002707")
    body = {"kind": "float", "on": county_day(datetime.now(UTC)).isoformat(), "resident_ids": [str(second.id)]}
    made = await worker.client.put(f"{API}/register-events/{uuid4()}", json=body)
    assert made.status_code == 200, made.text
    return worker, first, second


async def ask(worker, what, person, **body):
    made = await worker.client.put(f"{API}/residents/{person.id}/{what}/{uuid4()}", json=body)
    assert made.status_code == 200, made.text


@pytest.fixture
async def phone(make, pair, tmp_path):
    async with phones_in(make, tmp_path, "张敏") as [phone]:
        yield phone


def page_of(phone, person):
    return PersonDetail(phone.store, fakes.ports(), phone.clock, person.id)


def knows(phone, person):
    """What the person's page says, and what the household's says of what happened."""
    page = page_of(phone, person)
    home = HouseholdDetail(phone.store, fakes.ports(), phone.clock, person.household_id)
    return [line.name for line in page.links], [line.text for line in page.events], len(home.events)


ALL, NOTHING = (["何小梅", "老张"], ["转为流动"], 1), ([], [], 0)


async def test_who_settles_the_pair_elsewhere_is_read_as_one_and_apart_again_after_it_is_undone(phone, pair):
    worker, first, second = pair
    found = await the_pair(worker)

    before = knows(phone, first), knows(phone, second)
    await settle(worker, found, first)
    await phone.sync()
    merged, past = knows(phone, first), [line.text for line in page_of(phone, first).past]
    await undo(worker, found)
    await phone.sync()

    assert before == (NOTHING, ALL)
    assert merged == ALL
    assert "流动" in past
    assert (knows(phone, first), knows(phone, second)) == (NOTHING, ALL)


async def test_it_is_so_on_the_phone_that_settles_it_before_the_server_has_heard(phone, pair):
    _worker, first, second = pair
    [twin] = phone.checks.twins

    phone.checks.decide(twin, True)
    offline = knows(phone, first), phone.store.entities.get(ResidentOut, second.id)
    phone.checks.undo()
    taken_back = knows(phone, first), knows(phone, second)
    phone.checks.decide(phone.checks.twins[0], True)
    phone.clock.at += UNDONE
    await phone.sync()

    assert offline == (ALL, None)
    assert taken_back == (NOTHING, ALL)
    assert knows(phone, first) == ALL


async def test_who_stands_by_the_merged_row_is_edited_and_ended_from_the_page_of_the_kept_one(phone, pair):
    worker, first, second = pair
    await settle(worker, await the_pair(worker), first)
    await phone.sync()
    contact, helper = links.of_person(phone.store, phone.store.entities.get(ResidentOut, first.id), today(phone))

    form = LinkForm(phone.store, phone.clock, first.id, contact.id)
    form.phone = "12600009999"
    titled, saved = form.title_line, form.save()
    page_of(phone, first).end_link(helper.id)
    phone.clock.at += UNDONE
    await phone.sync()
    rows = (await worker.client.get(f"{API}/residents/{first.id}/links")).json()

    assert (titled, saved) == ("王小华的联系人 何小梅", True)
    assert [(row["name"], row["phone"], row["resident_id"]) for row in rows] == [
        ("何小梅", "12600009999", str(second.id))
    ]
    assert phone.store.entities.get(LinkOut, helper.id) is None
    assert not phone.back()


async def test_whom_to_call_about_a_folded_household_is_edited_and_ended_too(make, tmp_path):
    first, second = await twins(make)
    worker = await make.worker()
    for name in ("何小梅", "何大山"):
        contact = {"name": name, "phone": "12600002706"}
        await worker.client.put(f"{API}/households/{second.household_id}/contacts/{uuid4()}", json=contact)
    await settle(worker, await the_pair(worker), first)
    phone = await phone_of(make, CELL, tmp_path / "phone", "张敏")
    await phone.sync()
    one, other = links.of_person(phone.store, phone.store.entities.get(ResidentOut, first.id), today(phone))

    form = LinkForm(phone.store, phone.clock, first.id, one.id)
    form.note = "下午再打"
    form.save()
    page_of(phone, first).end_link(other.id)
    phone.clock.at += UNDONE
    await phone.sync()
    rows = (await worker.client.get(f"{API}/households/{first.household_id}/contacts")).json()
    phone.stop()

    assert [(row["name"], row["note"]) for row in rows] == [(one.name, "下午再打")]


async def test_a_doubt_about_a_merged_row_in_a_folded_household_is_settled_as_one_about_the_kept(make, tmp_path):
    home, twin = await make.household(), {"birth_date": BORN, "phone": PHONE}
    await make.resident(home, name="王大山")
    first = await make.resident(home, name="王小华", **twin)
    second = await make.resident(await make.household(room="303"), name="王晓华", **twin)
    worker = await make.worker()
    doubt = {"kind": "correction", "id": str(uuid4()), "what": "phone", "resident_id": str(second.id), "said": "换号了"}
    await worker.client.put(
        f"{API}/visits/{uuid4()}", json=visit_to(second.household_id, outcome="seen", follow_ups=[doubt])
    )
    await settle(worker, await the_pair(worker), first)
    phone = await phone_of(make, CELL, tmp_path / "phone", "张敏")
    await phone.sync()

    [waiting] = phone.checks.doubts
    phone.stop()

    assert (waiting.title, waiting.resident_id, waiting.household_id) == ("王小华", first.id, first.household_id)


async def test_a_row_merged_twice_over_is_read_with_the_last_one_until_either_merge_is_undone(
    make, register,  # noqa: F811
):  # fmt: skip
    first, second = await twins(make)
    last = await make.resident(await make.household(room="304"), name="王小化", birth_date=first.birth_date)
    worker = await make.worker()
    raw_phone = await register(worker)
    inner = await the_pair(worker)
    await settle(worker, inner, first)
    named = await worker.client.post(f"{API}/duplicates", json={"one": str(first.id), "other": str(last.id)})
    await settle(worker, named.json(), last)

    async def rows():
        """What the feed says was merged into whom."""
        found = [one["body"] for one in await pulled(raw_phone, "resident") if not one["gone"]]
        people = [MergedRows.model_validate(body) for body in found]
        return {one.id: {row.id for row in one.merged} for one in people}

    cursor = (await raw_phone.pull()).json()["cursor"]
    twice = await rows()
    await undo(worker, inner)
    told = {one["id"] for one in await pulled(raw_phone, "resident", cursor)}

    assert twice == {last.id: {first.id, second.id}}
    assert await rows() == {last.id: {first.id}, second.id: set()}
    assert str(last.id) in told


async def test_the_servers_list_of_what_happened_to_a_person_has_the_merged_rows_too(pair):
    worker, first, _second = pair
    await settle(worker, await the_pair(worker), first)

    listed = await worker.client.get(f"{API}/register-events", params={"resident_id": str(first.id)})

    assert [one["kind"] for one in listed.json()["items"]] == ["float"]


def today(phone):
    return local_day(phone.clock())
