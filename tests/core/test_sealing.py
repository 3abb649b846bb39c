"""Sealed values and the keys behind them."""

import os
import stat
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from backend.core.sealing import blind_index, new_data_key, seal, seal_many, unseal
from backend.core.settings import SettingsRefused, derive_keys, load_keys
from shared.types import uuid7

KEYS = derive_keys(bytes(range(7, 39)))
OTHER_COUNTYS_KEYS = derive_keys(bytes(range(8, 40)))
NUMBER = "610388199001010015"


def test_a_sealed_value_opens_for_its_person_and_column():
    person = uuid7()
    wrapped = new_data_key(KEYS, person)

    sealed = seal(KEYS, wrapped, person, "identity", NUMBER)

    assert unseal(KEYS, wrapped, person, "identity", sealed) == NUMBER
    assert NUMBER.encode() not in sealed
    assert seal(KEYS, wrapped, person, "identity", NUMBER) != sealed, "equal values must not look equal"


def test_a_sealed_value_moved_to_another_person_or_column_does_not_open():
    person, other = uuid7(), uuid7()
    wrapped, others = new_data_key(KEYS, person), new_data_key(KEYS, other)
    sealed = seal(KEYS, wrapped, person, "identity", NUMBER)

    for key, owner, column in [
        (others, other, "identity"),
        (wrapped, other, "identity"),
        (wrapped, person, "disability"),
    ]:
        with pytest.raises(InvalidTag):
            unseal(KEYS, key, owner, column, sealed)


def test_a_changed_byte_does_not_open():
    person = uuid7()
    wrapped = new_data_key(KEYS, person)
    sealed = bytearray(seal(KEYS, wrapped, person, "identity", NUMBER))
    sealed[-1] ^= 1

    with pytest.raises(InvalidTag):
        unseal(KEYS, wrapped, person, "identity", bytes(sealed))


def test_another_master_key_opens_nothing():
    person = uuid7()
    wrapped = new_data_key(KEYS, person)
    sealed = seal(KEYS, wrapped, person, "identity", NUMBER)

    with pytest.raises(InvalidTag):
        unseal(OTHER_COUNTYS_KEYS, wrapped, person, "identity", sealed)


def test_the_blind_index_finds_an_equal_number_in_its_county_only():
    index = blind_index(KEYS, "610330", NUMBER)

    assert blind_index(KEYS, "610330", NUMBER) == index
    assert blind_index(KEYS, "610331", NUMBER) != index
    assert blind_index(OTHER_COUNTYS_KEYS, "610330", NUMBER) != index
    assert blind_index(KEYS, "610330", NUMBER[:-1] + "X") != index


def test_each_purpose_has_a_key_of_its_own():
    assert len({KEYS.token, KEYS.seal, KEYS.blind_index, KEYS.ledger}) == 4


@pytest.mark.parametrize(
    "master",
    [b"", bytes(32), b"\1" * 32, os.urandom(16), b"change-me-to-32-random-bytes-now"],
    ids=["empty", "zeros", "one byte", "short", "typed"],
)
def test_a_sample_or_weak_master_key_is_refused(master):
    with pytest.raises(SettingsRefused):
        derive_keys(master)


def test_the_master_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("GRIDHOOD_MASTER_KEY", raising=False)
    folder = tmp_path / "data"

    first, second = load_keys(folder), load_keys(folder)

    assert first == second
    assert stat.S_IMODE((folder / "master.key").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["master.key"]
    assert load_keys(tmp_path / "elsewhere") != first


def test_a_master_key_from_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch):
    given = os.urandom(32)
    monkeypatch.setenv("GRIDHOOD_MASTER_KEY", b64encode(given).decode())

    assert load_keys(tmp_path) == derive_keys(given)
    assert list(tmp_path.iterdir()) == []


def test_a_master_key_that_is_not_base64_is_refused_in_one_sentence(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GRIDHOOD_MASTER_KEY", "not base64!")

    with pytest.raises(SettingsRefused, match="base64"):
        load_keys(tmp_path)


def test_what_is_sealed_for_many_opens_like_what_is_sealed_for_one():
    seal_one = seal_many(KEYS, "id_number")
    owners = [uuid7(), uuid7()]

    sealed = [seal_one(str(owner), f"number {at}") for at, owner in enumerate(owners)]

    opened = [unseal(KEYS, key, owner, "id_number", value) for owner, (key, value) in zip(owners, sealed, strict=True)]
    assert opened == ["number 0", "number 1"]
    with pytest.raises(InvalidTag):
        unseal(KEYS, sealed[0][0], owners[1], "id_number", sealed[0][1])
