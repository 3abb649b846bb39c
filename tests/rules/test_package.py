"""The archive file by itself: whatever byte of it is wrong, it is refused in words or holds what was put in."""

from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from backend.core.settings import derive_keys
from backend.exports.package import ArchiveRefused, Manifest, PackageReader, PackageWriter, key_id, new_file

KEYS = derive_keys(bytes(range(32)))
ROWS = b"".join(b'"610330","%d"\n' % (number * 7919) for number in range(3000))


def packed(target: Path) -> bytes:
    with new_file(target) as file, PackageWriter(file) as package:
        with package.part("tables/visit.csv", ["county_code", "id"]) as (part, member):
            part.add(ROWS)
            member.rows = 3000
        manifest = Manifest(
            county_code="610330", made_at="2026-11-22T00:00:00+00:00", revision="r", postgres="18.0",
            key_id=key_id(KEYS), notes=[], left_out={}, members=package.members,
        )  # fmt: skip
        package.seal(manifest, KEYS)
    return target.read_bytes()


def read(file: Path) -> bytes:
    package = PackageReader(file, KEYS)
    return b"".join(package.pieces("tables/visit.csv"))


def test_what_was_put_in_comes_out(tmp_path: Path) -> None:
    packed(tmp_path / "a.zip")

    assert read(tmp_path / "a.zip") == ROWS


def test_no_single_wrong_byte_changes_what_is_read(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.zip")
    random, broken, refused = Random(7), tmp_path / "b.zip", 0
    # Sampled in the data, and all of the end: there lies the directory, with the strangest failures.
    for at in [*random.sample(range(len(whole) - 700), 500), *range(len(whole) - 700, len(whole))]:
        broken.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << random.randrange(8))]) + whole[at + 1 :])
        try:
            assert sha256(read(broken)).digest() == sha256(ROWS).digest()
        except ArchiveRefused:
            refused += 1

    assert refused > 900


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, part: float) -> None:
    whole = packed(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(whole[: int(len(whole) * part)])

    with pytest.raises(ArchiveRefused):
        read(tmp_path / "b.zip")


def test_a_file_that_could_not_be_finished_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "a.zip") as file, PackageWriter(file):
        raise ZeroDivisionError

    assert list(tmp_path.iterdir()) == []
