"""Code lists and numbers with a check character: pure, the same on a phone."""

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.residents import rules
from shared import code_entries, identifiers
from shared.auth import Role
from shared.codes import ListName, by_name, code_list, code_lists, lookup, modern_marital, read, within
from shared.residents import RELATION_WORDS, Relation, Sex
from shared.sealed import FindingKind, SealedKind

TODAY = date(2026, 11, 22)
NUMBER = "610330200001010011"
OLD_NUMBER = "610330540308271"
CREDIT_CODE = "91350100M000100Y43"
CELL = "610330100008003"


def test_every_list_says_its_standard_edition_and_since_when():
    assert [(each.standard, each.edition, len(each.entries)) for each in code_lists()] == [
        ("GB/T 2261.1", 2003, 4), ("GB/T 2261.2", 2003, 8), ("GB/T 2261.3", 2003, 27), ("GB/T 2261.4", 2003, 13),
        ("GB/T 3304", 1991, 56), ("GB/T 4658", 2006, 40), ("GB/T 4761", 2008, 84), ("GB/T 4761", 2008, 9),
        ("GB/T 4762", 1984, 13), ("GB/T 6565", 2015, 8),
    ]  # fmt: skip
    assert all(each.valid_from.year >= each.edition for each in code_lists())


@pytest.mark.parametrize("name", list(ListName))
def test_codes_are_unique_and_stand_under_a_code_of_their_own_list(name):
    codes = [entry.code for entry in code_list(name).entries]

    assert len(codes) == len(set(codes))
    assert {entry.parent for entry in code_list(name).entries} - {None} <= set(codes)


@pytest.mark.parametrize("name", list(ListName))
def test_every_name_and_every_other_spelling_leads_to_a_code(name):
    names = [entry.name for entry in code_list(name).entries]
    spelt = [line.rsplit(" ", 1) for line in code_entries.SPELLINGS[name].split("|") if line]

    assert all(by_name(name, words, TODAY) for words in names)
    assert [(words, by_name(name, words, TODAY).code) for words, _ in spelt] == [(w, code) for w, code in spelt]


def test_a_code_counts_from_the_day_its_edition_is_in_use():
    assert lookup(ListName.relation, "22", date(2008, 12, 31)) is None
    assert lookup(ListName.relation, "22", date(2009, 1, 1)).name == "长子"
    assert lookup(ListName.relation, "03", TODAY) is None
    assert lookup(ListName.ethnicity, "97", TODAY) is None


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        (ListName.ethnicity, "汉", "01"), (ListName.ethnicity, "汉族", "01"), (ListName.ethnicity, "1", "01"),
        (ListName.sex, " 男 ", "1"), (ListName.sex, "２", "2"), (ListName.relation, "户主", "02"),
        (ListName.relation, "2", "02"), (ListName.relation, "老伴", None), (ListName.relation, "妻子", "12"),
        (ListName.marital, "2", "20"), (ListName.marital, "离异", "40"), (ListName.marital, "10.0", "10"),
        (ListName.education, "大专", "30"), (ListName.political, "党员", "01"), (ListName.political, "13", "13"),
        (ListName.employment, "退(离)休人员", "80"), (ListName.health, "2", "2"), (ListName.sex, "", None),
    ],
)  # fmt: skip
def test_a_cell_of_a_spreadsheet_is_read_as_code_or_words(name, text, code):
    found = read(name, text, TODAY)

    assert (found.code if found else None) == code


def test_old_marital_codes_become_todays_and_others_stay():
    assert [modern_marital(code) for code in "12349"] == ["10", "20", "30", "40", "90"]
    assert [modern_marital(code) for code in ("21", "5", "")] == ["21", "5", ""]


def test_a_relation_stands_under_its_group_and_nothing_else():
    assert within(ListName.relation, "22", "20")
    assert within(ListName.relation, "94", "80")
    assert not within(ListName.relation, "22", "30")
    assert not within(ListName.ethnicity, "11", "10")


def test_every_relation_of_the_standard_is_known_by_its_name():
    assert {relation.value for relation in Relation} == {entry.code for entry in code_list(ListName.relation).entries}
    assert RELATION_WORDS[Relation("38")] == "儿媳"
    assert RELATION_WORDS[Relation.son] == "儿子"


def test_the_phone_has_the_lists_without_the_server():
    loaded = "import sys, shared.codes, shared.identifiers; print([m for m in sys.modules if m.startswith('backend')])"

    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"


def test_an_old_number_gets_its_century_and_its_check_character():
    full = identifiers.full_id_number(OLD_NUMBER)

    assert full is not None
    assert full[:17] == "61033019540308271"
    assert identifiers.is_id_number(full)
    assert (identifiers.birth_in(full), identifiers.sex_in(full)) == (date(1954, 3, 8), "1")


@pytest.mark.parametrize("given", ["610330541308271", "61033054030827", "61033054030827X", NUMBER[:-1] + "2", ""])
def test_what_cannot_be_a_number_is_none(given):
    assert identifiers.full_id_number(given) is None


def test_a_region_that_no_list_has_is_no_reason_to_refuse():
    assert identifiers.full_id_number("999999540308271") is not None


def test_the_known_credit_code_is_good_and_any_other_symbol_in_it_is_not():
    assert identifiers.is_credit_code(CREDIT_CODE)
    assert not identifiers.is_credit_code(CREDIT_CODE.lower())
    assert not identifiers.is_credit_code(CREDIT_CODE.replace("M", "I"))
    assert not identifiers.is_credit_code(CREDIT_CODE[:17])


@pytest.mark.parametrize("code", ["12100000400000624D", "12440300455752807L", "12100000400011227Y"])
def test_codes_of_public_bodies_are_good(code):
    # 清华大学 and its graduate school in Shenzhen (headings for bills), 北京航空航天大学 (a list of universities).
    assert identifiers.is_credit_code(code)


def test_a_credit_code_is_stored_in_one_way_however_it_was_typed():
    wide = "９１３５０１００Ｍ０００１００Ｙ４３"

    for typed in (CREDIT_CODE.lower(), f" {CREDIT_CODE}\t", wide, wide.lower(), "91350100 M000100Y4 3"):
        assert identifiers.full_credit_code(typed) == CREDIT_CODE


@pytest.mark.parametrize(
    "typed",
    ["", "0" * 18, CREDIT_CODE[:-1] + "4", CREDIT_CODE + "3", "M000100Y4", "凤县中学", "91350100M0001OOY43",
     "٩١٣٥٠١٠٠M000100Y43", "XXXXXXXXXXXXXXXXXX"],
)  # fmt: skip
def test_what_cannot_be_a_credit_code_is_none(typed):
    assert identifiers.full_credit_code(typed) is None


@given(st.integers(0, 17), st.integers(1, 30))
def test_one_wrong_symbol_of_a_credit_code_is_always_found(at, further):
    symbols = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    wrong = symbols[(symbols.index(CREDIT_CODE[at]) + further) % 31]

    assert not identifiers.is_credit_code(CREDIT_CODE[:at] + wrong + CREDIT_CODE[at + 1 :])


@pytest.mark.parametrize(
    ("number", "sex", "born", "found"),
    [
        (NUMBER, Sex.male, date(2000, 1, 1), []),
        (NUMBER, Sex.unknown, None, []),
        (NUMBER, Sex.female, date(2000, 1, 1), [FindingKind.sex_differs]),
        (NUMBER, Sex.female, date(2000, 1, 2), [FindingKind.sex_differs, FindingKind.birth_differs]),
        (OLD_NUMBER, Sex.male, date(1954, 3, 8), [FindingKind.old_number]),
    ],
)
def test_what_a_number_contradicts_is_found(number, sex, born, found):
    assert rules.disagreements(number, sex, born) == found


@pytest.mark.parametrize(
    ("born", "minor"),
    [(date(2008, 11, 23), True), (date(2008, 11, 22), False), (date(1954, 3, 8), False), (None, False)],
)
def test_somebody_is_a_minor_until_the_eighteenth_birthday(born, minor):
    assert rules.is_minor(born, TODAY) is minor


def test_who_coordinates_a_place_is_no_grid_worker():
    assert rules.coordinates([(Role.community_worker, CELL[:12])], CELL)
    assert rules.coordinates([(Role.county_admin, CELL[:6])], CELL)
    assert not rules.coordinates([(Role.grid_worker, CELL)], CELL)
    assert not rules.coordinates([(Role.community_worker, "610330100001"), (Role.grid_worker, CELL)], CELL)


@pytest.mark.parametrize(
    ("kind", "code", "known"),
    [
        (SealedKind.disability, "64", True), (SealedKind.disability, "31", False), (SealedKind.disability, "68", False),
        (SealedKind.disability, "6", False), (SealedKind.health, "31", True), (SealedKind.health, "77", False),
        (SealedKind.poverty, "2", True), (SealedKind.poverty, "9", False),
    ],
)  # fmt: skip
def test_a_sealed_fact_has_a_code_of_its_kind(kind, code, known):
    assert rules.is_sealed_code(kind, code, TODAY) is known
