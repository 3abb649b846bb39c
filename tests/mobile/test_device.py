"""The desktop's ports."""

from pathlib import Path

import pytest

from mobile.device import desktop, fakes
from mobile.device.ports import DeviceFix, LocationDenied, LocationTimeout
from tests.mobile.phone_parts import MORNING, Hands


async def test_a_desk_stands_where_it_is_told_and_says_that_it_is_no_real_position() -> None:
    told = desktop.GivenLocation("106.52,33.91,8", Hands())

    assert await told.fix(1) == DeviceFix(106.52, 33.91, 8, MORNING, mock=True)


async def test_a_desk_that_was_told_nothing_finds_no_position() -> None:
    nowhere = desktop.ports(Path("unused")).location

    assert nowhere.last() is None
    with pytest.raises(LocationTimeout):
        await nowhere.fix(1)


def test_an_exported_file_never_replaces_another_one(tmp_path: Path) -> None:
    files = desktop.FolderFiles(tmp_path / "exports")

    paths = [files.save("走访台账.xlsx", content) for content in (b"1", b"2", b"3")]

    assert [path.name for path in paths] == ["走访台账.xlsx", "走访台账 (2).xlsx", "走访台账 (3).xlsx"]
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b"3"]


async def test_a_scripted_location_plays_its_track_and_keeps_the_last_fix() -> None:
    first, second = DeviceFix(1, 2, 3, MORNING), DeviceFix(4, 5, 6, MORNING)
    location = fakes.ScriptedLocation(first, LocationDenied(), second)

    assert await location.fix(1) == first
    with pytest.raises(LocationDenied):
        await location.fix(1)
    assert location.last() == first
    assert [await location.fix(1) for _ in range(2)] == [second, second]
