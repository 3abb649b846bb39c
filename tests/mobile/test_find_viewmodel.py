"""找人 without a window: what may be typed, and that the index follows the store."""

from pathlib import Path

import pypinyin
import pytest
from pypinyin.constants import PINYIN_DICT

from deploy.android.stage import ROOT, sources
from deploy.readings import TABLE, table
from mobile.residents.directory import Directory
from mobile.residents.finder import Finder
from mobile.residents.spelling import name_keys, readings
from shared.residents import Care, Relation
from tests.mobile.phone_parts import MONDAY, Desk, change, household, page, resident

HE = household(last_seen_on=MONDAY, care=[Care.alone])
SHAN = household(head_name="单玉兰", compound="新建路18号院", building="5号楼", unit="1单元", room="101", size=1)
PEOPLE = [
    resident(HE, care=[Care.alone]),
    resident(HE, name="田秀珍", relation=Relation.spouse, phone="12800003381"),
    resident(SHAN, phone=None),
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    desk.holds(HE, SHAN, *PEOPLE)
    return desk


def finder(desk: Desk, *, doors_only: bool = False) -> Finder:
    return Finder(desk.store, Directory(desk.store.entities), desk.now, doors_only=doors_only)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("何", ["何长顺"]),
        ("长顺", ["何长顺"]),
        ("hechang", ["何长顺"]),
        ("hcs", ["何长顺"]),
        ("CS", ["何长顺"]),
        ("shan", ["单玉兰"]),
        ("syl", ["单玉兰"]),
        ("3381", ["田秀珍"]),
        ("何 302", ["何长顺"]),
        ("何 101", []),
        ("3-2-302", ["何长顺一家"]),
        ("3号楼2单元302", ["何长顺一家"]),
        ("2单元302", ["何长顺一家"]),
        ("xjl18", ["单玉兰一家"]),
        ("新建路", ["单玉兰一家"]),
        ("ang", []),
        ("   ", []),
    ],
)
def test_whatever_is_typed_finds_its_people_and_nobody_else(desk: Desk, typed: str, found: list[str]) -> None:
    find = finder(desk)

    find.words = typed

    assert [row.title for row in find.found] == found
    assert find.nothing == (not found and bool(typed.strip()))


def test_a_row_says_door_care_and_days_since_seen(desk: Desk) -> None:
    find = finder(desk)

    find.words = "hcs"

    [row] = find.found
    assert (row.about, row.door, row.seen_text) == ("72 岁", "杨家坪小区 3号楼2单元 302", "今天见过本人")
    assert [tag.word for tag in row.care] == ["独居"]


def test_a_surname_is_found_under_each_of_its_readings() -> None:
    keys = name_keys("单玉兰")

    assert all(f"\n{reading}yulan" in keys for reading in ("dan", "shan", "chan"))


def test_every_character_reads_on_the_phone_as_on_the_server() -> None:
    chars = [*map(chr, PINYIN_DICT), "a", "7", "é", "カ"]
    found = (pypinyin.pinyin(char, style=pypinyin.Style.NORMAL, heteronym=True, errors="ignore") for char in chars)
    expected = {char: tuple(one[0]) if one else (char,) for char, one in zip(chars, found, strict=True)}

    assert {char: readings(char) for char in chars} == expected
    assert TABLE.read_text(encoding="utf-8") == table()
    assert TABLE.relative_to(ROOT) in sources()


def test_looking_for_a_household_shows_each_only_once(desk: Desk) -> None:
    find = finder(desk, doors_only=True)

    find.words = "126"
    short = find.found
    find.words = "0000"

    assert short == [], "three digits are a door, not yet a number"
    assert [row.title for row in find.found] == ["何长顺一家"]


def test_the_index_follows_what_a_pull_brings_and_takes_away(desk: Desk) -> None:
    find = finder(desk)
    find.words = "田"
    before = [row.title for row in find.found]

    desk.store.take_page(page(PEOPLE[1].model_copy(update={"name": "田秀真"}), change(PEOPLE[0], gone=True)), [])
    find.refresh()
    after = [row.title for row in find.found]
    find.words = "hcs"

    assert (before, after) == (["田秀珍"], ["田秀真"])
    assert find.found == []


def test_a_search_that_was_left_takes_no_time_of_a_sync_and_is_right_when_seen_again(desk: Desk) -> None:
    find = finder(desk)
    find.words = "田"
    find.in_sight = False
    desk.store.take_page(page(PEOPLE[1].model_copy(update={"name": "田秀真"})), [])

    find.follow()
    left = [row.title for row in find.found]
    find.in_sight = True
    find.follow()

    assert (left, [row.title for row in find.found]) == (["田秀珍"], ["田秀真"])


def test_only_what_changed_is_read_anew(desk: Desk) -> None:
    """The control of the index's speed: a refresh keeps the rows that nobody has touched."""
    directory = Directory(desk.store.entities)
    directory.refresh()
    before = directory.find("hcs")[0].resident

    desk.store.take_page(page(PEOPLE[1].model_copy(update={"name": "田秀真"})), [])
    directory.refresh()

    assert directory.find("hcs")[0].resident is before
    assert directory.find("田秀真")
