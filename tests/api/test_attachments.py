"""Photos: announced by a visit or a request, received in chunks, checked, made anew, seen by those who see either."""

import hashlib
import struct
import zlib
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from PIL import Image

from backend.attachments import pictures
from backend.attachments.store import Folder
from backend.auth.directory import CHANNEL
from backend.core.migrate import config, migrate
from shared.attachments import CHUNK
from shared.sync import EntityKind
from tests.factories import CELL, COUNTY, NEIGHBOUR, middle_of, visit_to

HIDDEN = (b"SecretCamera", b"hidden words")
OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture
async def household(running, tmp_path, make):
    running.app.state.files = Folder(tmp_path)
    return await make.household(CELL)


def photo(width: int = 640, height: int = 480, *, form: str = "JPEG", noise: bool = False) -> bytes:
    image = (
        Image.effect_noise((width, height), 90).convert("RGB") if noise else Image.new("RGB", (width, height), "red")
    )
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "SecretCamera", 6  # maker; turned by a quarter
    out = BytesIO()
    more = {"comment": b"hidden words"} if form == "JPEG" else {}
    image.save(out, form, exif=exif, quality=95, **more)
    return out.getvalue()


def listed(content: bytes, **given: Any) -> dict[str, Any]:
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "width": 640, "height": 480}
    return facts | given


async def announce(person, household, *photos: dict[str, Any]) -> str:
    visit_id = uuid4()
    body = visit_to(household.id, photos=list(photos))
    answer = await person.client.put(f"/api/v1/visits/{visit_id}", json=body)
    assert answer.status_code == 200, answer.text
    return str(visit_id)


async def send(person, sha256: str, offset: int, chunk: bytes):
    url = f"/api/v1/attachments/{sha256}/chunks"
    return await person.client.put(url, params={"offset": offset}, content=chunk, headers=OCTETS)


async def states(person, visit_id: str) -> list[str]:
    return [item["state"] for item in (await person.client.get(f"/api/v1/visits/{visit_id}/photos")).json()]


async def test_a_photo_arrives_in_pieces_and_is_made_anew_without_what_it_hid(make, household):
    content, worker = photo(2400, 1200, noise=True), await make.worker()
    sha256 = listed(content)["sha256"]
    visit_id = await announce(worker, household, listed(content))
    before = await states(worker, visit_id)

    answers = [
        (await send(worker, sha256, offset, content[offset : offset + CHUNK])).json()
        for offset in range(0, len(content), CHUNK)
    ]
    read = await worker.client.get(f"/api/v1/attachments/{sha256}")
    small = await worker.client.get(f"/api/v1/attachments/{sha256}/thumbnail")

    assert len(content) > 2 * CHUNK, "or there is nothing to piece together"
    assert [answer["received"] for answer in answers] == [CHUNK, 2 * CHUNK, len(content)]
    assert [answer["state"] for answer in answers] == ["missing", "missing", "stored"]
    assert (before, await states(worker, visit_id)) == (["missing"], ["stored"])
    assert (read.status_code, read.headers["content-type"]) == (200, "image/jpeg")
    assert read.headers["x-content-type-options"] == "nosniff"
    shown = Image.open(BytesIO(read.content))
    assert shown.size == (800, 1600), "upright, and no longer than 1600"
    assert not shown.getexif()
    assert [word in content for word in HIDDEN] == [True, True]
    assert [word in read.content for word in HIDDEN] == [False, False]
    assert max(Image.open(BytesIO(small.content)).size) == 320


async def test_an_upload_that_broke_off_goes_on_where_it_stopped_and_repeats_do_no_harm(make, household):
    content, worker = photo(), await make.worker()
    sha256 = listed(content)["sha256"]
    await announce(worker, household, listed(content))
    await send(worker, sha256, 0, content[:1000])

    at = (await worker.client.get(f"/api/v1/attachments/{sha256}/status")).json()
    repeated = (await send(worker, sha256, 0, content[:600])).json()
    overlapping = (await send(worker, sha256, 500, content[500:1500])).json()
    last = (await send(worker, sha256, 1500, content[1500:])).json()
    afterwards = (await send(worker, sha256, 0, content[:1000])).json()

    assert (at["received"], at["state"]) == (1000, "missing")
    assert (repeated["received"], overlapping["received"]) == (1000, 1500)
    assert last["state"] == afterwards["state"] == "stored"


async def test_a_chunk_beyond_what_is_there_is_refused(make, household):
    content, worker = photo(), await make.worker()
    await announce(worker, household, listed(content))

    answer = await send(worker, listed(content)["sha256"], 500, content[500:])

    assert (answer.status_code, answer.json()["code"]) == (409, "chunk_out_of_order")


async def test_bytes_that_are_not_what_was_announced_are_dropped_and_the_right_ones_taken(make, household):
    content, worker = photo(), await make.worker()
    sha256 = listed(content)["sha256"]
    visit_id = await announce(worker, household, listed(content))

    wrong = await send(worker, sha256, 0, bytes(len(content)))
    status = (await worker.client.get(f"/api/v1/attachments/{sha256}/status")).json()
    right = await send(worker, sha256, 0, content)

    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong_hash")
    assert (status["received"], status["state"]) == (0, "missing")
    assert right.json()["state"] == "stored"
    assert await states(worker, visit_id) == ["stored"]


def bomb(side: int = 40_000) -> bytes:
    """A PNG of a few hundred bytes that claims so many pixels a side."""

    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", zlib.compress(bytes(1000))) + part(b"IEND", b"")


@pytest.mark.parametrize(
    "content",
    [b"<script>alert(1)</script>", photo()[:2000], bomb(), photo(form="TIFF"), b"GIF89a" + bytes(50)],
    ids=["no picture", "cut short", "a bomb", "a format not taken", "a broken GIF"],
)
async def test_what_cannot_be_shown_is_put_aside_and_never_served(make, household, tmp_path, content):
    worker, manifest = await make.worker(), listed(content)
    visit_id = await announce(worker, household, manifest)

    answer = await send(worker, manifest["sha256"], 0, content)
    again = await send(worker, manifest["sha256"], 0, content)

    assert (answer.status_code, answer.json()["state"]) == (200, "quarantined")
    assert again.json() == answer.json()
    assert await states(worker, visit_id) == ["quarantined"]
    assert (await worker.client.get(f"/api/v1/attachments/{manifest['sha256']}")).status_code == 404
    assert (tmp_path / COUNTY / "quarantine" / manifest["sha256"]).read_bytes() == content


@pytest.mark.parametrize("side", [7100, 40_000], ids=["more than we decode", "more than the library opens"])
def test_pixels_are_counted_before_they_are_decoded(monkeypatch, side):
    decoded = []
    monkeypatch.setattr(Image.Image, "draft", lambda *_: decoded.append("decoded"))

    with pytest.raises(pictures.BadPicture):
        pictures.remake(bomb(side))

    assert decoded == []


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_what_phones_take_pictures_in_is_taken(form):
    remade = pictures.remake(photo(form=form))

    assert Image.open(BytesIO(remade.picture)).format == "JPEG"


async def test_a_photo_is_seen_and_sent_by_those_of_its_visits_area_only(make, household):
    content, worker = photo(), await make.worker()
    neighbour, auditor, inside, outside = (
        await make.worker(NEIGHBOUR), await make.auditor(), await make.partner(CELL[:12]),
        await make.partner("610330100001"),
    )  # fmt: skip
    sha256 = listed(content)["sha256"]
    await announce(worker, household, listed(content))

    unseen = await send(neighbour, sha256, 0, content)
    looking = await send(auditor, sha256, 0, content)
    await send(worker, sha256, 0, content)

    assert (unseen.status_code, unseen.json()["code"]) == (404, "not_found")
    assert (looking.status_code, looking.json()["code"]) == (403, "role_not_allowed")
    for part in ("", "/thumbnail", "/status"):
        read = {
            name: (await person.client.get(f"/api/v1/attachments/{sha256}{part}")).status_code
            for name, person in {"in": inside, "out": outside, "next": neighbour, "audit": auditor}.items()
        }
        assert read == {"in": 200, "out": 404, "next": 404, "audit": 200}


async def test_a_photo_nobody_announced_is_not_taken(make, household):
    answer = await send(await make.worker(), hashlib.sha256(b"x").hexdigest(), 0, b"x")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_announced_photo_that_has_not_come_is_missing(make, household):
    worker, manifest = await make.worker(), listed(photo())
    await announce(worker, household, manifest)

    answer = await worker.client.get(f"/api/v1/attachments/{manifest['sha256']}")

    assert (answer.status_code, answer.json()["detail"]) == (404, "照片还没有传完。")


async def test_a_photo_of_two_visits_is_sent_once(make, household):
    content, worker = photo(), await make.worker()
    first = await announce(worker, household, listed(content))
    second = await announce(worker, household, listed(content))

    await send(worker, listed(content)["sha256"], 0, content)

    assert await states(worker, first) == await states(worker, second) == ["stored"]


async def now_works_in(make, person, cell: str) -> None:
    async def work(tx):
        await tx.conn.execute("UPDATE role_grant SET area_code = $2 WHERE account_id = $1", person.account_id, cell)
        tx.notify(CHANNEL)

    await make.run(work)


LAMP = {"kind": "incident", "category": "street_lamp", "detail": "一排都不亮"}


async def report(person, cell: str, *photos: dict[str, Any]):
    lon, lat = middle_of(cell)
    body = LAMP | {"place": {"lon": lon, "lat": lat, "crs": "wgs84"}, "photos": list(photos)}
    return await person.client.put(f"/api/v1/requests/{uuid4()}", json=body)


async def photos_of(person, request_id: str):
    return await person.client.get(f"/api/v1/requests/{request_id}/photos")


async def test_a_photo_of_a_street_lamp_arrives_and_is_seen_in_its_area_only(make, household):
    content, worker, neighbour = photo(), await make.worker(), await make.worker(NEIGHBOUR)
    made = await report(worker, CELL, listed(content))
    sha256, request_id = listed(content)["sha256"], made.json()["id"]

    before = (await photos_of(worker, request_id)).json()
    unseen = await send(neighbour, sha256, 0, content)
    sent = await send(worker, sha256, 0, content)

    assert made.status_code == 200, made.text
    assert (made.json()["area_code"], made.json()["photo_count"]) == (CELL, 1)
    assert [(one["request_id"], one["state"]) for one in before] == [(request_id, "missing")]
    assert (unseen.status_code, unseen.json()["code"]) == (404, "not_found")
    assert (sent.status_code, sent.json()["state"]) == (200, "stored")
    assert [one["state"] for one in (await photos_of(worker, request_id)).json()] == ["stored"]
    for person, status in ((worker, 200), (neighbour, 404)):
        assert (await person.client.get(f"/api/v1/attachments/{sha256}/thumbnail")).status_code == status
    assert (await photos_of(neighbour, request_id)).status_code == 404


async def test_what_was_seen_across_the_street_is_sent_by_who_saw_it_and_read_by_who_looks_after_it(make, household):
    content, worker, owner = photo(), await make.worker(), await make.worker(NEIGHBOUR)
    await make.cell(NEIGHBOUR)
    made = await report(worker, NEIGHBOUR, listed(content))
    sha256, request_id = listed(content)["sha256"], made.json()["id"]

    sent = await send(worker, sha256, 0, content)
    stranger = await make.worker("610330100008005")
    refused = await send(stranger, sha256, 0, content)

    assert made.json()["area_code"] == NEIGHBOUR
    assert sent.json()["state"] == "stored"
    assert refused.status_code == 404
    for person in (worker, owner):
        assert [one["state"] for one in (await photos_of(person, request_id)).json()] == ["stored"]
        assert (await person.client.get(f"/api/v1/attachments/{sha256}")).status_code == 200


async def test_a_photo_that_came_with_a_visit_is_there_for_a_request_that_names_it_later(make, household):
    content, worker = photo(), await make.worker()
    await announce(worker, household, listed(content))
    await send(worker, listed(content)["sha256"], 0, content)

    made = await report(worker, CELL, listed(content))

    assert [one["state"] for one in (await photos_of(worker, made.json()["id"])).json()] == ["stored"]


async def test_who_only_knows_a_hash_reads_no_photo_by_announcing_it_and_has_to_send_it(make, household, tmp_path):
    content, former, now_there = photo(), await make.worker(), await make.worker()
    sha256 = listed(content)["sha256"]
    await announce(now_there, household, listed(content))
    await send(now_there, sha256, 0, content)
    url = f"/api/v1/attachments/{sha256}"
    before = await former.client.get(url)
    await now_works_in(make, former, NEIGHBOUR)

    visit_id = await announce(former, await make.household(NEIGHBOUR), listed(content))
    own = [await report(former, cell, listed(content)) for cell in (NEIGHBOUR, CELL)]
    reads = [(await former.client.get(url + part)).status_code for part in ("", "/thumbnail")]
    status = (await former.client.get(f"{url}/status")).json()
    known = [(await photos_of(former, made.json()["id"])).json()[0]["state"] for made in own]
    seen = await states(former, visit_id)
    sent = await send(former, sha256, 0, content)

    assert before.status_code == 200
    assert reads == [404, 404]
    assert (status["received"], status["state"]) == (0, "missing")
    assert (seen, known) == (["missing"], ["missing", "missing"])
    assert (sent.json()["state"], await states(former, visit_id)) == ("stored", ["stored"])
    assert [(await photos_of(former, made.json()["id"])).json()[0]["state"] for made in own] == ["stored", "stored"]
    assert (await former.client.get(url)).status_code == 200
    assert len([*tmp_path.rglob("*.jpg")]) == 2, "one picture, and its small one"


async def test_a_photo_that_arrives_next_door_does_not_come_to_who_only_announced_its_hash(make, household):
    content, worker, neighbour = photo(), await make.worker(), await make.worker(NEIGHBOUR)
    visit_id = await announce(neighbour, await make.household(NEIGHBOUR), listed(content))
    await announce(worker, household, listed(content))

    await send(worker, listed(content)["sha256"], 0, content)

    assert await states(neighbour, visit_id) == ["missing"]
    assert (await neighbour.client.get(f"/api/v1/attachments/{listed(content)['sha256']}")).status_code == 404


async def test_a_visit_handed_over_brings_no_photo_that_its_worker_cannot_see(make, household):
    content, former, there = photo(), await make.worker(), await make.worker(NEIGHBOUR)
    await announce(there, await make.household(NEIGHBOUR), listed(content))
    await send(there, listed(content)["sha256"], 0, content)
    moved_to = CELL[:12] + "005"
    worker = await make.worker(moved_to)

    async def moves(tx):
        await tx.conn.execute("UPDATE household SET area_code = $2 WHERE id = $1", household.id, moved_to)
        tx.changed(EntityKind.household, household.id, CELL, gone=True)

    await make.run(moves)

    visit_id = await announce(former, household, listed(content))

    assert await states(worker, visit_id) == ["missing"]


@pytest.mark.parametrize(
    "photos",
    [[listed(b"x"), listed(b"x")], [listed(str(n).encode()) for n in range(7)]],
    ids=["twice", "seven"],
)
async def test_a_request_announces_each_photo_once_and_six_at_most(make, household, photos):
    answer = await report(await make.worker(), CELL, *photos)

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


@pytest.mark.parametrize(
    "photos",
    [
        [listed(b"x", sha256="XYZ")],
        [listed(b"x", sha256="../../etc/passwd")],
        [listed(b"x", size=0)],
        [listed(b"x", size=1 << 30)],
        [listed(b"x", width=0)],
        [listed(b"x"), listed(b"x")],
        [listed(str(n).encode()) for n in range(7)],
    ],
    ids=["no hash", "a path", "empty", "too large", "flat", "twice", "seven"],
)
async def test_a_manifest_that_cannot_be_is_malformed(make, household, photos):
    worker = await make.worker()

    answer = await worker.client.put(f"/api/v1/visits/{uuid4()}", json=visit_to(household.id, photos=photos))

    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")


async def test_a_chunk_is_octets_of_at_most_one_mebibyte_and_octets_are_taken_nowhere_else(make, household):
    worker, sha256 = await make.worker(), "0" * 64
    url = f"/api/v1/attachments/{sha256}/chunks?offset=0"

    as_json = await worker.client.put(url, json={})
    too_large = await send(worker, sha256, 0, bytes(CHUNK + 1))
    elsewhere = await worker.client.put(f"/api/v1/visits/{uuid4()}", content=b"{}", headers=OCTETS)

    assert (as_json.status_code, as_json.json()["code"]) == (415, "wrong_content_type")
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (415, "wrong_content_type")


async def test_a_server_without_a_folder_says_so(running, make, household):
    running.app.state.files = None
    worker, content = await make.worker(), photo()
    await announce(worker, household, listed(content))

    answer = await send(worker, listed(content)["sha256"], 0, content)

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


async def test_photos_from_before_they_were_counted_are_counted_by_the_migration(make, household, database_url):
    worker = await make.worker()
    visit_id = await announce(worker, household, listed(photo()), listed(photo(100, 100)))
    await announce(worker, household)
    await report(worker, CELL, listed(photo()))
    scripts = ScriptDirectory.from_config(config())
    await migrate(database_url, f"-{len([*scripts.iterate_revisions('head', '2026_11_22_volunteering')])}")

    await migrate(database_url)

    owner = await asyncpg.connect(database_url)
    visits = {row["id"]: row["photo_count"] for row in await owner.fetch("SELECT id, photo_count FROM visit")}
    requests = await owner.fetch("SELECT photo_count FROM request")
    forced = await owner.fetchval(
        "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname = ANY ($1)", COUNTED
    )
    await owner.close()
    assert sorted(visits.values()) == [0, 2]
    assert visits[UUID(visit_id)] == 2
    assert [row["photo_count"] for row in requests] == [1]
    assert forced


COUNTED = ["visit", "visit_photo", "request", "request_photo"]
