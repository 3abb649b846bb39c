"""Photos of a report from a browser, and a form that comes back as it was filled in."""

import asyncio
import re
from io import BytesIO
from uuid import UUID

import asyncpg
import pytest
from PIL import Image

from backend.attachments.store import Folder
from backend.web.reporting import MOST_PHOTOS
from backend.web.visitor import FREE_A_DAY, PICTURED_A_DAY
from shared.attachments import LARGEST
from tests.api.test_attachments import HIDDEN, bomb, listed, photo
from tests.factories import CELL, COUNTY, NEIGHBOUR
from tests.web.test_mobile_pages import report, stored

WRITTEN = ("从昨晚起不亮", "新建路口东侧", "12600002706")
NOTHING_CHOSEN = ("photo", ("", b"", "application/octet-stream"))


@pytest.fixture
async def worker(running, tmp_path, make):
    running.app.state.files = Folder(tmp_path)
    await make.cell()
    return await make.worker()


def written(**fields):
    detail, _place, phone = WRITTEN
    return report(detail=detail, contact_phone=phone) | fields


def chosen(*contents: bytes):
    return [("photo", (f"{n}.jpg", content, "image/jpeg")) for n, content in enumerate(contents)]


async def seen(worker):
    """The one request there is, and what the worker there sees of its photos."""
    [found] = (await worker.client.get("/api/v1/requests")).json()["items"]
    photos = (await worker.client.get(f"/api/v1/requests/{found['id']}/photos")).json()
    return found, photos


def assert_nothing_lost(answer):
    assert [word for word in WRITTEN if word not in answer.text] == []
    assert 'value="street_lamp" checked' in answer.text
    assert f'value="{CELL}" selected' in answer.text


async def test_photos_come_with_a_report_freed_of_what_they_hid_and_are_seen_by_who_works_there(worker, make, visitor):
    first, second = photo(2400, 1200), photo(form="PNG")
    neighbour = await make.worker(NEIGHBOUR)

    answer = await visitor().post("/m/report", data=written(), files=[*chosen(first, second), NOTHING_CHOSEN])
    sent = await visitor().get(answer.headers["location"])
    found, photos = await seen(worker)
    url = f"/api/v1/attachments/{listed(first)['sha256']}"
    read = await worker.client.get(url)

    assert found["number"] in sent.text
    assert "打不开" not in sent.text
    assert [(one["sha256"], one["state"]) for one in photos] == [
        (listed(one)["sha256"], "stored") for one in (first, second)
    ]
    assert (photos[0]["width"], photos[0]["height"]) == Image.open(BytesIO(read.content)).size == (800, 1600)
    assert HIDDEN[0] in first
    assert [word for word in HIDDEN if word in read.content] == []
    assert not Image.open(BytesIO(read.content)).getexif()
    assert (await neighbour.client.get(url)).status_code == 404


async def test_a_report_without_a_photo_sends_an_empty_field_and_arrives(worker, visitor):
    answer = await visitor().post("/m/report", data=written(), files=[NOTHING_CHOSEN, NOTHING_CHOSEN])

    assert answer.status_code == 303
    assert (await seen(worker))[1] == []


async def test_pressed_twice_the_same_report_is_there_once_with_its_photo(worker, visitor):
    body, content = written(), photo()

    answers = await asyncio.gather(
        *(visitor().post("/m/report", data=body, files=chosen(content, content)) for _ in range(3))
    )

    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert [one["state"] for one in (await seen(worker))[1]] == ["stored"]


@pytest.mark.parametrize(
    "content",
    [b"<script>alert(1)</script>", bomb(), photo(form="TIFF"), photo()[:2000]],
    ids=["no picture", "a bomb", "a format not taken", "cut short"],
)
async def test_a_photo_that_cannot_be_shown_is_put_aside_and_does_not_stop_the_report(
    worker, visitor, tmp_path, content
):
    answer = await visitor().post("/m/report", data=written(), files=chosen(content, photo()))
    sent = await visitor().get(answer.headers["location"])
    _found, photos = await seen(worker)

    assert "有 1 张照片打不开" in sent.text
    assert [one["state"] for one in photos] == ["quarantined", "stored"]
    assert (await worker.client.get(f"/api/v1/attachments/{listed(content)['sha256']}")).status_code == 404
    assert (tmp_path / COUNTY / "quarantine" / listed(content)["sha256"]).read_bytes() == content


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ([photo()] * (MOST_PHOTOS + 1), "照片最多 3 张"),
        ([photo(), b"x" * (LARGEST + 1)], "一张最多 8 MB"),
    ],
    ids=["too many", "too large"],
)
async def test_photos_that_are_not_taken_leave_what_was_written(worker, make, visitor, tmp_path, contents, sentence):
    answer = await visitor().post("/m/report", data=written(), files=chosen(*contents))

    assert answer.status_code == 422
    assert sentence in answer.text
    assert "照片要再选一次" in answer.text
    assert_nothing_lost(answer)
    assert await stored(make, "SELECT id FROM request") == []
    assert [*tmp_path.rglob("*")] == []


async def test_who_sends_photos_without_end_may_still_report_without_them(worker, visitor):
    client = visitor()

    answers = [await client.post("/m/report", data=written(), files=chosen(photo())) for _ in range(PICTURED_A_DAY + 1)]
    without = await client.post("/m/report", data=written(), files=[NOTHING_CHOSEN])

    assert [answer.status_code for answer in answers] == [303] * PICTURED_A_DAY + [422]
    assert "先不带照片上报" in answers[-1].text
    assert_nothing_lost(answers[-1])
    assert without.status_code == 303


async def test_who_has_to_wait_finds_everything_as_it_was_written(worker, visitor):
    client, body = visitor(), written()
    for _ in range(FREE_A_DAY + 1):
        await client.post("/m/report", data=report())

    answer = await client.post("/m/report", data=body, files=chosen(photo()))

    assert answer.status_code == 429
    assert "过一会儿再试" in answer.text
    assert body["id"] in answer.text, "pressed again it is the same report"
    assert_nothing_lost(answer)


async def test_while_the_database_is_away_the_form_stays(worker, visitor, monkeypatch):
    def away(*_args, **_more):
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncpg.Pool, "acquire", away)
    answer = await visitor().post("/m/report?county=610330", data=written(), files=chosen(photo()))

    assert answer.status_code == 503
    assert "现在忙" in answer.text
    assert_nothing_lost(answer)


async def test_who_goes_back_and_writes_something_else_is_asked_whether_it_is_another_one(worker, make, visitor):
    body, other = written(), written(place_note="新建路口东侧 第三盏")
    await visitor().post("/m/report", data=body)

    answer = await visitor().post("/m/report", data=other | {"id": body["id"]})
    [fresh] = set(re.findall(r'name="id" value="([^"]+)"', answer.text))
    again = await visitor().post("/m/report", data=other | {"id": fresh})

    assert answer.status_code == 409
    assert "刚才那一份已经报上去了" in answer.text
    assert UUID(fresh) != UUID(body["id"])
    assert_nothing_lost(answer)
    assert again.status_code == 303
    assert len(await stored(make, "SELECT id FROM request")) == 2


async def test_photos_are_taken_by_this_form_only(worker, visitor):
    answer = await visitor().post("/m/sign-in", data={"username": "x"}, files=chosen(photo()))

    assert answer.status_code == 415
