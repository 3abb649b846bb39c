"""Photos to the server's folder and back: with a kill -9 between two chunks, and over a line that breaks."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
from PIL import Image

from mobile.core.session import AppContext
from mobile.device import fakes
from shared.attachments import CHUNK
from shared.residents import HouseholdOut
from tests.end_to_end.cutting import CuttingLine
from tests.end_to_end.server import Server
from tests.mobile.phone_parts import Hands

USER, PASSWORD = "yangjiaping03", "linge-2026-yangjiaping03"


def signed_in(server: Server) -> httpx.Client:
    client = httpx.Client(base_url=f"{server.address}/api/v1", timeout=30)
    answer = client.post("/auth/token", data={"username": USER, "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return client


def picture() -> bytes:
    out = BytesIO()
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def test_a_photo_goes_on_where_it_was_when_the_server_was_killed(server: Server) -> None:
    content, visit_id, phone = picture(), uuid4(), signed_in(server)
    sha256 = hashlib.sha256(content).hexdigest()
    home = phone.get("/households", params={"limit": 1}).json()["items"][0]["id"]
    manifest = {"sha256": sha256, "size": len(content), "width": 1600, "height": 1200}
    visit = {"household_id": home, "outcome": "seen", "visited_at": datetime.now(UTC).isoformat(), "photos": [manifest]}
    recorded = phone.put(f"/visits/{visit_id}", json=visit)
    url, octets = f"/attachments/{sha256}", {"Content-Type": "application/octet-stream"}
    phone.put(f"{url}/chunks", params={"offset": 0}, content=content[:CHUNK], headers=octets)

    server.kill()
    server.start()
    phone = signed_in(server)
    received = phone.get(f"{url}/status").json()["received"]
    last = phone.put(f"{url}/chunks", params={"offset": received}, content=content[received:], headers=octets)
    seen = phone.get(url)

    assert recorded.status_code == 200, recorded.text
    assert (received, last.json()["state"]) == (CHUNK, "stored")
    assert Image.open(BytesIO(seen.content)).size == (1600, 1200)
    assert [photo["state"] for photo in phone.get(f"/visits/{visit_id}/photos").json()] == ["stored"]


def taken(number: int) -> bytes:
    """What a camera makes, a different one each time; noise, so that it stays large."""
    out = BytesIO()
    Image.effect_noise((1300, 1000 + number), 70).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def started(folder: Path, address: str, *pictures: bytes) -> AppContext:
    """The phone's app as main starts it, without its window and with somebody at the camera."""
    ports = fakes.ports(camera=fakes.ScriptedCamera(*pictures))
    # A clock moved by hand: what is saved need not wait ten seconds for 撤销.
    return AppContext(folder, ports, Hands(datetime.now(UTC)), server=address, start_syncing=False)


async def synced(app: AppContext, line: CuttingLine) -> None:
    """Try until all is settled, as the app does with pauses in between."""
    for _attempt in range(60):
        if await app.session.syncer.sync_once():
            return
    raise AssertionError(f"{app.session.chip.text} {app.session.chip.problem} after {line.cuts} cuts")


async def visit_with_photos(app: AppContext, household: HouseholdOut, count: int) -> list[str]:
    form = app.session.visit_form(household.id)
    for _ in range(count):
        assert await form.tray.take(), form.tray.message
    form.choose_outcome("seen")
    assert form.save()
    app.now.move(seconds=11)
    return form.tray.draft()


async def test_photos_of_a_phone_arrive_whole_over_a_line_that_breaks(server: Server, tmp_path: Path) -> None:
    pictures = [taken(number) for number in range(6)]
    async with CuttingLine(server.port).open() as line:
        app = started(tmp_path, line.address, *pictures)
        app.login.username, app.login.password, app.login.consent = USER, PASSWORD, True
        line.whole = True
        assert await app.login.sign_in(), app.login.error
        await synced(app, line)
        line.whole = False
        homes = app.session.store.entities.all(HouseholdOut)
        names = [name for home in homes[:3] for name in await visit_with_photos(app, home, 2)]

        await app.session.syncer.sync_once()
        app.keep()  # and the system ends the app: nothing more is said to anybody
        again = started(tmp_path, line.address)
        assert again.resume()
        await synced(again, line)
        at_the_end = again.session.chip.text
        sizes = {name: again.session.store.photos.get(name) for name in names}
        for each in (app, again):
            await each.close()

    phone = signed_in(server)
    seen = {name: phone.get(f"/attachments/{name}") for name in names}
    states = {name: phone.get(f"/attachments/{name}/status").json()["state"] for name in names}
    assert len(set(names)) == 6
    assert line.cuts > 0, "or nothing was tried"
    assert states == dict.fromkeys(names, "stored")
    for name, answer in seen.items():
        photo = sizes[name]
        assert photo is not None
        assert Image.open(BytesIO(answer.content)).size == (photo.width, photo.height)
    assert at_the_end == "已送到"
    announced = sum(photo.size for photo in sizes.values() if photo is not None)
    assert line.upward < 2 * announced, "it goes on where it stopped"
