"""Photos on the phone: made small and plain, kept sealed, held by what names them."""

import asyncio
import hashlib
import os
from dataclasses import asdict
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from PIL import Image

from mobile.attachments.shrinking import LONG_SIDE, SMALL_SIDE, NotAPicture, Shrunk, shrink
from mobile.attachments.tray import FULL, PhotoTray
from mobile.device import fakes
from mobile.device.desktop import FolderCamera, NothingPhotographed
from mobile.device.ports import CameraDenied, NoPicture
from mobile.store.photos import Photo, Standing
from mobile.visits.form import VisitForm
from mobile.visits.rules import draft_key
from shared.attachments import MOST
from shared.residents import HouseholdOut
from shared.sync import OperationKind
from shared.types import uuid7
from tests.mobile.phone_parts import Desk, household, page


def camera_picture(width: int = 2000, height: int = 1000, *, noise: int = 0, turned: bool = False) -> bytes:
    """What a camera makes: with place, maker and comment in it, and turned by a flag instead of by its pixels."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste((200, 30, 30), (0, 0, width // 2, height // 2))
    if noise:
        image = Image.effect_noise((900, 700), noise).convert("RGB")  # as large in bytes as a real one
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif[0x0112] = 6 if turned else 1
    exif.get_ifd(0x8825)[2] = (33.0, 54.0, 0.0)
    out = BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95, comment=b"hidden words")
    return out.getvalue()


def decoded(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_picture_becomes_small_upright_and_plain() -> None:
    taken = camera_picture(turned=True)

    made = shrink(taken)

    photo, content = decoded(made.content), made.content
    assert photo.size == (made.photo.width, made.photo.height) == (LONG_SIDE // 2, LONG_SIDE), "turned by its pixels"
    assert max(decoded(made.small).size) == SMALL_SIDE
    assert (made.photo.sha256, made.photo.size) == (hashlib.sha256(content).hexdigest(), len(content))
    for hidden in (b"SecretCamera", b"hidden words", b"Exif"):
        assert [hidden in bytes_ for bytes_ in (taken, content, made.small)] == [True, False, False]


def test_a_small_picture_is_not_made_larger() -> None:
    assert shrink(camera_picture(640, 480)).photo.width == 640


@pytest.mark.parametrize("taken", [b"", b"<html>", camera_picture()[:3000]], ids=["nothing", "no picture", "cut short"])
def test_what_cannot_be_shown_is_not_kept(taken: bytes) -> None:
    with pytest.raises(NotAPicture):
        shrink(taken)


async def test_photos_are_taken_removed_and_announced(desk: Desk) -> None:
    first, second = camera_picture(), camera_picture(800, 600)
    tray = desk.tray(fakes.ports(camera=fakes.ScriptedCamera(first, second, first)))

    taken = [await tray.take() for _ in range(4)]
    tray.remove(tray.photos[0].sha256)

    assert taken == [True, True, True, False], "the fourth time nobody took any"
    assert [(photo.width, photo.height) for photo in tray.photos] == [(800, 600)]
    assert [photo.sha256 for photo in tray.manifest()] == tray.draft()
    assert tray.message == ""


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (CameraDenied(), "没有允许用相机，不拍照也能记"),
        (NoPicture(), "相机打不开，不拍照也能记"),
        (b"<html>", "这张照片打不开，请再拍一张"),
    ],
)
async def test_trouble_with_the_camera_is_said_and_stops_nothing(
    desk: Desk, trouble: NoPicture | bytes, sentence: str
) -> None:
    tray = desk.tray(fakes.ports(camera=fakes.ScriptedCamera(trouble, camera_picture())))

    first, said = await tray.take(), tray.message
    second = await tray.take()

    assert (first, said) == (False, sentence)
    assert (second, tray.message, len(tray.photos)) == (True, "", 1)


async def test_a_full_phone_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    tray = desk.tray(fakes.ports(camera=fakes.ScriptedCamera(camera_picture())))

    def no_room(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)

    assert not await tray.take()
    assert (tray.message, tray.photos, tray.busy) == (FULL, [], False)


async def test_six_photos_are_enough(desk: Desk) -> None:
    pictures = [camera_picture(600 + 10 * n, 400) for n in range(MOST + 1)]
    tray = desk.tray(fakes.ports(camera=fakes.ScriptedCamera(*pictures)))

    for _ in pictures:
        await tray.take()

    assert len(tray.photos) == MOST
    assert not tray.can_take


def test_the_desk_takes_the_newest_picture_of_a_folder(tmp_path: Path) -> None:
    camera = FolderCamera(tmp_path)
    with pytest.raises(NothingPhotographed, match=str(tmp_path)):
        asyncio.run(camera.picture())
    for age, name in enumerate(("new.jpg", "old.png", "newest.txt")):
        (tmp_path / name).write_bytes(name.encode())
        os.utime(tmp_path / name, (1000 - age, 1000 - age))

    assert asyncio.run(camera.picture()) == b"new.jpg"


async def photographed(desk: Desk, home: HouseholdOut | None = None, *, noise: int = 0) -> tuple[VisitForm, Photo]:
    """A visit's form with one photo taken."""
    home = home or household()
    desk.holds(home)
    desk.store.drop_cursor()
    form = desk.visit_form(home, fakes.ports(camera=fakes.ScriptedCamera(camera_picture(noise=noise))))
    assert await form.tray.take()
    return form, form.tray.photos[0]


async def test_a_photo_is_kept_with_the_draft_and_comes_back_with_it(desk: Desk) -> None:
    home = household()
    form, photo = await photographed(desk, home)
    form.note = "炉子没装烟道"

    again = Desk(desk.folder, desk.me)
    tray = PhotoTray(again.store, fakes.ports(), again.spawned.append)
    tray.restore(again.store.draft(draft_key(home.id))["photos"])

    assert tray.photos == [photo]
    assert decoded(tray.small(photo.sha256) or b"").size == (240, 120)


async def test_no_photo_and_no_thumbnail_lies_open_on_the_disk(desk: Desk) -> None:
    form, photo = await photographed(desk, noise=40)
    form.note, content = "刀口恢复好", desk.store.photos.content(photo.sha256)
    small = desk.store.photos.small(photo.sha256)
    form.choose_outcome("seen")
    form.save()

    files = [path for path in desk.folder.rglob("*") if path.is_file()]
    on_disk = b"".join(path.read_bytes() for path in files)

    assert content is not None
    assert small is not None
    assert photo.sha256.encode() in on_disk  # the control: what is not sealed can be found this way
    assert any(path.name == photo.sha256 for path in files), "and the photo is among the files"
    for secret in (content[:24], content[600:632], small[200:232], b"JFIF", "刀口恢复好".encode(), "何长顺".encode()):
        assert secret not in on_disk


async def test_a_photo_copied_over_another_does_not_open_there(desk: Desk) -> None:
    _form, photo = await photographed(desk)
    folder = desk.phone.store_path(desk.me.account_id).parent / "photos"
    other = "0" * 64
    (folder / other).write_bytes((folder / photo.sha256).read_bytes())

    with pytest.raises(InvalidTag):
        desk.store.photos.content(other)


def kept(desk: Desk, width: int) -> Shrunk:
    made = shrink(camera_picture(width, 500))
    desk.store.photos.keep(made.photo, made.content, made.small)
    return made


async def test_only_what_nothing_holds_any_more_is_forgotten_after_a_day(desk: Desk) -> None:
    given_up, drafted, announced = (kept(desk, width) for width in (700, 800, 900))
    desk.store.keep_draft("report", {"photos": [drafted.photo.sha256]})
    fields = {"photos": [asdict(announced.photo)]}
    desk.store.outbox.capture(OperationKind.visit_record, uuid7(), fields, [], title="")

    desk.store.take_page(page(), [])
    at_once = desk.store.photos.get(given_up.photo.sha256)
    desk.now.move(days=60)
    desk.store.take_page(page(), [])

    assert at_once == given_up.photo
    assert desk.store.photos.get(given_up.photo.sha256) is None
    for made in (drafted, announced):
        assert desk.store.photos.content(made.photo.sha256) == made.content


async def test_a_file_whose_row_was_never_written_is_cleared_away(desk: Desk) -> None:
    _form, photo = await photographed(desk)
    folder = desk.phone.store_path(desk.me.account_id).parent / "photos"
    (folder / ("0" * 64)).write_bytes(b"x")
    (folder / f"{'1' * 64}.part").write_bytes(b"x")

    desk.open()

    assert [path.name for path in folder.iterdir()] == [photo.sha256]


async def test_undoing_a_visit_keeps_its_photos_for_the_form(desk: Desk) -> None:
    form, photo = await photographed(desk)
    form.choose_outcome("seen")
    form.save()

    assert form.undo()

    assert form.tray.photos == [photo]
    assert desk.store.photos.counts()[Standing.here] == 1
