"""A contact, a guardian or a helper is edited on a phone: the row has it, others read it, two changes are decided."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mobile.core.clock import local_day
from mobile.residents import links
from mobile.residents.link_form import LinkForm
from shared.errors import CATALOGUE, Code
from shared.links import LinkOut, whom_to_call
from tests.factories import CELL, NEIGHBOUR
from tests.sync.test_conflicts_on_phones import UNDONE, phone_of, phones_in
from tests.sync.test_push import household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import API, operation


@pytest.fixture
async def person(make, household):  # noqa: F811
    return await make.resident(household)


@pytest.fixture
async def contact(make, person):
    """何小梅, to be called about somebody."""
    office, key = await make.worker(), uuid4()
    body = {"kind": "contact", "name": "何小梅", "phone": "12600002706", "relation": "女儿"}
    made = await office.client.put(f"{API}/residents/{person.id}/links/{key}", json=body)
    return LinkOut.model_validate(made.json())


async def stored(worker, person):
    [row] = (await worker.client.get(f"{API}/residents/{person.id}/links")).json()
    return row


def edit(on, contact, base_rev=1, **fields):
    return operation(on, "link.edit", contact.id, fields, base_rev=base_rev)


async def test_single_fields_are_changed_and_the_rest_stays(phone, person, contact):  # noqa: F811
    sent = edit(phone, contact, phone="12600009999", order=3, note="下午再打")

    answers = [await phone.push(sent) for _ in range(2)]
    row = await stored(phone.person, person)

    assert [outcomes(one) for one in answers] == [[("applied", None)], [("duplicate", None)]]
    changed = {"phone": "12600009999", "order": 3, "note": "下午再打", "rev": 2}
    assert row == {**contact.model_dump(mode="json"), **changed}


async def test_who_changes_another_field_is_not_overtaken_and_who_changes_the_same_one_is(
    make, phone, register, person, contact,  # noqa: F811
):  # fmt: skip
    other = await register(await make.worker(name="王芳"))

    await phone.push(edit(phone, contact, phone="12600009999"))
    beside = await other.push(edit(other, contact, note="下午再打"))
    late = await other.push(edit(other, contact, phone="12600008888"))
    own = await phone.push(edit(phone, contact, phone="12600007777"))
    [item] = (await phone.person.client.get(f"{API}/conflicts")).json()["items"]
    row = await stored(phone.person, person)

    assert outcomes(beside) == outcomes(own) == [("applied", None)]
    assert outcomes(late) == [("conflict", "edit_conflict")]
    assert (row["phone"], row["note"]) == ("12600007777", "下午再打")
    assert (item["subject"], item["theirs"]["name"], item["choices"]) == (
        "何小梅",
        "张敏",
        ["mine", "theirs", "unsure"],
    )
    assert [(one["field"], one["mine"], one["theirs"]) for one in item["fields"]] == [
        ("phone", "12600008888", "12600009999")
    ]


async def test_what_cannot_be_is_refused_and_who_works_elsewhere_finds_nothing(
    make, phone, register, contact,  # noqa: F811
):  # fmt: skip
    await make.cell(NEIGHBOUR)
    other = await register(await make.worker(NEIGHBOUR))

    unseen = await other.push(edit(other, contact, phone="12600009999"))
    answers = await phone.push(
        edit(phone, contact, base_rev=None, phone="12600009999"),
        edit(phone, contact, base_rev=9, phone="12600009999"),
        edit(phone, contact, helper="neighbour"),
        edit(phone, contact, phone="12"),
        edit(phone, contact, name=None),
        edit(phone, contact, kind="guardian"),
    )

    assert outcomes(unseen) == [("rejected", "not_found")]
    assert [code for _outcome, code in outcomes(answers)] == ["precondition_missing", "stale", *["malformed"] * 4]


async def test_one_that_was_ended_meanwhile_stays_ended(phone, register, make, contact):  # noqa: F811
    other = await register(await make.worker(name="王芳"))
    today = contact.from_day + timedelta(days=1)
    await phone.push(operation(phone, "link.end", contact.id, {"on": str(today)}, base_rev=1))

    answer = await other.push(edit(other, contact, phone="12600009999"))
    listed = await phone.person.client.get(f"{API}/residents/{contact.resident_id}/links", params={"ended": True})

    assert outcomes(answer) == [("applied", None)]
    assert [(one["phone"], one["until_day"]) for one in listed.json()] == [("12600009999", str(today))]


@pytest.fixture
async def phones(make, contact, tmp_path):
    async with phones_in(make, tmp_path, "张敏", "王芳") as found:
        yield found


def write(on, person, contact, **values):
    """改 of a contact, as the person's page does it."""
    form = LinkForm(on.store, on.clock, person.id, contact.id)
    for name, value in values.items():
        setattr(form, name, value)
    assert form.save(), form.problem


def numbers(on, person):
    return [one.phone for one in links.of_person(on.store, person, datetime.now(UTC).date() + timedelta(days=1))]


async def test_a_number_goes_from_a_phone_to_the_row_and_to_the_other_phone(make, phones, person, contact):
    first, second = phones
    write(first, person, contact, phone="12600009999", first=False)
    offline = numbers(first, person)

    await first.sync()
    await second.sync()

    row = await stored(await make.worker(), person)
    assert (offline, row["phone"], row["order"]) == (["12600009999"], "12600009999", 2)
    assert numbers(second, person) == ["12600009999"]
    assert [one.checks.count for one in phones] == [0, 0]


async def test_two_numbers_wait_in_待核对_with_both_values_and_one_tap_settles_them(phones, person, contact):
    first, second = phones
    write(first, person, contact, phone="12600009999")
    write(second, person, contact, phone="12600008888")
    for one in (first, second, first):
        await one.sync()

    [item] = first.checks.queue.items
    values = [(side.lines[0].value, side.who) for side in item.sides]
    first.settle("mine")
    at_once = numbers(first, person)
    first.clock.at += UNDONE
    await first.sync()
    await second.sync()

    assert item.title == f"{person.name}的联系人 何小梅的电话"
    assert values == [("126 0000 8888", "王芳"), ("126 0000 9999", "张敏")]
    assert [action.what for action in item.actions][-1] == "unsure"
    assert at_once == ["12600008888"]
    assert [numbers(one, person) for one in phones] == [["12600008888"]] * 2
    assert [one.checks.count for one in phones] == [0, 0]


@pytest.fixture
async def helper(make, person):
    """李秀兰 from the door opposite, who helps somebody."""
    office, key = await make.worker(), uuid4()
    body = {"kind": "helper", "helper": "neighbour", "name": "李秀兰", "phone": "12600003801"}
    made = await office.client.put(f"{API}/residents/{person.id}/links/{key}", json=body)
    return LinkOut.model_validate(made.json())


def away(link, name="王建国", number="12600003802", first=0, until=7):
    days = {"from_day": link.from_day + timedelta(days=first), "until_day": link.from_day + timedelta(days=until)}
    return {"name": name, "phone": number, **{day: value.isoformat() for day, value in days.items()}}


def standing_in(row):
    return [row[f"stand_in_{name}"] for name in ("name", "phone", "from", "until")]


async def test_a_stand_in_is_set_kept_by_other_edits_and_ended(phone, person, helper):  # noqa: F811
    wanted = away(helper)

    rows = []
    for fields in ({"stand_in": wanted}, {"note": "下午再打"}, {"stand_in": None}):
        assert outcomes(await phone.push(edit(phone, helper, base_rev=len(rows) + 1, **fields))) == [("applied", None)]
        rows.append(await stored(phone.person, person))

    assert [standing_in(row) for row in rows] == [list(wanted.values())] * 2 + [[None] * 4]


async def test_a_stand_in_is_one_field_and_both_of_two_are_shown(make, phone, register, person, helper):  # noqa: F811
    other = await register(await make.worker(name="王芳"))
    mine, late = away(helper), away(helper, name="周丽华", number=None)

    await phone.push(edit(phone, helper, stand_in=mine))
    beside = await other.push(edit(other, helper, note="下午再打"))
    same = await other.push(edit(other, helper, stand_in=mine))
    overtaken = await other.push(edit(other, helper, stand_in=late))
    [item] = (await phone.person.client.get(f"{API}/conflicts")).json()["items"]

    assert outcomes(beside) == outcomes(same) == [("applied", None)]
    assert outcomes(overtaken) == [("conflict", "edit_conflict")]
    assert [(one["field"], one["mine"], one["theirs"]) for one in item["fields"]] == [("stand_in", late, mine)]


async def test_only_a_helper_has_a_stand_in_and_the_days_go_forwards(phone, person, contact, helper):  # noqa: F811
    wrong = [
        edit(phone, contact, stand_in=away(contact)),
        edit(phone, helper, stand_in=away(helper, first=7, until=7)),
    ]

    answer = await phone.push(*wrong)
    again = await phone.push(*wrong)

    assert outcomes(answer) == outcomes(again) == [("rejected", "malformed")] * 2
    assert [one["sentence"] for one in answer.json()["answers"]] == [
        CATALOGUE[Code.malformed].sentence, "代的日子写反了：结束要在开始之后。",
    ]  # fmt: skip
    listed = (await phone.person.client.get(f"{API}/residents/{person.id}/links")).json()
    assert [standing_in(row) for row in listed] == [[None] * 4] * 2


async def test_who_was_away_longer_than_the_stand_in_loses_nothing_of_the_edit(phone, person, helper):  # noqa: F811
    answer = await phone.push(edit(phone, helper, phone="12600009999", stand_in=away(helper, first=-9, until=-2)))
    row = await stored(phone.person, person)

    assert outcomes(answer) == [("applied", None)]
    assert row["phone"] == "12600009999"
    assert whom_to_call(LinkOut.model_validate(row), local_day(datetime.now(UTC))).phone == "12600009999"


async def test_two_stand_ins_wait_in_待核对_in_words_and_one_tap_settles_them(make, helper, person, tmp_path):
    first, second = [await phone_of(make, CELL, tmp_path / name, name) for name in ("张敏", "王芳")]
    for one in (first, second):
        await one.sync()
    write(first, person, helper, stand_in_name="王建国", stand_in_phone="12600003802", stand_in_days="7")
    write(second, person, helper, stand_in_name="周丽华", stand_in_days="3")
    for one in (first, second, first):
        await one.sync()

    [item] = first.checks.queue.items
    values = [(side.lines[0].value.split("，")[0], side.who) for side in item.sides]
    first.settle("mine")
    at_once = coming(first, person)
    first.clock.at += UNDONE
    await first.sync()
    await second.sync()

    assert values == [("周丽华", "王芳"), ("王建国 126 0000 3802", "张敏")]
    assert at_once == [("周丽华", None)]
    assert [coming(one, person) for one in (first, second)] == [[("周丽华", None)]] * 2
    assert standing_in(await stored(await make.worker(), person))[:2] == ["周丽华", None]
    for one in (first, second):
        one.stop()


def coming(on, person):
    day = datetime.now(UTC).date() + timedelta(days=1)
    return [(one.stand_in_name, one.stand_in_phone) for one in links.of_person(on.store, person, day)]
