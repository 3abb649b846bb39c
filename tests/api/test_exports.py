"""Lists as files over HTTP: what they hold, what they must not, and how a cut one is known."""

import csv
import io
import json
import os
import tempfile
from pathlib import Path

import httpx
import openpyxl
import pytest

from backend.auth.directory import CHANNEL
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.exports import service as exporting
from backend.exports.service import Asked, Export
from backend.exports.shapes import outward
from backend.exports.sources import SOURCES, What
from backend.exports.words import cell, columns
from backend.exports.writers import Form
from backend.grid.geo import from_wgs84
from shared.types import Crs
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, plot_of, visit_to

PHONE = "12600002706"
ID_NUMBER = "610388195403082713"
EVIL = "=cmd|'/C calc'!A0"


@pytest.fixture
async def home(make):
    home = await make.household(CELL)
    await make.resident(home, name="何长顺", sex="1", phone=PHONE, id_number=ID_NUMBER, note=EVIL, care=["medication"])
    return home


async def get(person, name: str, **asked: str) -> httpx.Response:
    answer: httpx.Response = await person.client.get(f"/api/v1/exports/{name}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer


def sheet(answer: httpx.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_a_csv_has_chinese_headers_words_for_codes_and_says_at_its_end_how_many_rows_it_has(make, home):
    answer = await get(await make.worker(), "residents.csv", area_code=CELL)

    header, row, last = sheet(answer)
    person = dict(zip(header, row, strict=True))
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert person["姓名"] == "何长顺"
    assert "男" in person["性别（GB/T 2261.1）"]
    assert person["关爱标签"] == "常服药"
    assert person["身份号码已登记、已核对"] == "是"
    assert last == ["共 1 条，到此为止"]
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="residents-{CELL}-')


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(start):
    assert cell("note", f"{start}cmd|'/C calc'!A0") == f"'{start}cmd|'/C calc'!A0"


def test_a_negative_number_stays_a_number():
    assert cell("lon", -106.5) == -106.5


async def test_a_formula_in_a_note_leaves_neither_as_csv_nor_as_workbook(make, home):
    worker = await make.worker()

    rows = sheet(await get(worker, "residents.csv"))
    book = openpyxl.load_workbook(io.BytesIO((await get(worker, "residents.xlsx")).content))
    cells = [one for row in book["居民"].iter_rows() for one in row]

    assert "'" + EVIL in rows[1]
    assert "'" + EVIL in [one.value for one in cells]
    assert "f" not in {one.data_type for one in cells}


async def test_a_workbook_has_the_rows_of_the_csv_and_a_sheet_that_says_what_it_is(make, home):
    worker = await make.worker()

    book = openpyxl.load_workbook(io.BytesIO((await get(worker, "households.xlsx", area_code=CELL)).content))
    header, row, _last = sheet(await get(worker, "households.csv", area_code=CELL))

    in_book = [["" if one is None else str(one) for one in line] for line in book["户"].iter_rows(values_only=True)]
    notes = dict(book["说明"].iter_rows(values_only=True))
    assert in_book == [header, row]
    assert notes["条数"] == 1
    assert notes["区域"] == CELL


async def test_a_sheet_of_cells_has_the_codes_of_their_units_as_text(make):
    school = {"name": "凤县中学网格", "kind": "special", "geometry": plot_of(CELL), "unit_code": "124403004557500003"}
    made = await (await make.worker(COMMUNITY)).client.put(f"/api/v1/cells/{CELL}", json=school)

    book = openpyxl.load_workbook(io.BytesIO((await get(await make.admin(), "cells.xlsx")).content))

    header, row = book["网格"].iter_rows(values_only=True)
    assert made.status_code == 201
    assert dict(zip(header, row, strict=True))["专属网格里单位的统一社会信用代码（GB 32100）"] == school["unit_code"]


async def test_a_full_sheet_goes_on_in_another_one(make, monkeypatch):
    monkeypatch.setattr("backend.exports.writers.SHEET_ROWS", 1)
    for code in (CELL, NEIGHBOUR):
        await make.cell(code)

    book = openpyxl.load_workbook(io.BytesIO((await get(await make.admin(), "cells.xlsx")).content))

    assert book.sheetnames == ["网格", "网格 2", "说明"]
    assert [len(list(book[name].rows)) for name in book.sheetnames[:2]] == [2, 2]


@pytest.mark.parametrize("what", list(What))
async def test_every_list_leaves_in_every_form(make, home, what):
    await make.request(home)
    await make.volunteer()
    admin = await make.admin()
    fix = {"lon": home.lon, "lat": home.lat, "accuracy_m": 8}
    await admin.client.put(f"/api/v1/visits/{home.id}", json=visit_to(home.id, findings=["fine"], fix=fix))

    lines = [json.loads(line) for line in (await get(admin, f"{what}.ndjson")).text.splitlines()]
    collection = json.loads((await get(admin, f"{what}.geojson")).content)
    rows = sheet(await get(admin, f"{what}.csv"))
    book = openpyxl.load_workbook(io.BytesIO((await get(admin, f"{what}.xlsx")).content))

    assert lines[-1] == {"end": True, "count": 1}
    assert collection["complete"] is True
    assert [len(lines), len(collection["features"]), len(rows), len(list(book.worksheets[0].rows))] == [2, 1, 3, 2]
    assert collection["features"][0]["geometry"] is not None
    assert "crs" not in collection


@pytest.mark.parametrize("what", list(What))
def test_headers_are_chinese_and_no_two_alike_and_nothing_sealed_is_among_the_columns(what):
    headers = columns(SOURCES[what].model)

    assert len(set(headers.values())) == len(headers)
    assert all(any("一" <= letter <= "鿿" for letter in header) for header in headers.values())
    assert not {name for name in headers if "seal" in name or "number" in name} - {"number"}


async def test_an_identity_number_never_leaves(make, home):
    admin = await make.admin()

    for form in ("csv", "geojson", "ndjson"):
        assert ID_NUMBER not in (await get(admin, f"residents.{form}")).text


async def test_partners_and_auditors_get_masked_phones(make, home):
    worker, partner, auditor = await make.worker(), await make.partner(), await make.auditor()

    seen = [(await get(person, "residents.csv")).text for person in (worker, partner, auditor)]

    assert [PHONE in text for text in seen] == [True, False, False]
    assert [("126****2706" in text) for text in seen] == [False, True, True]


async def test_only_the_rows_of_the_grants_and_of_the_area_leave(make, home):
    await make.household(NEIGHBOUR)
    worker, leader = await make.worker(CELL), await make.worker(COMMUNITY)

    own = await get(worker, "households.ndjson")
    both = await get(leader, "households.ndjson")
    narrowed = await get(leader, "households.ndjson", area_code=CELL)

    assert [json.loads(one.text.splitlines()[-1])["count"] for one in (own, both, narrowed)] == [1, 2, 1]


async def refused(person, name: str, **asked: str) -> tuple[int, str]:
    answer = await person.client.get(f"/api/v1/exports/{name}", params=asked)
    return answer.status_code, answer.json()["code"]


async def test_refusals_come_before_the_first_byte(make, home):
    worker, partner, volunteer = await make.worker(), await make.partner(), await make.volunteer()

    assert await refused(volunteer, "residents.csv") == (403, "role_not_allowed")
    assert await refused(worker, "volunteers.csv") == (403, "role_not_allowed")
    assert await refused(partner, "volunteers.csv") == (403, "role_not_allowed")
    assert await refused(worker, "residents.csv", area_code=OTHER_COMMUNITY) == (403, "area_not_allowed")
    assert await refused(worker, "residents.csv", crs="gcj02") == (422, "malformed")
    assert await refused(worker, "accounts.csv") == (422, "malformed")
    assert await refused(worker, "residents.exe") == (422, "malformed")


@pytest.mark.parametrize(("crs", "name"), [(Crs.gcj02, "GCJ-02"), (Crs.bd09, "BD-09")])
async def test_another_coordinate_system_is_given_when_asked_for_and_named_in_the_file(make, home, crs, name):
    worker = await make.worker()

    answer = await get(worker, "households.geojson", crs=crs)
    usual = await get(worker, "households.geojson")

    moved, stored = (json.loads(one.content) for one in (answer, usual))
    there = from_wgs84(home.lon, home.lat, crs)
    assert moved["features"][0]["geometry"]["coordinates"] == pytest.approx(there, abs=1e-7)
    assert stored["features"][0]["geometry"]["coordinates"] == pytest.approx([home.lon, home.lat], abs=1e-7)
    assert moved["features"][0]["properties"]["coordinate_system"] == moved["coordinate_system"] == name
    assert stored["coordinate_system"] == "WGS-84"
    assert "lon" not in moved["features"][0]["properties"]
    assert crs in answer.headers["content-disposition"]
    assert crs not in usual.headers["content-disposition"]


def test_outer_rings_turn_left_and_holes_right():
    clockwise = [[106.52, 33.91], [106.52, 33.92], [106.53, 33.92], [106.53, 33.91], [106.52, 33.91]]
    hole = [[106.522, 33.912], [106.524, 33.912], [106.524, 33.914], [106.522, 33.914], [106.522, 33.912]]

    once = outward({"type": "Polygon", "coordinates": [clockwise, hole]}, None)
    several = outward({"type": "MultiPolygon", "coordinates": [[clockwise], [clockwise[::-1]]]}, None)

    assert once == {"type": "Polygon", "coordinates": [clockwise[::-1], hole[::-1]]}
    assert several == {"type": "MultiPolygon", "coordinates": [[clockwise[::-1]], [clockwise[::-1]]]}


async def notes(make) -> list[tuple]:
    async def work(tx):
        rows = await tx.conn.fetch(
            "SELECT action, area_code, account_id, detail FROM audit WHERE entity_kind = 'export'"
            " ORDER BY at, action DESC"
        )
        return [(row["action"], row["area_code"], row["account_id"], json.loads(row["detail"])) for row in rows]

    return await make.run(work)


async def test_who_exported_what_from_where_and_how_much_is_on_record(make, home):
    worker = await make.worker()

    await get(worker, "residents.csv", area_code=COMMUNITY)

    begun, ended = await notes(make)
    assert begun[:3] == ("export.started", CELL, worker.account_id)
    assert ended[:3] == ("export.finished", CELL, worker.account_id)
    assert ended[3] == {"what": "residents", "form": "csv", "crs": "wgs84", "area": COMMUNITY, "count": 1}


async def leaving(make, what: What, form: Form, person=None, database: Database | None = None) -> Export:
    """An export before its first byte, as the route makes it."""
    directory = make.app.state.directory
    caller = await directory.caller(COUNTY, (person or await make.admin()).account_id)
    return Export(database or make.database, directory, caller, Asked(what, form, None))


async def test_an_export_that_is_broken_off_is_on_record_without_an_end(make, home, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 1)
    await make.household(CELL)
    pieces = await (await leaving(make, What.households, Form.ndjson)).begin()

    sent = [await anext(pieces), await anext(pieces)]
    await pieces.aclose()

    assert b'"end"' not in b"".join(sent)
    assert [step for step, *_ in await notes(make)] == ["export.started"]


async def test_who_loses_a_grant_in_the_middle_gets_no_more(make, home, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 1)
    await make.household(CELL)
    worker = await make.worker()
    pieces = await (await leaving(make, What.households, Form.ndjson, worker)).begin()
    await anext(pieces)
    await anext(pieces)

    async def end_grants(tx):
        await tx.conn.execute("DELETE FROM role_grant WHERE account_id = $1", worker.account_id)
        tx.notify(CHANNEL)

    await make.run(end_grants)

    with pytest.raises(Refusal, match="session_ended"):
        await anext(pieces)


async def test_readers_that_are_slow_hold_no_connection(make, home, database_url, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 1)
    await make.household(CELL)
    narrow = await Database.connect(database_url, size=2, deadline_s=2)
    try:
        slow = [await (await leaving(make, What.households, Form.csv, database=narrow)).begin() for _ in range(5)]
        for pieces in slow:
            await anext(pieces)
            await anext(pieces)
        idle = narrow.pool.get_idle_size()
        rest = [b"".join([piece async for piece in pieces]) for pieces in slow]
    finally:
        await narrow.close()

    assert idle == 2
    assert all(text.decode().endswith("共 2 条，到此为止\r\n") for text in rest)


async def test_many_chunks_make_one_file_without_doubles(make, home, monkeypatch):
    monkeypatch.setattr(exporting, "CHUNK", 2)
    for _ in range(4):
        await make.household(CELL)
    admin = await make.admin()

    lines = [json.loads(line) for line in (await get(admin, "households.ndjson")).text.splitlines()]
    collection = json.loads((await get(admin, "households.geojson")).content)

    assert lines[-1]["count"] == 5
    assert len({line["id"] for line in lines[:-1]}) == 5
    assert collection["count"] == len(collection["features"]) == 5


async def test_a_workbook_that_is_broken_off_leaves_no_file_behind(make, home, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(exporting, "CHUNK", 1)
    await make.household(CELL)
    pieces = await (await leaving(make, What.households, Form.xlsx)).begin()
    await anext(pieces)
    await anext(pieces)
    written = os.listdir(tmp_path)
    await pieces.aclose()

    assert written
    assert os.listdir(tmp_path) == []
