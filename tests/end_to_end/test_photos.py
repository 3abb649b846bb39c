"""A photo from a worker to the server's folder and back, with a kill -9 between two of its chunks."""

import hashlib
from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import httpx
from PIL import Image

from shared.attachments import CHUNK
from tests.end_to_end.server import Server

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
