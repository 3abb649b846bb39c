"""A photo taken at a door by one worker is seen by the colleague who goes there next, on the page of the household."""

import pytest

from backend.attachments.store import Folder
from mobile.attachments.album import NONE, ONLY_OWN, Album
from mobile.attachments.tray import PhotoTray
from mobile.device import fakes
from mobile.residents.viewmodel import HouseholdDetail
from mobile.sync.errors import NetworkProblem
from mobile.visits.form import VisitForm
from shared.sync import EntityKind
from shared.visits import VisitOut
from tests.factories import CELL
from tests.mobile.test_attachments import camera_picture
from tests.sync.test_conflicts_on_phones import UNDONE, phones_in


@pytest.fixture
async def home(running, tmp_path, make):
    running.app.state.files = Folder(tmp_path / "files")
    return await make.household(CELL)


@pytest.fixture
async def phones(make, home, tmp_path):
    async with phones_in(make, tmp_path, "张敏", "王芳") as found:
        yield found


async def pictured(phone, home, *sizes):
    """A visit with photos is recorded."""
    ports = fakes.ports(camera=fakes.ScriptedCamera(*(camera_picture(*size) for size in sizes)))
    form = VisitForm(phone.store, phone.me, ports, phone.clock, home.id, PhotoTray(phone.store, ports, None))
    for _size in sizes:
        assert await form.tray.take()
    form.choose_outcome("seen")
    form.toggle_finding("fine")
    assert form.save()
    phone.clock.at += UNDONE
    [visit] = phone.store.entities.all(VisitOut)
    return visit.id


def album(phone, visit_id):
    return Album(phone.store, phone.client, EntityKind.visit, visit_id)


def line_of(phone, home):
    [line] = HouseholdDetail(phone.store, fakes.ports(), phone.clock, home.id).visits
    return line.photos


async def test_photos_are_seen_by_who_took_them_at_once_and_by_a_colleague_when_they_have_come(phones, home):
    taker, colleague = phones
    visit_id = await pictured(taker, home, (900, 600), (500, 700))
    own = album(taker, visit_id).pictures
    offline = line_of(taker, home)

    await taker.sync()
    await colleague.sync()
    theirs = album(colleague, visit_id)
    before = list(theirs.pictures)
    await theirs.load()

    assert [(one.width, one.height, bool(one.content)) for one in own] == [(900, 600, True), (500, 700, True)]
    assert offline == line_of(colleague, home) == "看照片（2 张）"
    assert before == []
    assert [(one.width, one.height, one.content[:2]) for one in theirs.pictures] == [
        (900, 600, b"\xff\xd8"),
        (500, 700, b"\xff\xd8"),
    ]
    assert theirs.message == ""


async def test_what_has_not_come_yet_is_said_and_who_is_offline_sees_their_own(phones, home, monkeypatch):
    taker, colleague = phones
    visit_id = await pictured(taker, home, (900, 600))
    monkeypatch.setattr(taker.syncer._uploads, "send", _gives_way)
    await taker.sync()
    await colleague.sync()

    early = album(colleague, visit_id)
    await early.load()
    monkeypatch.setattr(taker.client, "photos_of", _no_network)
    own = album(taker, visit_id)
    await own.load()

    assert [(one.words, one.content) for one in early.pictures] == [("还没传完", b"")]
    assert [bool(one.content) for one in own.pictures] == [True]
    assert own.message == NetworkProblem.sentence + ONLY_OWN
    assert not own.busy


async def test_a_visit_without_photos_says_so(phones, home):
    taker, _colleague = phones
    visit_id = await pictured(taker, home)
    await taker.sync()

    empty = album(taker, visit_id)
    await empty.load()

    assert (line_of(taker, home), empty.message) == ("", NONE)
    assert taker.store.entities.get(VisitOut, visit_id).photo_count == 0


async def _gives_way(*_):
    return True


async def _no_network(*_):
    raise NetworkProblem
