"""Spreadsheets into the register: checked, stored, undone, over HTTP and on the database."""

import asyncio
import csv
import io
import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import openpyxl
import pytest
from alembic.script import ScriptDirectory

from backend.core import sealing
from backend.core.errors import Refusal
from backend.core.migrate import config, migrate
from backend.core.settings import Settings
from backend.imports import command, sheets, staging, tasks, updating
from backend.imports import run as importing
from backend.imports.command import import_file
from backend.imports.keeping import KEPT, tidy
from backend.imports.tasks import Importer
from backend.residents import history
from shared.identifiers import full_id_number
from shared.imports import Known
from tests.conftest import KEYS
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, OTHER_COMMUNITY, visit_to

HEADERS = [
    "姓名",
    "身份证号",
    "性别",
    "出生日期",
    "与户主关系",
    "联系电话",
    "小区",
    "楼栋",
    "单元",
    "房号",
    "网格编码",
    "独居",
]
URL = "/api/v1/imports"


def id_number(sequence: int, birth: str = "19540308") -> str:
    """A made-up number of an area code that was never given out."""
    return full_id_number(f"610399{birth[2:]}{sequence:03}") or ""


def person(name: str, sequence: int | None, **changes: str) -> list[str]:
    sex = "男" if (sequence or 1) % 2 else "女"
    usual = {
        "姓名": name, "身份证号": id_number(sequence) if sequence else "", "性别": sex, "出生日期": "1954-03-08",
        "与户主关系": "户主", "联系电话": f"1260000{sequence or 0:04}", "小区": "河滨小区", "楼栋": "3", "单元": "2",
        "房号": str(300 + (sequence or 0)), "网格编码": CELL, "独居": "否",
    }  # fmt: skip
    return list((usual | changes).values())


def sheet(*rows: list[str], headers: list[str] = HEADERS) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([headers, *rows])
    return file.getvalue().encode()


class Imports:
    """A coordinator's imports in a running app, whose background work is done when the test says so."""

    def __init__(self, make, folder: Path) -> None:
        self.make, self.folder = make, folder
        make.app.state.imports = folder

    async def work(self, batch: str) -> None:
        await importing.run(self.make.database, KEYS, self.folder, COUNTY, UUID(batch))

    async def send(self, who, content: bytes, area: str = COMMUNITY, name: str = "人口.csv", sheet: str = ""):
        sent = await who.client.post(
            URL, params={"area_code": area, "name": name, "sheet": sheet}, content=content,
            headers={"Content-Type": "text/csv"},
        )  # fmt: skip
        assert sent.status_code == 201, sent.text
        await self.work(sent.json()["id"])
        return (await who.client.get(f"{URL}/{sent.json()['id']}")).json()

    async def store(self, who, content: bytes, **where: str):
        """Import a sheet from the file to the register."""
        batch = await self.send(who, content, **where)
        assert (await who.client.post(f"{URL}/{batch['id']}/store")).status_code == 200
        await self.work(batch["id"])
        return (await who.client.get(f"{URL}/{batch['id']}")).json()

    async def issues(self, who, batch, **wanted: str) -> list[tuple[int, str, str]]:
        found = await who.client.get(f"{URL}/{batch['id']}/issues", params={"limit": 200, **wanted})
        return [(one["row"], one["grade"], one["column"]) for one in found.json()["items"]]

    async def count(self, table: str = "resident") -> int:
        return await self.make.run(lambda tx: tx.conn.fetchval(f"SELECT count(*) FROM {table}"))


@pytest.fixture
async def imports(make, tmp_path: Path) -> Imports:
    await make.cell()
    await make.cell(NEIGHBOUR)
    return Imports(make, tmp_path / "imports")


@pytest.fixture
async def coordinator(make):
    return await make.worker(COMMUNITY)


async def test_a_sheet_is_checked_first_and_stores_nothing(imports, coordinator):
    batch = await imports.send(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))

    assert (batch["state"], batch["total"], batch["counts"]["add"]) == ("checked", 2, 2)
    assert [column["means"] for column in batch["columns"]][:3] == ["name", "id_number", "sex"]
    assert await imports.count() == 0


async def test_a_stored_sheet_is_on_the_register_as_if_it_had_been_typed(imports, make, coordinator):
    family = [
        person("何长顺", 1, 独居="是"),
        person("李秀英", 2, 与户主关系="妻", 房号="301", 出生日期="1956年4月2日"),
    ]

    batch = await imports.store(coordinator, sheet(*family))

    found = (await coordinator.client.get("/api/v1/residents")).json()["items"]
    homes = (await coordinator.client.get("/api/v1/households", params={"q": "河滨小区"})).json()["items"]
    assert (batch["state"], batch["counts"]["add"]) == ("stored", 2)
    assert {(p["name"], p["relation"], p["birth_date"], p["id_on_file"]) for p in found} == {
        ("何长顺", "02", "1954-03-08", True), ("李秀英", "12", "1956-04-02", True)
    }  # fmt: skip
    assert [(h["head_name"], h["size"], h["care"], h["building"], h["room"]) for h in homes] == [
        ("何长顺", 2, ["alone"], "3号楼", "301")
    ]
    typed = await coordinator.client.get("/api/v1/residents", params={"q": "hcs"})
    by_phone = await coordinator.client.get("/api/v1/residents", params={"q": "0001"})
    assert [p["name"] for p in typed.json()["items"] + by_phone.json()["items"]] == ["何长顺", "何长顺"]


async def test_a_number_from_a_sheet_is_sealed_and_opens_as_it_was(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))

    row = await make.run(lambda tx: tx.conn.fetchrow("SELECT id, data_key, id_sealed, id_index FROM resident"))

    assert sealing.unseal(KEYS, row["data_key"], row["id"], "id_number", row["id_sealed"]) == id_number(1)
    assert row["id_index"] == sealing.blind_index(KEYS, COUNTY, id_number(1))


async def test_phones_pull_what_a_sheet_brought(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))

    pulled = await coordinator.client.get("/api/v1/changes")
    rows = await make.run(
        lambda tx: tx.conn.fetch("SELECT kind, seq FROM change WHERE kind IN ('resident', 'household') ORDER BY seq")
    )

    assert pulled.status_code == 200
    assert sorted(row["kind"] for row in rows) == ["household", "household", "resident", "resident"]
    assert len({row["seq"] for row in rows}) == 4


async def test_periods_begin_with_the_import_as_with_anybody_who_is_loaded(imports, make, coordinator):
    await imports.store(
        coordinator, sheet(person("何长顺", 1, 独居="是"), person("何小顺", 3, 房号="301", 与户主关系=""))
    )
    said = "SELECT resident_id, track, value, area_code, from_day, until_day, noted_at FROM period ORDER BY 1, 2"

    async def loaded_anew(tx):
        before = await tx.conn.fetch(said)
        await tx.conn.execute("DELETE FROM period")
        await history.begin(tx, list({row["resident_id"] for row in before}))
        return before, await tx.conn.fetch(said)

    before, after = await make.run(loaded_anew)

    assert [row["track"] for row in before][:4] == ["care:alone", "household", "relation", "residency"]
    assert [tuple(row)[:6] for row in before] == [tuple(row)[:6] for row in after]


async def test_the_report_says_row_by_row_what_is_wrong(imports, coordinator):
    wrong = id_number(1)[:-1] + ("0" if id_number(1)[-1] != "0" else "1")
    rows = [
        person("何长顺", 1),
        person("", 2),
        person("王小华", 3, 身份证号=wrong),
        person("李四", 4, 身份证号="6.10399E+17"),
        person("赵六", 5, 出生日期="1955-01-01"),
        person("孙七", 7, 性别="女"),
        person("周八", None, 出生日期="不知道"),
        person("吴九", 9, 网格编码="610330100008999"),
        person("郑十", 11, 联系电话="没有"),
        person("何长顺", 1, 房号="999"),
    ]

    batch = await imports.send(coordinator, sheet(*rows))

    assert await imports.issues(coordinator, batch) == [
        (3, "refused", "姓名"), (4, "refused", "身份证号"), (5, "refused", "身份证号"), (6, "warned", "出生日期"),
        (7, "warned", "性别"), (8, "refused", "出生日期"), (9, "refused", "网格编码"), (10, "warned", "联系电话"),
        (11, "refused", "身份证号"),
    ]  # fmt: skip
    counts = batch["counts"]
    assert (counts["add"], counts["refused"], counts["warned"]) == (4, 6, 3)


async def test_the_report_comes_in_pages_and_shows_no_number(imports, coordinator):
    rows = [person("何长顺", 1, 身份证号="61039919540308001" + end) for end in "01234"]
    batch = await imports.send(coordinator, sheet(*rows))

    first = (await coordinator.client.get(f"{URL}/{batch['id']}/issues", params={"limit": 2})).json()
    second = await coordinator.client.get(
        f"{URL}/{batch['id']}/issues", params={"limit": 200, "cursor": first["next_cursor"]}
    )

    seen = first["items"] + second.json()["items"]
    assert [one["row"] for one in seen] == sorted(one["row"] for one in seen)
    assert len(first["items"]) == 2
    assert "0308001" not in json.dumps(seen)


async def test_a_disagreement_with_the_number_stays_with_the_person_as_a_finding(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("孙七", 7, 性别="女"), person("何长顺", 1)))

    found = await make.run(
        lambda tx: tx.conn.fetch(
            "SELECT r.name, f.kind FROM register_finding f JOIN resident r ON r.id = f.resident_id"
        )
    )

    assert [tuple(row) for row in found] == [("孙七", "sex_differs")]


async def test_refused_rows_can_be_fetched_put_right_and_imported_without_doubling(imports, coordinator):
    good, bad = person("何长顺", 1), person("王小华", 2, 出生日期="=1+1", 身份证号="")
    batch = await imports.store(coordinator, sheet(good, bad))

    fetched = await coordinator.client.get(f"{URL}/{batch['id']}/rejects")
    lines = list(csv.reader(io.StringIO(fetched.text.removeprefix("\ufeff"))))
    corrected = fetched.text.replace("'=1+1", "1954-03-08").encode()
    again = await imports.store(coordinator, sheet(good) + corrected.split(b"\r\n", 1)[1])

    assert lines[0] == [*HEADERS, "原因"]
    assert (lines[1][0], lines[1][3]) == ("王小华", "'=1+1")
    assert "出生日期" in lines[1][-1]
    assert (again["counts"]["add"], again["counts"]["same"]) == (1, 1)
    assert await imports.count() == 2


async def test_without_numbers_people_are_known_by_name_birth_date_and_door(imports, coordinator):
    rows = [person("何长顺", None), person("王小华", None, 与户主关系="妻")]
    await imports.store(coordinator, sheet(*rows))

    again = await imports.store(coordinator, sheet(*rows, person("何小顺", None, 与户主关系="长子")))

    assert (again["counts"]["add"], again["counts"]["same"]) == (1, 2)
    assert (await imports.count("household"), await imports.count()) == (1, 3)
    homes = (await coordinator.client.get("/api/v1/households")).json()["items"]
    assert [(home["size"], home["head_name"]) for home in homes] == [(3, "何长顺")]


async def test_somebody_who_is_known_otherwise_is_left_alone_and_listed(imports, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))

    again = await imports.store(coordinator, sheet(person("何长顺", 1, 联系电话="12600009999")))
    listed = await coordinator.client.get(f"{URL}/{again['id']}/issues", params={"grade": "differs"})

    assert (again["counts"]["add"], again["counts"]["differs"]) == (0, 1)
    assert "电话" in listed.json()["items"][0]["words"]
    assert (await coordinator.client.get("/api/v1/residents")).json()["items"][0]["phone"] == "12600000001"


async def test_a_row_of_another_community_is_refused_and_the_others_go_in(imports, make, coordinator):
    elsewhere = OTHER_COMMUNITY + "001"
    await make.cell(elsewhere)

    batch = await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2, 网格编码=elsewhere)))

    assert (batch["counts"]["add"], batch["counts"]["refused"]) == (1, 1)
    assert await imports.issues(coordinator, batch, grade="refused") == [(3, "refused", "网格编码")]


async def test_somebody_registered_in_another_community_is_refused_in_words(imports, make, coordinator):
    admin, elsewhere = await make.admin(), OTHER_COMMUNITY + "001"
    await make.cell(elsewhere)
    await imports.store(admin, sheet(person("何长顺", 1, 网格编码=elsewhere)), area=OTHER_COMMUNITY)

    batch = await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))

    assert (batch["counts"]["add"], batch["counts"]["refused"]) == (1, 1)
    assert await imports.count() == 2


async def test_a_row_without_a_cell_goes_where_its_place_or_building_is_and_else_where_the_sheet_goes(
    imports, make, coordinator
):
    await make.household(NEIGHBOUR, compound="东关院", building="1号楼", unit="", room="101")
    rows = [
        [*person("何长顺", 1, 网格编码=""), "106.527", "33.991"],
        [*person("王小华", 2, 网格编码="", 小区="东关院", 楼栋="1", 房号="505"), "", ""],
        [*person("李秀英", 3, 网格编码=""), "", ""],
    ]

    batch = await imports.store(coordinator, sheet(*rows, headers=[*HEADERS, "经度", "纬度"]))

    people = (await coordinator.client.get("/api/v1/residents")).json()["items"]
    assert {p["name"]: p["area_code"] for p in people} == {
        "何长顺": CELL, "王小华": NEIGHBOUR, "李秀英": COMMUNITY
    }  # fmt: skip
    assert await imports.issues(coordinator, batch) == [(4, "warned", "网格编码")]


async def test_a_corrected_mapping_is_used_and_remembered_for_the_next_sheet(imports, coordinator):
    strange = ["称呼", "姓名", "编号一", *HEADERS[2:]]
    rows = [["何长顺", "不是", id_number(1), *person("何长顺", 1)[2:]]]
    batch = await imports.send(coordinator, sheet(*rows, headers=strange))
    means = ["name", None, "id_number", *[column["means"] for column in batch["columns"]][3:]]

    answer = await coordinator.client.put(f"{URL}/{batch['id']}/columns", json={"columns": means})
    await imports.work(batch["id"])
    after = await imports.send(coordinator, sheet(*rows, headers=strange))

    assert batch["columns"][1]["means"] == "name"
    assert answer.json()["state"] == "received"
    assert [column["means"] for column in after["columns"]][:3] == ["name", None, "id_number"]


async def test_a_batch_is_undone_as_a_whole(imports, make, coordinator):
    at_home = await make.resident(await make.household(room="301"), name="何老三")
    before = [await imports.count(table) for table in ("resident", "household", "dwelling", "search_key", "period")]
    batch = await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))

    answer = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await imports.work(batch["id"])
    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()

    assert answer.status_code == 200
    assert (after["state"], after["counts"]["undone"], after["counts"]["kept"]) == ("undone", 2, 0)
    tables = ("resident", "household", "dwelling", "search_key", "period")
    assert [await imports.count(table) for table in tables] == before
    home = (await coordinator.client.get(f"/api/v1/households/{at_home.household_id}")).json()
    assert (home["size"], home["head_name"]) == (1, "何老三")
    gone = await make.run(lambda tx: tx.conn.fetchval("SELECT count(*) FROM change WHERE gone"))
    assert gone == 3


async def test_who_was_changed_since_is_named_and_stays_when_the_rest_is_undone(imports, coordinator):
    batch = await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))
    people = (await coordinator.client.get("/api/v1/residents", params={"q": "何长顺"})).json()["items"]
    changed = await coordinator.client.patch(
        f"/api/v1/residents/{people[0]['id']}", json={"phone": "12600008888"}, headers={"If-Match": '"1"'}
    )

    refused = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    rest = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={"rest": True})
    await imports.work(batch["id"])

    assert changed.status_code == 200
    assert (refused.status_code, refused.json()["code"]) == (409, "import_changed_since")
    assert "第 2 行 何长顺" in refused.json()["detail"]
    assert rest.status_code == 200
    left = (await coordinator.client.get("/api/v1/residents")).json()["items"]
    assert [person["name"] for person in left] == ["何长顺"]


async def test_somebody_who_was_visited_since_stays(imports, make, coordinator):
    batch = await imports.store(coordinator, sheet(person("何长顺", 1)))
    home = (await coordinator.client.get("/api/v1/households")).json()["items"][0]
    visited = await coordinator.client.put(f"/api/v1/visits/{UUID(int=7)}", json=visit_to(home["id"]))

    refused = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})

    assert visited.status_code in (200, 201)
    assert refused.status_code == 409


async def test_a_server_that_ends_in_the_middle_goes_on_where_it_was(imports, coordinator, monkeypatch):
    monkeypatch.setattr(sheets, "SLICE_ROWS", 2)
    rows = [person(f"何长{at}", at, 与户主关系="户主" if at % 2 else "妻", 房号=str(at // 3)) for at in range(1, 8)]
    batch = await imports.send(coordinator, sheet(*rows))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")
    told, tell = [], staging.tell

    async def fails_at_the_third(tx):
        told.append(1)
        if len(told) == 3:
            raise ConnectionError("the server is gone")
        await tell(tx)

    monkeypatch.setattr(staging, "tell", fails_at_the_third)
    with pytest.raises(ConnectionError):
        await imports.work(batch["id"])
    halfway = await imports.count()
    monkeypatch.setattr(staging, "tell", tell)
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    homes = (await coordinator.client.get("/api/v1/households")).json()["items"]
    assert halfway == 4
    assert (after["state"], after["counts"]["add"], await imports.count()) == ("stored", 7, 7)
    assert sorted(home["size"] for home in homes) == [2, 2, 3]


async def test_two_workers_at_one_batch_store_it_once(imports, coordinator, monkeypatch):
    monkeypatch.setattr(sheets, "SLICE_ROWS", 2)
    batch = await imports.send(coordinator, sheet(*[person(f"何长{at}", at) for at in range(1, 8)]))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")

    await asyncio.gather(imports.work(batch["id"]), imports.work(batch["id"]), return_exceptions=True)
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    assert (after["state"], await imports.count()) == ("stored", 7)


async def test_a_cancelled_batch_stops_after_its_slice_and_can_be_undone(imports, coordinator, monkeypatch):
    monkeypatch.setattr(sheets, "SLICE_ROWS", 2)
    batch = await imports.send(coordinator, sheet(*[person(f"何长{at}", at) for at in range(1, 8)]))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")
    tell = staging.tell

    async def cancelled_meanwhile(tx):
        await tell(tx)
        await tx.conn.execute("UPDATE import_batch SET stopping = true")

    monkeypatch.setattr(staging, "tell", cancelled_meanwhile)
    await imports.work(batch["id"])
    stopped = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    stored = await imports.count()
    monkeypatch.setattr(staging, "tell", tell)
    undone = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await imports.work(batch["id"])

    assert (stopped["state"], stored) == ("cancelled", 2)
    assert undone.status_code == 200
    assert await imports.count() == 0


async def test_a_batch_can_be_cancelled_while_a_slice_is_being_stored(imports, coordinator, monkeypatch):
    batch = await imports.send(coordinator, sheet(person("何长顺", 1)))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")
    store, answers = staging.store, []

    async def cancelled_meanwhile(tx, batch_id):
        answers.append(await coordinator.client.post(f"{URL}/{batch['id']}/cancel"))
        return await store(tx, batch_id)

    monkeypatch.setattr(staging, "store", cancelled_meanwhile)
    await imports.work(batch["id"])

    assert [answer.status_code for answer in answers] == [200]


async def test_progress_comes_as_server_sent_events_until_the_end(imports, coordinator):
    batch = await imports.send(coordinator, sheet(person("何长顺", 1)))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")

    stream = asyncio.create_task(coordinator.client.get(f"{URL}/{batch['id']}/events"))
    await imports.work(batch["id"])
    answer = await asyncio.wait_for(stream, 20)

    sent = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (sent[-1]["state"], sent[-1]["done"]) == ("stored", 1)


async def test_the_files_with_everybodys_numbers_are_gone_once_stored(imports, coordinator):
    batch = await imports.store(coordinator, sheet(person("何长顺", 1), person("", 2)))

    left = [file.name for file in (imports.folder / batch["id"]).iterdir()]

    assert left == ["000000.refused.csv"]


async def test_a_sheet_that_nobody_stores_is_given_up_and_its_files_go(imports, make, coordinator):
    old = await imports.send(coordinator, sheet(person("何长顺", 1)))
    young = await imports.send(coordinator, sheet(person("田秀珍", 2)))
    aged = "UPDATE import_batch SET received_at = received_at - $2::interval WHERE id = $1"
    await make.run(lambda tx: tx.conn.execute(aged, UUID(old["id"]), KEPT + timedelta(hours=1)))

    await tidy(make.database, COUNTY, imports.folder)

    states = [(await coordinator.client.get(f"{URL}/{one['id']}")).json()["state"] for one in (old, young)]
    assert states == ["cancelled", "checked"]
    assert [folder.name for folder in imports.folder.iterdir()] == [young["id"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 99, "另存为 .xlsx"),
        (b"PK\x03\x04 broken", "坏了"),
        (bytes(range(256)) * 9, "编码"),
        (b"1,2\n3,4\n", "没有找到表头"),
        ("姓名,身份证号\n".encode(), "没有内容"),
    ],
    ids=["old or locked", "broken", "no text", "no header", "no rows"],
)
async def test_a_sheet_that_cannot_be_read_is_refused_in_words(imports, coordinator, content, said):
    batch = await imports.send(coordinator, content)

    assert batch["state"] == "failed"
    assert said in batch["problem"]


async def test_only_coordinators_import_and_only_into_their_own_area(imports, make):
    grid_worker, auditor = await make.worker(CELL), await make.auditor()
    volunteer = await make.volunteer()
    other = await make.worker(OTHER_COMMUNITY)
    params = {"area_code": COMMUNITY, "name": "人口.csv"}
    headers = {"Content-Type": "text/csv"}

    refused = [
        await who.client.post(URL, params=params, content=sheet(person("何长顺", 1)), headers=headers)
        for who in (grid_worker, auditor, volunteer, other)
    ]

    codes = [answer.json()["code"] for answer in refused]
    assert codes == ["role_not_allowed"] * 3 + ["area_not_allowed"]
    assert not list(imports.folder.glob("*"))


async def test_a_batch_of_another_community_is_not_there(imports, make, coordinator):
    batch = await imports.send(coordinator, sheet(person("何长顺", 1)))
    other = await make.worker(OTHER_COMMUNITY)
    address = f"{URL}/{batch['id']}"

    answers = [
        await other.client.get(address),
        await other.client.get(f"{address}/issues"),
        await other.client.get(f"{address}/events"),
        await other.client.get(f"{address}/rejects"),
        await other.client.post(f"{address}/store"),
        await other.client.post(f"{address}/undo", json={}),
        await other.client.post(f"{address}/cancel"),
        await other.client.put(f"{address}/columns", json={"columns": ["name"]}),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert (await other.client.get(URL)).json()["items"] == []


async def test_a_sender_who_lost_the_area_meanwhile_is_not_obeyed(imports, make, coordinator):
    batch = await imports.send(coordinator, sheet(person("何长顺", 1)))
    await coordinator.client.post(f"{URL}/{batch['id']}/store")
    await make.run(
        lambda tx: tx.conn.execute(
            "UPDATE role_grant SET until_day = $2 WHERE account_id = $1", coordinator.account_id, date(2026, 1, 2)
        )
    )

    await imports.work(batch["id"])

    assert await imports.count() == 0
    row = await make.run(lambda tx: tx.conn.fetchrow("SELECT state, problem FROM import_batch"))
    assert row["state"] == "failed"
    assert "已经不管" in row["problem"]


async def test_a_sheet_may_go_to_the_whole_county_only_row_by_row(imports, make):
    admin = await make.admin()

    refused = await admin.client.post(
        URL, params={"area_code": COUNTY, "name": "人口.csv"}, content=sheet(person("何长顺", 1)),
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_area")


async def test_a_server_brings_a_sheet_to_its_report_in_a_process_of_its_own(database_url, make, imports, coordinator):
    headers = {"Content-Type": "text/csv"}
    sent = await coordinator.client.post(
        URL, params={"area_code": COMMUNITY, "name": "人口.csv"}, content=sheet(person("何长顺", 1)), headers=headers
    )
    importer = Importer(make.database, Settings(database_url, KEYS, imports=imports.folder))
    try:
        answer = await asyncio.wait_for(coordinator.client.get(f"{URL}/{sent.json()['id']}/events"), 60)
    finally:
        await importer.stop()

    states = [json.loads(line[6:])["state"] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert (states[0], states[-1]) == ("received", "checked")


async def test_a_batch_whose_process_breaks_off_again_and_again_is_given_up_in_words(
    database_url, make, imports, coordinator, monkeypatch
):
    for name, value in {"PROCESS": (sys.executable, "-c", "raise SystemExit(1)"), "BEGIN_AGAIN_S": 0.01}.items():
        monkeypatch.setattr(tasks, name, value)
    monkeypatch.setattr(tasks, "MOST_BREAKS", 2)
    content, headers = sheet(person("何长顺", 1)), {"Content-Type": "text/csv"}
    params = {"area_code": COMMUNITY, "name": "人口.csv"}
    batch = (await coordinator.client.post(URL, params=params, content=content, headers=headers)).json()

    importer = Importer(make.database, Settings(database_url, KEYS, imports=imports.folder))
    try:
        await asyncio.wait_for(coordinator.client.get(f"{URL}/{batch['id']}/events"), 60)
    finally:
        await importer.stop()

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    assert after["state"] == "failed"
    assert "中断" in after["problem"]


def test_a_server_that_reads_no_sheets_does_not_carry_what_reads_them():
    heavy = "import sys, backend.main; print([n for n in ('polars', 'openpyxl', 'numpy.random') if n in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True).stdout

    assert "polars" not in loaded
    assert "openpyxl" not in loaded


async def test_the_command_line_imports_a_file_and_puts_what_stays_out_beside_it(imports, make, tmp_path, capsys):
    file, mapping = tmp_path / "人口.csv", tmp_path / "map.json"
    headers = ["怎么称呼", *HEADERS[1:]]
    file.write_bytes(sheet(person("何长顺", 1), person("", 2), headers=headers))
    mapping.write_text(json.dumps({"怎么称呼": "name"}), encoding="utf-8")
    given = (make.database, KEYS, imports.folder, file, COMMUNITY)

    tried = await import_file(*given, mapping=mapping, dry_run=True, known=Known.keep)
    nothing = await imports.count()
    stored = await import_file(*given, mapping=None, dry_run=False, known=Known.keep)

    said = capsys.readouterr().out
    assert (tried, nothing, stored, await imports.count()) == (True, 0, True, 1)
    assert "第 3 行 怎么称呼: 没有写姓名。" in said
    assert "没有写姓名" in (tmp_path / "人口.不能入库.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "mapping", "said"),
    [
        ("没有.csv", None, "读不到文件"),
        ("人口.csv", "没有.json", "读不到文件"),
        ("人口.csv", "不是.json", "对照表要写成"),
        ("人口.csv", "别的.json", "表里没有这样的列名：人名"),
    ],
)
async def test_what_the_command_line_cannot_use_is_said_in_words_and_stores_nothing(
    imports, make, tmp_path, file, mapping, said
):
    (tmp_path / "人口.csv").write_bytes(sheet(person("何长顺", 1)))
    (tmp_path / "不是.json").write_text("{人名", encoding="utf-8")
    (tmp_path / "别的.json").write_text(json.dumps({"人名": "name"}), encoding="utf-8")
    given = (make.database, KEYS, imports.folder, tmp_path / file, COMMUNITY)

    with pytest.raises(Refusal) as refused:
        await import_file(*given, mapping=mapping and tmp_path / mapping)

    assert said in (refused.value.detail or "")
    assert await imports.count() == 0


async def test_the_command_line_waits_for_a_server_that_is_at_its_batch_already(
    imports, make, tmp_path, monkeypatch, capsys
):
    file = tmp_path / "人口.csv"
    file.write_bytes(sheet(person("何长顺", 1)))
    monkeypatch.setattr(command, "_AGAIN_S", 0.01)
    real, called = importing.run, []

    async def elsewhere_at_first(*given):
        called.append(given)
        if len(called) % 2 == 0:
            await real(*given)

    monkeypatch.setattr(command.run, "run", elsewhere_at_first)

    worked = await import_file(make.database, KEYS, imports.folder, file, COMMUNITY)

    assert (worked, await imports.count()) == (True, 1)
    assert "stored" in capsys.readouterr().out


def book(**lists: list[str]) -> bytes:
    """A workbook of several lists, by the name of their sheets."""
    made = openpyxl.Workbook()
    made.remove(made.active)
    for title, row in lists.items():
        page = made.create_sheet(title)
        for cells in (HEADERS, row):
            page.append(cells)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


async def test_of_a_workbook_of_several_lists_none_is_left_out_unsaid(imports, coordinator):
    content = book(一组=person("何长顺", 1), 二组=person("王小华", 2))

    asked = await imports.send(coordinator, content)
    second = await imports.store(coordinator, content, sheet="二组")
    none = await imports.send(coordinator, content, sheet="三组")

    assert (asked["state"], "一组、二组" in asked["problem"]) == ("failed", True)
    assert (second["state"], second["sheet"], second["counts"]["add"]) == ("stored", "二组", 1)
    assert [one["name"] for one in (await coordinator.client.get("/api/v1/residents")).json()["items"]] == ["王小华"]
    assert (none["state"], "三组" in none["problem"]) == ("failed", True)


async def test_headers_that_nobody_knows_are_shown_and_can_be_put_right_by_hand(imports, coordinator):
    headers = ["名称", "号", "甲", "乙"]
    content = sheet(["何长顺", id_number(1), "男", "302"], headers=headers)

    batch = await imports.send(coordinator, content)
    body = {"columns": ["name", "id_number", "sex", "room"]}
    put = await coordinator.client.put(f"{URL}/{batch['id']}/columns", json=body)
    await imports.work(batch["id"])
    checked = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    again = await imports.send(coordinator, content)
    of_a_cell = await imports.send(coordinator, content, area=CELL)

    assert (batch["state"], "姓名" in batch["problem"]) == ("failed", True)
    assert [column["header"] for column in batch["columns"]] == headers
    assert put.status_code == 200
    assert (checked["state"], checked["counts"]["add"]) == ("checked", 1)
    assert [column["means"] for column in again["columns"]] == body["columns"]
    assert of_a_cell["columns"] == again["columns"]


async def test_a_cell_is_meant_by_its_name_in_the_community_of_the_sheet(imports, make, coordinator):
    there = OTHER_COMMUNITY + "003"
    await make.cell(there)
    other = await make.worker(OTHER_COMMUNITY)
    row = person("何长顺", 1, 网格编码="第三网格")

    # Both cells of this community bear the name, and so does one of the other community.
    here = await imports.send(coordinator, sheet(row))
    elsewhere = await imports.store(other, sheet(row), area=OTHER_COMMUNITY)

    assert await imports.issues(coordinator, here) == [(2, "refused", "网格编码")]
    assert elsewhere["counts"]["add"] == 1
    assert (await the_only_one(other))["area_code"] == there


async def test_a_cell_is_meant_without_the_name_of_its_community_too(imports, make, coordinator):
    sixth = COMMUNITY + "006"
    await make.cell(sixth, "杨家坪社区第6网格")

    batch = await imports.send(coordinator, sheet(person("何长顺", 1, 网格编码="第6网格")))

    assert (batch["counts"]["add"], batch["counts"]["refused"]) == (1, 0)


async def test_somebody_of_one_name_and_birthday_at_another_door_is_pointed_out_before_they_come_in(
    imports, coordinator
):
    await imports.store(coordinator, sheet(person("何长顺", None, 房号="301"), person("王小华", 2)))

    rows = [
        person("何长顺", None, 房号="302"),  # the door corrected, or a namesake
        person("何长顺", None, 房号="303", 出生日期="1960-01-01"),
        person("王小华", 4),  # with another number: somebody else
    ]
    batch = await imports.send(coordinator, sheet(*rows))

    assert batch["counts"]["add"] == 3
    assert [row for row in await imports.issues(coordinator, batch) if row[2] == "姓名"] == [(2, "warned", "姓名")]


async def test_who_was_merged_does_not_come_in_again_with_the_sheet(imports, coordinator):
    rows = sheet(person("何长顺", None, 房号="301"), person("何长胜", None, 房号="302"))
    await imports.store(coordinator, rows)
    people = (await coordinator.client.get("/api/v1/residents")).json()["items"]
    kept, lost = (next(one["id"] for one in people if one["name"] == name) for name in ("何长顺", "何长胜"))
    pair = await coordinator.client.post("/api/v1/duplicates", json={"one": kept, "other": lost})
    body = {"same": True, "keep": kept, "reason": "上门核过是一个人"}
    settled = await coordinator.client.post(f"/api/v1/duplicates/{pair.json()['id']}/settle", json=body)
    assert settled.status_code == 200, settled.text

    _checked, again = await store_over(imports, coordinator, rows, "update")

    assert (again["counts"]["add"], again["counts"]["same"], again["counts"]["differs"]) == (0, 1, 1)
    assert (3, "differs", "姓名") in await imports.issues(coordinator, again)
    assert (await the_only_one(coordinator))["name"] == "何长顺"


async def test_a_reject_file_that_is_gone_is_not_an_empty_one(imports, coordinator):
    batch = await imports.send(coordinator, sheet(person("", 1)))
    shutil.rmtree(imports.folder)

    fetched = await coordinator.client.get(f"{URL}/{batch['id']}/rejects")

    assert (batch["counts"]["refused"], fetched.status_code, fetched.json()["code"]) == (1, 404, "not_found")
    assert "清理" in fetched.json()["detail"]


GUARDED = ["resident", "period", "edit", "feed_head", "change"]
SEALED = [*HEADERS, "残疾", "低保"]


async def store_over(imports, who, content: bytes, known: str):
    """Import a sheet and say what becomes of those who are known."""
    batch = await imports.send(who, content)
    assert (await who.client.post(f"{URL}/{batch['id']}/store", json={"known": known})).status_code == 200
    await imports.work(batch["id"])
    return batch, (await who.client.get(f"{URL}/{batch['id']}")).json()


async def the_only_one(who) -> dict:
    (found,) = (await who.client.get("/api/v1/residents")).json()["items"]
    return found


async def test_a_corrected_sheet_changes_who_is_known_when_that_is_wanted(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))
    corrected = sheet(person("何常顺", 1, 联系电话="12600009999", 独居="是"))

    checked, stored = await store_over(imports, coordinator, corrected, "update")

    found = await the_only_one(coordinator)
    assert (found["name"], found["phone"], found["care"], found["rev"]) == ("何常顺", "12600009999", ["alone"], 2)
    assert (checked["counts"]["can_update"], checked["counts"]["updated"]) == (1, 0)
    assert (stored["known"], stored["counts"]["updated"], stored["counts"]["differs"]) == ("update", 1, 0)
    by_pinyin = await coordinator.client.get("/api/v1/residents", params={"q": "9999"})
    assert [p["name"] for p in by_pinyin.json()["items"]] == ["何常顺"]
    homes = (await coordinator.client.get("/api/v1/households")).json()["items"]
    assert [(home["head_name"], home["care"]) for home in homes] == [("何常顺", ["alone"])]
    edits = await make.run(lambda tx: tx.conn.fetch("SELECT fields, account_id FROM edit"))
    assert [(sorted(row["fields"]), row["account_id"]) for row in edits] == [
        (["care", "name", "phone"], coordinator.account_id)
    ]
    track = await make.run(lambda tx: tx.conn.fetchval("SELECT count(*) FROM period WHERE track = 'care:alone'"))
    audited = await make.run(
        lambda tx: tx.conn.fetchval("SELECT count(*) FROM audit WHERE action = 'resident.changed'")
    )
    assert (track, audited) == (1, 1)


async def test_the_dry_run_names_the_fields_that_would_change_and_those_that_never_do(imports, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))

    batch = await imports.send(
        coordinator, sheet(person("何长顺", 1, 联系电话="12600009999", 与户主关系="妻", 网格编码=NEIGHBOUR))
    )

    listed = await coordinator.client.get(f"{URL}/{batch['id']}/issues", params={"grade": "differs"})
    (words,) = [issue["words"] for issue in listed.json()["items"]]
    assert "电话不一样，可以按表更新" in words
    assert "户主、网格不一样，要由人定" in words
    assert (batch["counts"]["can_update"], batch["counts"]["differs"]) == (1, 1)


@pytest.mark.parametrize(
    "differs",
    [{"与户主关系": "妻"}, {"网格编码": NEIGHBOUR}],
    ids=["head", "cell"],
)
async def test_what_a_person_decides_is_listed_and_never_updated(imports, coordinator, differs):
    await imports.store(coordinator, sheet(person("何长顺", 1)))
    before = await the_only_one(coordinator)

    _, stored = await store_over(imports, coordinator, sheet(person("何长顺", 1, **differs)), "update")

    assert await the_only_one(coordinator) == before
    assert (stored["counts"]["updated"], stored["counts"]["differs"]) == (0, 1)


async def test_a_number_that_the_register_lacks_is_not_put_on_file_by_an_update(imports, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1, 身份证号="")))

    _, stored = await store_over(imports, coordinator, sheet(person("何长顺", 1)), "update")

    assert (await the_only_one(coordinator))["id_on_file"] is False
    assert (stored["counts"]["updated"], stored["counts"]["differs"]) == (0, 1)


async def test_who_has_died_or_left_is_changed_by_no_sheet(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))
    await make.run(lambda tx: tx.conn.execute("UPDATE resident SET left_on = '2026-01-01', left_by = 'death'"))

    corrected = sheet(person("何长顺", 1, 联系电话="12600009999"))
    _, stored = await store_over(imports, coordinator, corrected, "update")

    phone = await make.run(lambda tx: tx.conn.fetchval("SELECT phone FROM resident"))
    assert (phone, stored["counts"]["updated"], stored["counts"]["differs"]) == ("12600000001", 0, 1)


async def test_undoing_gives_back_what_an_update_changed(imports, make, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1, 独居="是")))
    before = await the_only_one(coordinator)
    corrected = sheet(person("何常顺", 1, 联系电话="12600009999", 出生日期="1955-03-08"), person("王小华", 2))
    batch, _ = await store_over(imports, coordinator, corrected, "update")

    answer = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    assert answer.status_code == 200
    assert await the_only_one(coordinator) == before | {"rev": 3}
    counts = after["counts"]
    assert (after["state"], counts["undone"], counts["restored"], counts["kept"]) == ("undone", 1, 1, 0)
    assert await imports.count("import_issue WHERE former IS NOT NULL") == 0


async def test_who_was_edited_after_an_update_is_named_and_keeps_the_edit(imports, coordinator):
    await imports.store(coordinator, sheet(person("何长顺", 1)))
    batch, _ = await store_over(imports, coordinator, sheet(person("何长顺", 1, 联系电话="12600009999")), "update")
    found = await the_only_one(coordinator)
    url, match = f"/api/v1/residents/{found['id']}", {"If-Match": f'"{found["rev"]}"'}
    assert (await coordinator.client.patch(url, json={"phone": "12600008888"}, headers=match)).status_code == 200

    refused = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={"rest": True})
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    assert (refused.status_code, refused.json()["code"]) == (409, "import_changed_since")
    assert "何长顺" in refused.json()["detail"]
    assert (await the_only_one(coordinator))["phone"] == "12600008888"
    assert (after["counts"]["restored"], after["counts"]["kept"]) == (0, 1)


async def test_a_household_gets_one_head_and_the_second_is_reported(imports, coordinator):
    rows = [person("何长顺", 1), person("何小顺", 3, 房号="301")]

    batch = await imports.store(coordinator, sheet(*rows))
    again = await imports.store(coordinator, sheet(person("何老三", 5, 房号="301")))

    homes = (await coordinator.client.get("/api/v1/households")).json()["items"]
    assert [(home["head_name"], home["size"]) for home in homes] == [("何长顺", 3)]
    assert await imports.issues(coordinator, batch) == [(3, "warned", "与户主关系")]
    assert await imports.issues(coordinator, again) == [(2, "warned", "与户主关系")]


async def test_of_heads_from_before_there_was_one_the_first_stays_and_phones_hear_of_the_others(database_url, make):
    home = await make.household()
    first, second = [await make.resident(home, name=name) for name in ("何长顺", "何小顺")]
    scripts = ScriptDirectory.from_config(config())
    back = len([*scripts.iterate_revisions("head", "2026_11_22_loading")])
    await migrate(database_url, f"-{back}")
    owner = await asyncpg.connect(database_url)
    await owner.execute("UPDATE resident SET relation = '02'; UPDATE period SET value = '02' WHERE track = 'relation'")
    heard = "SELECT seq FROM change WHERE kind = 'resident' ORDER BY id"
    before = await owner.fetch(heard)
    await migrate(database_url)

    people = await owner.fetch("SELECT id, relation, rev FROM resident ORDER BY id")
    tracks = await owner.fetch("SELECT value FROM period WHERE track = 'relation' ORDER BY resident_id")
    edits = await owner.fetch("SELECT entity_id, rev, fields, area_code FROM edit")
    after, head = await owner.fetch(heard), await owner.fetchval("SELECT max(seq) FROM feed_head")
    forced = await owner.fetchval(
        "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname = ANY ($1)", GUARDED
    )
    await owner.close()

    assert [tuple(row) for row in people] == [(first.id, "02", 1), (second.id, "97", 2)]
    assert [row["value"] for row in tracks] == ["02", "97"]
    assert [tuple(row) for row in edits] == [(second.id, 2, ["relation"], CELL)]
    assert (after[0], after[1]["seq"]) == (before[0], head)
    assert head == max(row["seq"] for row in before) + 1
    assert forced


async def test_disability_and_hardship_are_sealed_and_open_as_they_were(imports, make, coordinator):
    rows = [[*person("何长顺", 1), "肢体二级", "是"], [*person("王小华", None, 房号="9"), "听力残疾（三级）", "否"]]

    batch = await imports.store(coordinator, sheet(*rows, headers=SEALED))

    assert batch["counts"]["add"] == 2
    people = {p["name"]: p["id"] for p in (await coordinator.client.get("/api/v1/residents")).json()["items"]}
    opened = {}
    for name, kind in (("何长顺", "disability"), ("何长顺", "poverty"), ("王小华", "disability")):
        url = f"/api/v1/residents/{people[name]}/sealed/{kind}"
        answer = await coordinator.client.get(url, params={"reason": "核对残疾证"})
        opened[name, kind] = [(fact["code"], fact["grade"]) for fact in answer.json()["facts"]]
    assert opened == {
        ("何长顺", "disability"): [("64", 2)],
        ("何长顺", "poverty"): [("2", None)],
        ("王小华", "disability"): [("62", 3)],
    }
    stored = await make.run(lambda tx: tx.conn.fetch("SELECT sealed FROM sealed_fact"))
    assert len(stored) == 3
    assert not any(b"code" in row["sealed"] for row in stored)
    number = await make.run(lambda tx: tx.conn.fetchrow("SELECT * FROM resident WHERE id_sealed IS NOT NULL"))
    assert sealing.unseal(KEYS, number["data_key"], number["id"], "id_number", number["id_sealed"]) == id_number(1)


async def test_words_that_say_no_disability_or_hardship_for_sure_are_refused_and_not_shown(imports, coordinator):
    rows = [
        [*person("何长顺", 1), "不太好", ""],
        [*person("王小华", 2), "是", ""],
        [*person("李秀英", 4), "", "也许"],
        [*person("赵六", 6), "无", "无"],
    ]

    batch = await imports.store(coordinator, sheet(*rows, headers=SEALED))

    listed = (await coordinator.client.get(f"{URL}/{batch['id']}/issues", params={"grade": "refused"})).json()["items"]
    fetched = await coordinator.client.get(f"{URL}/{batch['id']}/rejects")
    assert (batch["counts"]["add"], batch["counts"]["refused"]) == (1, 3)
    assert [(one["row"], one["column"], one["value"]) for one in listed] == [
        (2, "残疾", ""), (3, "残疾", ""), (4, "低保", "")
    ]  # fmt: skip
    assert fetched.text.count("请写类别和等级") == 2
    assert await imports.count("sealed_fact") == 0


async def test_a_sealed_fact_of_somebody_known_is_listed_and_written_by_a_person_alone(imports, coordinator):
    await imports.store(coordinator, sheet([*person("何长顺", 1), "", "是"], headers=SEALED))

    again = sheet([*person("何长顺", 1), "肢体二级", "是"], headers=SEALED)
    batch, stored = await store_over(imports, coordinator, again, "update")

    listed = await coordinator.client.get(f"{URL}/{batch['id']}/issues", params={"grade": "differs"})
    assert ["残疾不一样，要由人定" in issue["words"] for issue in listed.json()["items"]] == [True]
    assert (stored["counts"]["updated"], await imports.count("sealed_fact")) == (0, 1)


async def test_sealed_facts_go_with_their_batch_but_for_people_whom_a_worker_wrote_about_since(imports, coordinator):
    rows = [[*person("何长顺", 1), "肢体二级", "是"], [*person("王小华", 2), "视力一级", ""]]
    batch = await imports.store(coordinator, sheet(*rows, headers=SEALED))
    people = {p["name"]: p["id"] for p in (await coordinator.client.get("/api/v1/residents")).json()["items"]}
    written = await coordinator.client.put(
        f"/api/v1/residents/{people['王小华']}/sealed/poverty",
        json={"code": "2", "from_day": "2026-03-01", "reason": "低保证在场"},
    )

    await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={"rest": True})
    await imports.work(batch["id"])

    assert written.status_code == 200
    assert (await the_only_one(coordinator))["name"] == "王小华"
    assert await imports.count("sealed_fact") == 2


async def test_a_register_that_a_sheet_fills_is_counted_before_its_keys_are_used(imports, coordinator, monkeypatch):
    """The database would count it a minute later, and until then look every household up through the whole county."""
    monkeypatch.setattr(staging, "EMPTY_BELOW", 1)

    await imports.store(coordinator, sheet(person("何长顺", 1), person("王小华", 2)))

    counted = "pg_class WHERE relname IN ('dwelling', 'household', 'resident') AND reltuples = 2"
    assert await imports.count(counted) == 3


async def test_counting_is_for_the_tables_of_the_register_alone(imports, make):
    with pytest.raises(asyncpg.CaseNotFoundError):
        await make.run(lambda tx: tx.conn.execute("SELECT count_register('account')"))


async def folded_home(make, coordinator) -> UUID:
    """A household at 302 that a merge has left without anybody."""
    kept = await make.resident(await make.household(room="301"), name="田秀珍")
    lost = await make.resident(await make.household(room="302"), name="田秀珍")
    pair = await coordinator.client.post("/api/v1/duplicates", json={"one": str(kept.id), "other": str(lost.id)})
    body = {"same": True, "keep": str(kept.id), "reason": "同一个人登记了两次"}
    settled = await coordinator.client.post(f"/api/v1/duplicates/{pair.json()['id']}/settle", json=body)
    assert settled.status_code == 200, settled.text
    return lost.household_id


async def test_a_folded_household_into_which_a_sheet_brings_somebody_stands_for_itself_again(
    imports, make, coordinator
):
    folded = await folded_home(make, coordinator)
    home = f"/api/v1/households/{folded}"
    before = await coordinator.client.get(home)

    batch = await imports.store(coordinator, sheet(person("何长顺", 2)))
    after = await coordinator.client.get(home)
    by_door = (await coordinator.client.get("/api/v1/households", params={"q": "302"})).json()["items"]
    pointer = await make.run(lambda tx: tx.conn.fetchval("SELECT folded_into FROM household WHERE id = $1", folded))
    audits = await imports.count("audit WHERE action = 'household.unfolded'")
    undone = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await imports.work(batch["id"])

    assert (before.status_code, after.status_code) == (410, 200)
    assert (after.json()["size"], after.json()["head_name"]) == (1, "何长顺")
    assert [row["id"] for row in by_door] == [str(folded)]
    assert (pointer, audits) == (None, 1)
    assert undone.status_code == 200
    assert (await coordinator.client.get(home)).json()["size"] == 0


CONFLICT = """
INSERT INTO conflict (county_code, id, area_code, rev, received_at, kind, entity_id, op_id, device_id, author_name,
                      code, rescued, fields, theirs_name, state, note, settled_name)
SELECT $1, gen_random_uuid(), area_code, 1, now(), 'edit', id, gen_random_uuid(), gen_random_uuid(), '', 'stale', false,
       '{}', '', 'open', '', '' FROM
"""
POINTED_TO = {
    "folded": "UPDATE household SET folded_into = (SELECT household_id FROM resident WHERE county_code = $1)"
    " WHERE county_code = $1 AND size = 0",
    "open about the person": f"{CONFLICT} resident WHERE county_code = $1",
    "open about the home": f"{CONFLICT} household WHERE county_code = $1 AND size > 0",
}


@pytest.mark.parametrize("statement", POINTED_TO.values(), ids=POINTED_TO.keys())
async def test_who_is_pointed_to_under_another_name_stays_when_the_rest_is_undone(
    imports, make, coordinator, statement
):
    await make.household(room="999")
    batch = await imports.store(coordinator, sheet(person("何长顺", 1)))
    await make.run(lambda tx: tx.conn.execute(statement, COUNTY))

    refused = await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={})
    await coordinator.client.post(f"{URL}/{batch['id']}/undo", json={"rest": True})
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    assert (refused.status_code, refused.json()["code"]) == (409, "import_changed_since")
    assert (after["state"], after["counts"]["kept"]) == ("undone", 1)
    assert await imports.count("household WHERE size = 1") == 1


async def test_people_are_brought_up_few_at_a_time_and_once_when_the_server_ends_in_between(
    imports, make, coordinator, monkeypatch
):
    monkeypatch.setattr(updating, "AT_ONCE", 1)
    await imports.store(coordinator, sheet(*[person(f"何长{at}", at) for at in range(1, 4)]))
    # The first row has no number: it is the second one's person, by the door, and says something else.
    first = person("何长1", None, 房号="301", 联系电话="12600009000")
    rows = [person(f"何长{at}", at, 联系电话=f"1260000900{at}") for at in range(1, 4)]
    batch = await imports.send(coordinator, sheet(first, *rows))
    await coordinator.client.post(f"{URL}/{batch['id']}/store", json={"known": "update"})
    called, halfway = [], []

    def failing_once(module, name: str, at: int) -> None:
        work = getattr(module, name)

        async def fails(*given):
            called.append(name)
            if called.count(name) == at:
                raise ConnectionError("the server is gone")
            await work(*given)

        monkeypatch.setattr(module, name, fails)

    failing_once(updating, "bring_up", 2)
    failing_once(staging, "tell", 1)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await imports.work(batch["id"])
        halfway.append(await imports.count("resident WHERE rev = 2"))
    await imports.work(batch["id"])

    after = (await coordinator.client.get(f"{URL}/{batch['id']}")).json()
    people = (await coordinator.client.get("/api/v1/residents")).json()["items"]
    assert halfway == [1, 3]
    assert sorted((p["name"], p["phone"], p["rev"]) for p in people) == [
        ("何长1", "12600009000", 2), ("何长2", "12600009002", 2), ("何长3", "12600009003", 2)
    ]  # fmt: skip
    counts = after["counts"]
    assert (after["state"], counts["updated"], counts["same"], counts["can_update"]) == ("stored", 3, 0, 4)
    assert await imports.count("edit") == 3
    assert len(await imports.issues(coordinator, batch, grade="changed")) == 3
