"""Phones of several ages and one server; and gzip, which must never be taken at its word."""

import gzip
import json
from uuid import uuid4

import pytest

from backend.core.errors import Refusal
from backend.core.http import SYNC_LIMIT
from backend.sync import pull, push, zipped
from backend.sync.versions import Versions
from shared.errors import Code
from shared.sync import SCHEMA, Outcome, PullIn, PushIn
from tests.factories import COUNTY
from tests.sync.test_push import household, outcomes, phone, register  # noqa: F401  (fixtures)

AHEAD = Versions(SCHEMA + 4)
"""A server some years on, which has let the first versions go."""


@pytest.fixture
async def spoken(make, phone):  # noqa: F811
    """Push and pull on a server of another age than this package's."""
    app = make.app
    caller = await app.state.directory.caller(COUNTY, phone.person.account_id)

    async def pushed(versions, *operations, schema_version=SCHEMA):
        sent = PushIn(device_id=phone.device_id, operations=list(operations), schema_version=schema_version)
        return await push.push(make.database, app.state.directory, app.state.keys, caller, sent, versions)

    async def pulled(versions, schema_version=SCHEMA):
        asked = PullIn(device_id=phone.device_id, schema_version=schema_version)
        return await pull.pull(make.database, app.state.keys, caller, asked, versions)

    return pushed, pulled


@pytest.mark.parametrize(("newest", "oldest"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 7)])
def test_the_newest_three_versions_are_spoken(newest, oldest):
    assert Versions(newest).oldest == oldest


async def test_an_app_that_is_too_old_is_refused_whole_and_nothing_is_stored(phone, household, spoken):  # noqa: F811
    pushed, pulled = spoken

    for attempt in (pushed(AHEAD, phone.visit(household.id)), pulled(AHEAD)):
        with pytest.raises(Refusal) as refused:
            await attempt
        problem = refused.value.problem()
        assert (problem.status, problem.code, problem.title) == (
            426, "client_too_old", "请更新应用，记录都还在手机里。",
        )  # fmt: skip
    assert (await phone.person.client.get("/api/v1/visits")).json()["items"] == []


async def test_each_of_the_three_versions_before_it_is_served(phone, household, spoken):  # noqa: F811
    pushed, pulled = spoken
    for version in range(AHEAD.oldest, AHEAD.newest + 1):
        sent = phone.visit(household.id, schema_version=version)
        receipt = await pushed(AHEAD, sent, schema_version=version)
        assert [one.outcome for one in receipt.answers] == [Outcome.applied]
        assert (await pulled(AHEAD, version)).items


async def test_an_operation_older_than_its_app_stays_on_the_phone_and_blocks_no_neighbour(phone, household, spoken):  # noqa: F811
    pushed, _pulled = spoken
    old, new = phone.visit(household.id, schema_version=1), phone.visit(household.id, schema_version=AHEAD.newest)

    receipt = await pushed(AHEAD, old, new, schema_version=AHEAD.newest)

    assert [(one.outcome, one.code) for one in receipt.answers] == [
        (Outcome.held, Code.client_too_old), (Outcome.applied, None),
    ]  # fmt: skip


async def test_an_operation_newer_than_the_server_is_held_and_taken_once_it_is_understood(phone, household, spoken):  # noqa: F811
    pushed, _pulled = spoken
    newer = phone.visit(household.id, schema_version=SCHEMA + 1, added_later=True)
    also = phone.visit(household.id)

    answers = [await phone.push(newer, also) for _ in range(2)]
    understood = await pushed(Versions(SCHEMA + 1), {k: v for k, v in newer.items() if k != "added_later"})

    assert outcomes(answers[0]) == [("held", "server_behind"), ("applied", None)]
    assert outcomes(answers[1]) == [("held", "server_behind"), ("duplicate", None)]
    assert [one.outcome for one in understood.answers] == [Outcome.applied]


async def test_a_client_that_says_no_version_speaks_the_first(phone, household, spoken):  # noqa: F811
    assert PushIn(device_id=uuid4(), operations=[]).schema_version == PullIn(device_id=uuid4()).schema_version == 1
    assert outcomes(await phone.push(phone.visit(household.id))) == [("applied", None)]


def zipped_post(person, path, content, **headers):
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json", **headers}
    return person.client.post(path, content=content, headers=headers)


async def test_a_push_and_its_receipt_may_be_gzipped(phone, household):  # noqa: F811
    sent = [phone.visit(household.id) for _ in range(20)]
    body = json.dumps({"device_id": phone.device_id, "operations": sent}).encode()

    answer = await zipped_post(phone.person, "/api/v1/sync/push", gzip.compress(body))

    assert outcomes(answer) == [("applied", None)] * 20
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content)


@pytest.mark.parametrize("asked", ["identity", "gzip;q=0", "br"])
async def test_who_does_not_ask_for_gzip_gets_none(phone, household, asked):  # noqa: F811
    phone.person.client.headers["Accept-Encoding"] = asked

    answer = await phone.push(*[phone.visit(household.id) for _ in range(20)])

    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_bomb_is_refused_before_it_is_inflated(phone, monkeypatch):  # noqa: F811
    made = []

    def inflating(wbits):
        inflater = real(wbits)

        class Counting:
            unused_data, eof = b"", False

            def decompress(self, data, limit):
                made.append(len(plain := inflater.decompress(data, limit)))
                return plain

        return Counting()

    real = zipped.zlib.decompressobj
    monkeypatch.setattr(zipped.zlib, "decompressobj", inflating)
    bomb = gzip.compress(b" " * (40 << 20), 1)

    answer = await zipped_post(phone.person, "/api/v1/sync/push", bomb)

    assert len(bomb) < SYNC_LIMIT
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert sum(made) == SYNC_LIMIT + 1


@pytest.mark.parametrize(
    "spoil",
    [lambda body: body[:-9], lambda body: b"no gzip at all", lambda body: body + b"more", lambda body: body[2:]],
    ids=["cut", "plain", "with a tail", "headless"],
)
async def test_broken_gzip_is_said_so(phone, household, spoil):  # noqa: F811
    body = gzip.compress(json.dumps({"device_id": phone.device_id, "operations": []}).encode())

    answer = await zipped_post(phone.person, "/api/v1/sync/push", spoil(body))

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_another_encoding_is_not_taken_for_json(phone):  # noqa: F811
    answer = await zipped_post(phone.person, "/api/v1/sync/push", b"\x0b\x02\x80{}\x03", **{"Content-Encoding": "br"})

    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_content_type")
