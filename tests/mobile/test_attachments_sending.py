"""Sending photos: after their record and never before, in pieces, from where it stopped, never lost."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from mobile.attachments import uploads
from mobile.store.outbox import State
from mobile.store.photos import Photo
from mobile.sync import rescue
from mobile.sync.viewmodel import SyncScreen
from shared.attachments import PhotoState, UploadOut
from shared.errors import Code
from shared.types import uuid7
from tests.mobile.county import County, cut_off, no_network, problem, refuse, reply
from tests.mobile.phone_parts import Desk, me, page
from tests.mobile.test_attachments import photographed
from tests.mobile.test_sync import Line

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    desk = Desk(tmp_path)
    ready = Line(desk, County(desk.me))
    yield ready
    await ready.client.close()


class Album:
    """The server's side of photos: keeps whole pieces, as the real one does; faults are scripted."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.came: dict[str, bytes] = {}
        self.states: dict[str, PhotoState] = {}
        self.pieces: list[int] = []
        self.faults: list[Callable[[httpx.Request], httpx.Response | None]] = []
        usual = line.county._route
        line.county._route = lambda path, request: (  # type: ignore[method-assign]
            self.answer(path, request) if path.startswith("/attachments/") else usual(path, request)
        )

    def announced(self) -> dict[str, int]:
        fields = [operation["fields"] for operation in self.line.county.applied.values()]
        return {photo["sha256"]: photo["size"] for one in fields for photo in one.get("photos", ())}

    def answer(self, path: str, request: httpx.Request) -> httpx.Response:
        sha256, what = path.split("/")[2:]
        if sha256 not in self.announced():
            return problem(Code.not_found)
        if what == "chunks":
            fault = self.faults.pop(0)(request) if self.faults else None
            if fault is not None:
                return fault
            self.take(sha256, int(request.url.params["offset"]), request.content)
        return reply(self.status(sha256))

    def take(self, sha256: str, offset: int, piece: bytes) -> None:
        there = self.came.get(sha256, b"")
        assert offset == len(there), "a phone that asks where to go on never leaves a gap"
        self.came[sha256] = there + piece
        self.pieces.append(len(piece))
        if len(self.came[sha256]) == self.announced()[sha256]:
            sound = hashlib.sha256(self.came[sha256]).hexdigest() == sha256
            self.states[sha256] = PhotoState.stored if sound else PhotoState.quarantined

    def status(self, sha256: str) -> UploadOut:
        state = self.states.get(sha256, PhotoState.missing)
        size, there = self.announced()[sha256], len(self.came.get(sha256, b""))
        return UploadOut(sha256=sha256, size=size, received=there, state=state)


async def recorded(line: Line, *, noise: int = 90) -> Photo:
    """A visit with a photo of several pieces, saved and due to be sent."""
    form, photo = await photographed(line.desk, line.home, noise=noise)
    form.choose_outcome("seen")
    assert form.save()
    line.desk.now.move(seconds=11)
    return photo


async def test_a_photo_follows_its_visit_in_pieces_and_then_it_is_green(line: Line) -> None:
    album, photo = Album(line), await recorded(line)

    settled = await line.syncer.sync_once()

    assert settled
    assert album.states == {photo.sha256: PhotoState.stored}
    assert len(album.pieces) > 2
    assert max(album.pieces) == uploads.PIECE
    asked = line.county.asked
    assert asked.index("/sync/push") < asked.index(f"/attachments/{photo.sha256}/status")
    assert (line.status.state, line.status.photos) == ("accepted", 0)


async def test_no_photo_leaves_before_its_visit_was_accepted(line: Line) -> None:
    album, _photo = Album(line), await recorded(line)
    line.county.fails("/sync/push", no_network)

    await line.syncer.sync_once()
    offline = list(line.county.asked)
    [operation] = line.desk.store.outbox.entries(State.unsent)
    line.county.refuses[str(operation.entity_id)] = Code.area_not_allowed
    await line.syncer.sync_once()

    assert [path for path in offline + line.county.asked if path.startswith("/attachments")] == []
    assert album.came == {}
    assert line.counts() == (0, 0, 0, 1)


async def test_a_cut_connection_goes_on_at_the_last_whole_piece(line: Line) -> None:
    album, photo = Album(line), await recorded(line)
    album.faults = [lambda _request: None, cut_off]

    first = await line.syncer.sync_once()
    came, said = len(album.came[photo.sha256]), line.status.text
    second = await line.syncer.sync_once()

    assert (first, second) == (False, True)
    assert came == uploads.PIECE
    assert said == "1 张照片没送"
    assert sum(album.pieces) == photo.size, "nothing was sent twice"
    assert line.status.text == "已送到"


async def test_what_is_written_down_meanwhile_goes_first(line: Line) -> None:
    album, photo = Album(line), await recorded(line)

    def somebody_writes(_request: httpx.Request) -> None:
        line.record()

    album.faults = [somebody_writes]

    settled = await line.syncer.sync_once()

    assert settled
    chunk = f"/attachments/{photo.sha256}/chunks"
    order = [path for path in line.county.asked if path in ("/sync/push", chunk)]
    assert order[:4] == ["/sync/push", chunk, "/sync/push", chunk]
    assert album.states[photo.sha256] is PhotoState.stored


async def test_a_photo_the_server_cannot_open_is_shown_with_the_reason_until_it_was_read(line: Line) -> None:
    album, photo = Album(line), await recorded(line)
    album.states[photo.sha256] = PhotoState.quarantined

    settled = await line.syncer.sync_once()
    screen = SyncScreen(line.store, line.status, line.desk.now, lambda: None)
    [back] = screen.photos_back
    chip = line.status.text
    screen.drop_photo(back.sha256)
    screen.refresh()
    line.status.refresh()

    assert settled
    assert (back.title, chip) == ("何长顺一家 走访 的照片", "1 条被退回")
    assert "已经隔离" in back.sentence
    assert (screen.photos_back, line.status.text) == ([], "已送到")
    assert line.store.photos.content(photo.sha256) is None


async def test_a_photo_that_is_refused_does_not_stop_the_next_one(line: Line) -> None:
    album, first = Album(line), await recorded(line)
    second = await recorded(line, noise=30)
    album.faults = [lambda _request: problem(Code.area_not_allowed)]

    settled = await line.syncer.sync_once()

    assert settled
    assert album.states == {second.sha256: PhotoState.stored}
    assert [back.photo for back in line.store.photos.returned()] == [first]


async def test_a_photo_that_rotted_on_the_phone_is_said_and_not_sent(line: Line) -> None:
    album, photo = Album(line), await recorded(line)
    path = line.desk.phone.store_path(line.desk.me.account_id).parent / "photos" / photo.sha256
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))

    await line.syncer.sync_once()

    assert album.came == {}
    assert [back.sentence for back in line.store.photos.returned()] == [uploads.LOST]


async def test_a_restored_server_gets_its_photos_again(line: Line) -> None:
    album, photo = Album(line), await recorded(line)
    await line.syncer.sync_once()
    line.county.epoch = "second"
    line.county.applied.clear()
    album.came.clear()
    album.states.clear()

    await line.syncer.sync_once()

    assert album.states == {photo.sha256: PhotoState.stored}


async def test_a_stored_photo_stays_thirty_five_days(line: Line) -> None:
    _album, photo = Album(line), await recorded(line)
    await line.syncer.sync_once()

    line.desk.now.move(days=34)
    line.store.take_page(page(settled_seq=line.county.settled_seq), [])
    within = line.store.photos.content(photo.sha256) is not None
    line.desk.now.move(days=2)
    line.store.take_page(page(settled_seq=line.county.settled_seq), [])

    assert within
    assert line.store.photos.content(photo.sha256) is None
    assert line.store.photos.get(photo.sha256) is None


DIES_AFTER_SAVING = """
import asyncio, os, signal, sys
from pathlib import Path
from uuid import UUID
from mobile.device import fakes
from tests.mobile.phone_parts import Desk, household, me
from tests.mobile.test_attachments import photographed
desk = Desk(Path(sys.argv[1]), me(account_id=UUID(sys.argv[2])))
form, photo = asyncio.run(photographed(desk))
form.choose_outcome("seen")
form.save()
print(photo.sha256, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_after_saving(folder: Path, account: UUID) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-c", DIES_AFTER_SAVING, str(folder), str(account)]
    quiet = {**os.environ, "KIVY_NO_ARGS": "1", "KIVY_NO_CONSOLELOG": "1", "KIVY_NO_FILELOG": "1"}
    return subprocess.run(arguments, env=quiet, check=False, cwd=ROOT, capture_output=True, text=True)


async def test_a_photo_survives_kill_9_right_after_its_visit_was_saved(tmp_path: Path) -> None:
    account = uuid7()
    died = killed_after_saving(tmp_path, account)
    desk = Desk(tmp_path, me(account_id=account))
    line = Line(desk, County(desk.me))
    album = Album(line)
    desk.now.move(seconds=11)

    await line.syncer.sync_once()
    await line.client.close()

    assert died.returncode == -signal.SIGKILL, died.stderr
    assert album.states == {died.stdout.split()[-1]: PhotoState.stored}


async def accepted_with_a_photo_due(line: Line) -> Photo:
    """The visit has its receipt, and the network went away before the photo."""
    photo = await recorded(line)
    line.county.fails("/sync/pull", no_network)
    await line.syncer.sync_once()
    assert line.store.photos.due() == [photo]
    return photo


async def test_a_phone_that_is_shut_out_first_sends_the_photos_of_what_was_accepted(line: Line) -> None:
    album, photo = Album(line), await accepted_with_a_photo_due(line)

    left = await rescue.leave(line.store, line.client)

    assert album.states == {photo.sha256: PhotoState.stored}
    assert left is not None
    assert left.sentence == "这台手机已停用，里面的资料已清空。"


async def test_photos_that_could_not_go_from_a_phone_that_is_shut_out_are_counted(line: Line) -> None:
    album, _photo = Album(line), await accepted_with_a_photo_due(line)
    album.faults.append(cut_off)

    left = await rescue.leave(line.store, line.client)

    assert left is not None
    assert left.sentence == "这台手机已停用，里面的资料已清空。有 1 张照片没来得及送出，也清掉了。"
    assert line.store.photos.due() == []


async def test_a_refused_handing_in_does_not_stop_the_photos(line: Line) -> None:
    album, photo = Album(line), await accepted_with_a_photo_due(line)
    line.record()
    line.county.fails("/sync/rescue", refuse(Code.busy))

    left = await rescue.leave(line.store, line.client)

    assert album.states == {photo.sha256: PhotoState.stored}
    assert left is not None
    assert (left.kept, left.photos) == (1, 0)
