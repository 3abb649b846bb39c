"""Reading sheets: encodings, headers of every kind, formulas, and what is refused before it is opened."""

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from backend.imports import columns, rejects, sheets, workbook
from backend.imports.refusing import Unreadable
from shared.imports import Column

PLAIN = "姓名,身份证号,性别\n何长顺,610399195403080019,男\n王小华,,女\n"


def read(folder: Path, content: bytes) -> tuple[sheets.Reading, list[list[str]]]:
    """Read an upload; return what it turned out to be, and its rows with their numbers."""
    upload = folder / "upload"
    upload.write_bytes(content)
    reading = sheets.read(upload, folder / "slices")
    found: list[list[str]] = []
    for file in sorted((folder / "slices").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            found += list(csv.reader(lines))[1:]
    return reading, found


def book(*rows: list[Any], **sheets_: Any) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for row in rows:
        sheet.append(row)
    sheet.title = sheets_.get("title", "人口")
    for merged in sheets_.get("merged", ()):
        sheet.merge_cells(merged)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def packed(content: bytes, change: dict[str, bytes]) -> bytes:
    """Return a workbook with some members replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            if member not in change:
                new.writestr(member, old.read(member))
        for name, data in change.items():
            new.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_text_sheet_reads_the_same_in_every_usual_encoding(tmp_path, encoding):
    reading, rows = read(tmp_path, PLAIN.encode(encoding))

    assert (reading.headers, reading.total) == (["姓名", "身份证号", "性别"], 2)
    assert rows == [["2", "何长顺", "610399195403080019", "男"], ["3", "王小华", "", "女"]]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    reading, _ = read(tmp_path, PLAIN.replace(",", delimiter).encode())

    assert reading.headers == ["姓名", "身份证号", "性别"]


def test_merged_titles_above_the_header_are_passed_over_and_row_numbers_stay(tmp_path):
    rows = [
        ["河滨社区人口花名册"],
        ["填表人：张敏", None, "2026年11月"],
        ["姓名", "身份证号码", "性别"],
        ["何长顺", "", "男"],
    ]

    reading, found = read(tmp_path, book(*rows, merged=["A1:C1"]))

    assert reading.headers == ["姓名", "身份证号码", "性别"]
    assert found == [["4", "何长顺", "", "男"]]


def test_a_header_of_two_rows_is_read_as_one(tmp_path):
    rows = [
        ["姓名", "身份证号", "住址", None, None, "联系电话"],
        [None, None, "楼栋", "单元", "房号", None],
        ["何长顺", None, "3", "2", "302", "12600000001"],
    ]

    reading, found = read(tmp_path, book(*rows, merged=["C1:E1", "A1:A2"]))

    assert reading.headers == ["姓名", "身份证号", "楼栋", "单元", "房号", "联系电话"]
    assert found == [["3", "何长顺", "", "3", "2", "302", "12600000001"]]


def test_the_first_person_is_not_taken_for_a_second_header(tmp_path):
    reading, found = read(tmp_path, "姓名,性别,与户主关系\n何长顺,男,户主\n".encode())

    assert reading.headers == ["姓名", "性别", "与户主关系"]
    assert found == [["2", "何长顺", "男", "户主"]]


def test_headers_repeated_on_every_page_empty_rows_and_totals_are_no_people(tmp_path):
    content = "姓名,性别\n何长顺,男\n\n,\n姓名,性别\n王小华,女\n合计,2\n"

    _, found = read(tmp_path, content.encode())

    assert [row[1] for row in found] == ["何长顺", "王小华"]


def test_cells_of_a_workbook_become_text_as_people_see_it(tmp_path):
    row = ["何长顺", date(1954, 3, 8), datetime(2026, 11, 1, 9, 30), 12600000001, 3.0, True, 610399195403080019]
    _, found = read(tmp_path, book(["姓名", "出生日期", "备注", "电话", "楼栋", "独居", "身份证号"], row))

    assert found[0][1:] == ["何长顺", "1954-03-08", "2026-11-01T09:30:00", "12600000001", "3", "是", "6.10399E+17"]


def test_a_formula_counts_by_its_stored_result_and_one_without_is_marked(tmp_path):
    made = book(["姓名", "房号", "楼栋"], ["何长顺", "=1+1", "=2+1"])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>1+1</f><v" in xml
    stored = xml.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>").replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")

    _, found = read(tmp_path, packed(made, {"xl/worksheets/sheet1.xml": stored.encode()}))

    assert found[0][1:] == ["何长顺", "2", workbook.NO_VALUE]


def test_a_bomb_is_refused_by_what_it_declares_before_it_is_opened(tmp_path):
    bomb = packed(book(["姓名", "性别"], ["何长顺", "男"]), {"xl/worksheets/sheet2.xml": b"0" * (64 << 20)})

    with pytest.raises(Unreadable, match="几百倍"):
        read(tmp_path, bomb)
    assert not (tmp_path / "slices").exists()


def test_an_ordinary_workbook_of_repeated_rows_is_no_bomb(tmp_path):
    reading, _ = read(tmp_path, book(["姓名", "性别"], *[["何长顺", "男"]] * 3000))

    assert reading.total == 3000


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", "旧版"),
        (b"PK\x03\x04 cut off", "坏了"),
        (packed(book(["姓名", "性别"]), {"xl/extra.xml": b"<?xml version='1.0'?><!DOCTYPE x>"}), "声明"),
        ("姓名,性别\n何长顺,男\n".encode() + b"\xff\xfe\x81", "编码"),
        ('姓名,性别\n"何长顺,男\n'.encode() + b"x" * 200_000, "引号"),
        (b"1,2\n3,4\n", "表头"),
        ("姓名,性别\n".encode(), "没有内容"),
        (("姓名,性别" + ",列" * 300 + "\n何长顺,男\n").encode(), "列太多"),
    ],
    ids=["old or locked", "broken", "doctype", "encoding", "quote", "no header", "no rows", "columns"],
)
def test_what_cannot_be_read_is_refused_in_words(tmp_path, content, why):
    with pytest.raises(Unreadable, match=why):
        read(tmp_path, content)


@pytest.mark.parametrize("at", [0.2, 0.9])
def test_a_workbook_with_a_wrong_byte_inside_is_refused_in_words_and_not_left_standing(tmp_path, at):
    made = book(["姓名", "性别"], *[[f"何{row}", "男"] for row in range(500)])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
        member = archive.getinfo("xl/worksheets/sheet1.xml")
    place = int(len(xml) * at)
    torn = packed(made, {"xl/worksheets/sheet1.xml": xml[:place] + b"<<<" + xml[place:]})
    spoilt = bytearray(made)
    spoilt[member.header_offset + 100 + int(member.compress_size * at)] ^= 0xFF

    for content in (torn, bytes(spoilt)):
        with pytest.raises(Unreadable, match="坏了"):
            read(tmp_path, content)


def test_the_fullest_row_of_words_stands_for_a_header_that_nobody_knows(tmp_path):
    reading, found = read(tmp_path, "某某社区\n填表人,张敏\n名称,楼,备忘\n何长顺,3,好\n".encode())

    assert reading.headers == ["名称", "楼", "备忘"]
    assert found == [["4", "何长顺", "3", "好"]]


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "x")

    with pytest.raises(Unreadable, match="不是表格"):
        read(tmp_path, out.getvalue())


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        ("公民身份号码", Column.id_number), ("证件号码", Column.id_number), ("*姓 名（必填）", Column.name),
        ("与户主关系", Column.relation), ("手机号", Column.phone), ("楼号", Column.building), ("门牌号", Column.room),
        ("人户状态", Column.residency), ("网格编码", Column.cell), ("是否独居", Column.care_alone),
        ("低保", Column.subsistence), ("残疾", Column.disability), ("随便写的", None),
        ("身份证号码（18位）", Column.id_number), ("性别(男/女)", Column.sex), ("小区(院落)", Column.compound),
        ("出生日期(yyyy-mm-dd)", Column.birth_date), ("是否独居（是/否）", Column.care_alone),
        ("电话（监护人）", None), ("姓名（户主）", None),
    ],
)  # fmt: skip
def test_headers_are_known_by_their_usual_spellings(header, meaning):
    assert columns.meaning_of(header) is meaning


def test_of_two_columns_that_say_the_same_the_first_is_read():
    assert columns.meanings_of(["姓名", "手机", "电话"]) == [Column.name, Column.phone, None]


def test_a_reject_file_never_holds_a_formula_and_can_be_read_back(tmp_path):
    cells = ["=1+1", "+86 126", "-5", "@x", "何长顺"]

    safe = [rejects.safe(cell) for cell in cells]
    _, found = read(tmp_path, ("姓名,备注,房号,单元,电话\n" + ",".join(safe) + "\n").encode())

    assert [cell[0] for cell in safe[:4]] == ["'"] * 4
    assert found[0][1:] == cells
