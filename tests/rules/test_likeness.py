"""Whether two rows may be one person."""

from datetime import date
from uuid import UUID

import pytest

from backend.residents.likeness import Likely, Traits, area_of_both, door, likely, pair
from backend.residents.search import spelling
from shared.links import Likeness

BORN = date(1954, 3, 8)
HOME, OTHER_HOME = UUID(int=1), UUID(int=2)


def row(at=1, name="王小华", **other):
    usual = {
        "area_code": "610330100008003", "household_id": HOME, "birth_date": BORN, "phone": "13812345678",
        "door": "610330100008:302", "id_on_file": False,
    }  # fmt: skip
    return Traits(UUID(int=at), name=name, spelling=spelling(name), **(usual | other))


APART = {"household_id": OTHER_HOME, "door": "610330100008:401", "phone": None}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({}, ([Likeness.name_birth_door, Likeness.phone], 95)),
        ({"name": "王晓华"}, ([Likeness.name_birth_door, Likeness.phone], 95)),
        ({"name": "王晓华", "phone": None}, ([Likeness.name_birth_door], 85)),
        (APART, ([Likeness.name_birth], 60)),
        (APART | {"birth_date": None, "phone": "13812345678"}, ([Likeness.phone], 70)),
        (APART | {"name": "李芳", "phone": "13812345678"}, ([Likeness.phone], 50)),
        (APART | {"name": "王晓华"}, None),
        (APART | {"birth_date": date(1954, 3, 9)}, None),
        ({"name": "王小明"}, None),
        ({"name": "王小明", "birth_date": date(1980, 1, 1)}, None),
    ],
    ids=["all the same", "a name that sounds the same", "no phone", "elsewhere", "the phone and the name",
         "the phone and the birthday elsewhere", "only sounds the same elsewhere", "born another day", "twins",
         "a family's phone"],
)  # fmt: skip
def test_rows_are_alike_for_a_reason(other, expected):
    found = likely(row(), row(2, **other))

    assert found == (Likely(*expected) if expected else None)


def test_two_numbers_on_file_are_two_people():
    assert likely(row(id_on_file=True), row(2, id_on_file=True)) is None
    assert likely(row(id_on_file=True), row(2)) is not None


def test_likeness_has_no_direction():
    one, other = row(), row(2, **APART)

    assert likely(one, other) == likely(other, one)
    assert pair(one.id, other.id) == pair(other.id, one.id)
    assert pair(one.id, other.id).id == pair(other.id, one.id).id


def test_who_covers_both_areas_decides():
    assert area_of_both("610330100008003", "610330100008003") == "610330100008003"
    assert area_of_both("610330100008003", "610330100008004") == "610330100008"
    assert area_of_both("610330100008003", "610330100001003") == "610330100"
    assert area_of_both("610330100008003", "610330101001003") == "610330"


def test_doors_without_a_room_are_not_the_same_for_being_blank():
    cell = "610330100008003"

    assert door(HOME, cell, ("河滨小区", "3号楼", "", "302")) == door(
        OTHER_HOME, cell, ("河滨小区", "3号楼", "", "３０２")
    )
    assert door(HOME, cell, ("河滨小区", "", "", "")) != door(OTHER_HOME, cell, ("河滨小区", "", "", ""))
