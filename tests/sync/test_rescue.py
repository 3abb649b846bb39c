"""A phone that is shut out, or whose user works here no more: what it holds reaches a person, not the register."""

from uuid import uuid4

import pytest

from backend.auth.directory import CHANNEL
from mobile.store.outbox import State
from mobile.sync.errors import NoAnswer
from mobile.sync.rescue import Left, leave
from shared.residents import HouseholdOut
from tests.factories import CELL, COMMUNITY, NEIGHBOUR, PASSWORD
from tests.sync.test_boundary_change import phone_of, settle_community
from tests.sync.test_conflicts import items, nested, settle
from tests.sync.test_push import Phone, household, outcomes, phone, register  # noqa: F401  (fixtures)
from tests.sync.test_push_register import operation

API = "/api/v1"
DEVICES = f"{API}/devices"
WHY = {"reason": "手机在集市上丢了"}


async def rescue(on: Phone, *operations):
    body = {"device_id": on.device_id, "operations": list(operations)}
    return await on.person.client.post("/api/v1/sync/rescue", json=body)


@pytest.fixture
async def revoked(make, phone, household):  # noqa: F811
    admin = await make.admin()
    assert (await admin.client.post(f"{DEVICES}/{phone.device_id}/revoke", json=WHY)).status_code == 200
    return phone


async def ends(make, person):
    """Every grant of an account ends today."""

    async def work(tx):
        await tx.conn.execute("UPDATE role_grant SET until_day = from_day WHERE account_id = $1", person.account_id)
        tx.notify(CHANNEL)

    await make.run(work)


async def test_a_revoked_phone_is_told_so_by_a_code_of_its_own(revoked, household):  # noqa: F811
    answers = [await revoked.push(revoked.visit(household.id)), await revoked.pull()]
    again = await revoked.person.client.put(f"{DEVICES}/{revoked.device_id}", json={"name": ""})

    assert {(one.status_code, one.json()["code"]) for one in [*answers, again]} == {(403, "device_revoked")}


async def test_the_tokens_of_a_revoked_phone_open_nothing_any_more(make, running):
    name, phone_id = "zhangmin", str(uuid4())
    worker = await make.worker()
    await make.password(worker, name)
    stranger = running.client()
    form = {"username": name, "password": PASSWORD}
    of_phone, elsewhere = [
        (await stranger.post(f"{API}/auth/token", data=form | more)).json() for more in ({"device_id": phone_id}, {})
    ]
    handset = running.client(authorization=f"Bearer {of_phone['access_token']}")
    await handset.put(f"{DEVICES}/{phone_id}", json={"name": ""})
    before = await handset.get(f"{API}/cells")
    admin = await make.admin()

    await admin.client.post(f"{DEVICES}/{phone_id}/revoke", json=WHY)
    answers = [
        await handset.get(f"{API}/cells"),
        await handset.put(f"{DEVICES}/{uuid4()}", json={"name": ""}),
        await stranger.post(f"{API}/auth/refresh", json={"refresh_token": of_phone["refresh_token"]}),
    ]
    photo = await handset.get(f"{API}/attachments/{'0' * 64}/status")
    other = await stranger.post(f"{API}/auth/refresh", json={"refresh_token": elsewhere["refresh_token"]})
    await admin.client.post(f"{DEVICES}/{phone_id}/restore", json=WHY)
    again = await handset.get(f"{API}/cells")

    assert before.status_code == other.status_code == again.status_code == 200
    assert photo.json()["code"] == "not_found"
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(403, "device_revoked")}


async def test_what_a_revoked_phone_holds_waits_for_a_person_and_changes_nothing(make, revoked, household):  # noqa: F811
    person = await make.resident(household)
    visit = revoked.visit(household.id)
    edit = operation(revoked, "resident.edit", person.id, {"note": "听力不好"}, base_rev=1)

    first, again = [await rescue(revoked, visit, edit) for _ in range(2)]
    office = await make.worker(COMMUNITY, name="李建国")
    found = await items(office)

    assert outcomes(first) == outcomes(again) == [("conflict", "rescued")] * 2
    assert (await office.client.get("/api/v1/visits")).json()["items"] == []
    assert (await office.client.get(f"/api/v1/residents/{person.id}")).json()["note"] == ""
    assert sorted(one["kind"] for one in found) == ["resident.edit", "visit.record"]
    assert {(one["rescued"], one["area_code"], one["mine"]["name"]) for one in found} == {(True, CELL, "张敏")}

    for one in found:
        assert (await settle(office, one, "mine")).status_code == 200
    stored = (await office.client.get("/api/v1/visits")).json()["items"]
    assert [(one["id"], one["worker_name"]) for one in stored] == [(visit["entity_id"], "张敏")]
    assert (await office.client.get(f"/api/v1/residents/{person.id}")).json()["note"] == "听力不好"


async def test_what_cannot_be_read_is_kept_to_be_looked_at(make, revoked, household):  # noqa: F811
    newer = revoked.visit(household.id, schema_version=9, kind="visit.dream", added={"later": "多出来的"})
    nothing = {"op_id": 5, "words": "不知道是什么"}

    first, again = [await rescue(revoked, newer, nothing) for _ in range(2)]
    found = await items(revoked.person)

    assert outcomes(first) == outcomes(again) == [("conflict", "rescued")] * 2
    assert [one["choices"] for one in found] == [["theirs", "unsure"]] * 2
    assert "不知道是什么" in {field["mine"] for one in found for field in one["fields"]}


async def test_what_is_nested_without_end_is_refused_and_its_neighbours_are_kept(revoked, household):  # noqa: F811
    person = uuid4()
    edits = [
        operation(revoked, "resident.edit", person, {"note": "x"}, base_rev=1, base={"note": nested(levels)})
        for levels in (19, 253)
    ]
    unreadable = [{"op_id": 5, "words": nested(levels)} for levels in (19, 253, 900)]

    answers = [await rescue(revoked, *edits, *unreadable, revoked.visit(household.id)) for _ in range(2)]

    kept, refused = ("conflict", "rescued"), ("rejected", "malformed")
    assert outcomes(answers[0])[:5] == outcomes(answers[1])[:5] == [kept, refused, kept, refused, refused]
    assert outcomes(answers[0])[5] == kept
    assert len(await items(revoked.person)) == 4


async def test_what_had_arrived_before_is_not_queued_again(make, phone, household):  # noqa: F811
    arrived, fresh = phone.visit(household.id), phone.visit(household.id)
    await phone.push(arrived)
    admin = await make.admin()
    await admin.client.post(f"{DEVICES}/{phone.device_id}/revoke", json=WHY)

    answer = await rescue(phone, arrived, fresh)

    assert outcomes(answer) == [("duplicate", None), ("conflict", "rescued")]
    assert [one["op_id"] for one in await items(phone.person)] == [fresh["op_id"]]


async def test_a_shared_phone_hands_in_what_each_of_its_users_wrote(make, phone, register, household):  # noqa: F811
    evening = await register(await make.worker(name="王芳"), phone.device_id)
    theirs, stranger = evening.visit(household.id, device_seq=9), phone.visit(household.id, author_id=str(uuid4()))
    admin = await make.admin()
    await admin.client.post(f"{DEVICES}/{phone.device_id}/revoke", json=WHY)

    first, again = [await rescue(phone, phone.visit(household.id, op_id=theirs["op_id"]) | theirs, stranger)] * 2

    assert outcomes(first) == outcomes(again) == [("conflict", "rescued"), ("rejected", "not_the_author")]
    assert [one["mine"]["name"] for one in await items(phone.person)] == ["王芳"]


async def test_who_works_here_no_more_hands_in_what_was_written_before(make, phone, household):  # noqa: F811
    sent = phone.visit(household.id)
    await ends(make, phone.person)

    pushed, rescued = await phone.push(sent), await rescue(phone, sent)
    office = await make.worker(COMMUNITY)

    assert (pushed.status_code, pushed.json()["code"]) == (403, "grant_ended")
    assert outcomes(rescued) == [("conflict", "rescued")]
    assert [one["area_code"] for one in await items(office)] == [CELL]
    assert (await phone.person.client.get("/api/v1/conflicts")).status_code == 403


async def test_a_phone_that_works_must_not_go_round_the_usual_way(phone, household):  # noqa: F811
    answer = await rescue(phone, phone.visit(household.id))

    assert (answer.status_code, answer.json()["code"]) == (409, "not_revoked")


async def test_a_rescue_cannot_reach_into_an_area_its_author_never_had(make, revoked, household):  # noqa: F811
    stranger = await make.resident(await make.household(NEIGHBOUR))
    there = await make.worker(NEIGHBOUR)

    await rescue(revoked, operation(revoked, "resident.edit", stranger.id, {"note": "x"}, base_rev=1))

    assert await items(there) == []
    [found] = await items(revoked.person)
    assert (found["subject"], found["fields"][0]["theirs"]) == ("", None)


async def test_a_volunteers_revoked_phone_hands_in_too(make, register, household):  # noqa: F811
    volunteer = await register(await make.volunteer())
    admin = await make.admin()
    await admin.client.post(f"{DEVICES}/{volunteer.device_id}/revoke", json=WHY)

    answer = await rescue(volunteer, operation(volunteer, "task.check_out", uuid4(), {"at": "2026-11-22T09:00:00Z"}))
    [found] = await items(await make.worker(COMMUNITY))

    assert outcomes(answer) == [("conflict", "rescued")]
    assert (found["kind"], found["choices"]) == ("task.check_out", ["theirs", "unsure"])


async def test_only_who_signed_in_on_the_phone_hands_in_for_it(make, revoked, household):  # noqa: F811
    other = Phone(await make.worker(name="生人"), revoked.device_id)

    answer = await rescue(other, revoked.visit(household.id))
    nobody = await make.client().post("/api/v1/sync/rescue", json={})

    assert (answer.status_code, answer.json()["code"]) == (403, "device_unknown")
    assert nobody.status_code == 401


async def test_an_administrator_sees_who_uses_a_phone_shuts_it_out_and_lets_it_in(make, phone, household):  # noqa: F811
    admin, worker = await make.admin(), await make.worker()
    url = f"{DEVICES}/{phone.device_id}"

    [listed] = (await admin.client.get(DEVICES, params={"account_id": str(phone.person.account_id)})).json()
    out = await admin.client.post(f"{url}/revoke", json=WHY)
    back = await admin.client.post(f"{url}/restore", json={"reason": "找到了"})
    unknown = await admin.client.post(f"{DEVICES}/{uuid4()}/revoke", json=WHY)
    refused = [
        await worker.client.get(DEVICES), await worker.client.post(f"{url}/revoke", json=WHY),
        await worker.client.post(f"{url}/restore", json=WHY),
    ]  # fmt: skip

    assert (listed["users"], listed["revoked_at"]) == (["张敏"], None)
    assert out.json()["revoked_at"] is not None
    assert back.json()["revoked_at"] is None
    assert unknown.status_code == 404
    assert {one.status_code for one in refused} == {403}
    assert outcomes(await phone.push(phone.visit(household.id))) == [("applied", None)]


@pytest.fixture
async def field_phone(make, tmp_path):
    """A real phone's store and sync loop, with the households of its cell."""
    await settle_community(make, 2, 1)
    held = await phone_of(make, CELL, tmp_path / "phone", "张敏")
    assert await held.syncer.sync_once()
    held.parted = []
    held.syncer.on_revoked = held.parted.append
    yield held
    await held.client.close()
    held.store.close()


def home_of(held):
    return held.store.entities.all(HouseholdOut)[0]


async def shut_out(make, device_id):
    admin = await make.admin()
    assert (await admin.client.post(f"{DEVICES}/{device_id}/revoke", json=WHY)).status_code == 200


def on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_phone_shut_out_hands_in_what_it_holds_and_forgets_everything(make, field_phone, tmp_path):
    visits = {field_phone.record(home_of(field_phone), "还没送出") for _ in range(3)}
    field_phone.store.keep_me(field_phone.me)
    field_phone.store.keep_draft("visit", {"note": "写了一半"})
    home = home_of(field_phone)
    assert str(home.id).encode() in on_disk(tmp_path / "phone")
    await shut_out(make, field_phone.store.device_id)

    settled = await field_phone.syncer.sync_once()

    found = await items(field_phone.person)
    assert {one["fields"][0]["mine"] for one in found} == {str(home.id)}
    assert {one["entity_id"] for one in found} == {str(one) for one in visits}
    assert (await field_phone.person.client.get("/api/v1/visits")).json()["items"] == []
    assert not settled
    assert [left.sentence for left in field_phone.parted] == ["这台手机已停用，没送出的 3 条已交给社区核对。"]
    store = field_phone.store
    assert sum(store.outbox.counts().values()) == 0
    assert (store.entities.all(HouseholdOut), store.me(), store.tokens(), store.cursor(), store.draft("visit")) == (
        [], None, None, None, None,
    )  # fmt: skip
    assert str(home.id).encode() not in on_disk(tmp_path / "phone")


async def test_where_the_handing_in_fails_only_the_sealed_outbox_stays(make, field_phone, monkeypatch):
    field_phone.record(home_of(field_phone), "还没送出")
    await shut_out(make, field_phone.store.device_id)

    async def cut(_push):
        raise NoAnswer("connection reset")

    with monkeypatch.context() as patch:
        patch.setattr(field_phone.client, "rescue", cut)
        await field_phone.syncer.sync_once()
    kept = field_phone.store.outbox.counts()
    again = await leave(field_phone.store, field_phone.client)

    assert kept[State.unsent] + kept[State.sent] == 1
    assert field_phone.store.entities.all(HouseholdOut) == []
    assert field_phone.store.tokens() is None
    assert field_phone.parted == [Left(0, 1)]
    assert field_phone.parted[0].sentence == (
        "这台手机已停用。没送出的 1 条还锁在手机里，有网时再登录一次，就会交给社区核对。"
    )
    assert again == Left(1, 0)
    assert len(await items(field_phone.person)) == 1


async def test_an_empty_phone_that_is_shut_out_says_only_that(make, field_phone):
    await shut_out(make, field_phone.store.device_id)

    await field_phone.syncer.run()

    assert [left.sentence for left in field_phone.parted] == ["这台手机已停用，里面的资料已清空。"]


async def test_whoever_works_here_no_more_hands_in_the_rest_and_keeps_no_rows(make, field_phone):
    field_phone.record(home_of(field_phone), "最后一天")
    await ends(make, field_phone.person)

    await field_phone.syncer.sync_once()
    settled = await field_phone.syncer.sync_once()

    office = await make.worker(COMMUNITY)
    assert [one["kind"] for one in await items(office)] == ["visit.record"]
    assert field_phone.store.entities.all(HouseholdOut) == []
    assert field_phone.counts() == (0, 1)
    assert settled
    assert field_phone.parted == []
