"""What the phones of the bench have to do with: a register of 2,000 doors, a round of 1,000, and 5,000 rows to read."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from backend.auth.accounts import open_account
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.migrate import migrate
from backend.grid.founding import found
from shared.auth import Role
from shared.sync import EntityKind
from shared.types import uuid7
from tests.bench.common import COUNTY
from tests.factories import PLOT, corner_of, plot_of

PASSWORD = "a-password-of-the-bench"
REGISTER = "610330100001"
HOMES, PEOPLE_EACH, DUE = 2_000, 3, 200
ROUND, READING = "610330100007001", "610330100008001"
VISITS, ROWS = 1_000, 5_000
"""Visits of a round, and rows that a new phone of the other cell reads: visits, their doors and the cell."""
READ_HOMES = 99

ROW_NOTE_BYTES = 345
"""Makes a row as JSON about 1,001 bytes long, as the documents were that the goals were set with."""

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕单解仇查翟覃"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂玉凤莲长顺建国志华文博宇轩子涵浩然思雨佳欣雪梅琳婷鹏飞龙春乐"
_WORDS = (
    "老人精神不错", "血压药还有半个月", "炉子和烟道看过了", "屋里有点冷", "儿子周末回来", "楼道灯坏了一盏",
    "腿脚比上次好", "说晚上睡不着", "低保材料要补一张", "孩子在县城上学", "门口有两级台阶没扶手", "电话换了新号",
    "水管渗水", "想请人帮忙买菜", "药盒分好了", "家里都好", "午饭自己做", "邻居常来坐坐", "助听器没电了",
    "下月去复查", "取暖器离床太近，已经挪开", "电表箱盖松了",
)  # fmt: skip


def note(chance: random.Random, bytes_left: int) -> str:
    """Write down what a worker might, to about so many bytes of UTF-8."""
    text = ""
    while len(text.encode()) < bytes_left - 60:
        text += f"{chance.choice(_WORDS)}（{chance.randint(1, 300)}）{chance.choice('，。；')}"
    return text + "好" * ((bytes_left - len(text.encode())) // 3)


def name(chance: random.Random) -> str:
    return chance.choice(SURNAMES) + "".join(chance.choices(GIVEN, k=chance.choice((1, 2, 2))))


async def fill(dsn: str) -> None:
    """Make the county with its three workers: `register`, `round` and `reading`."""
    await migrate(dsn)
    database = await Database.connect(dsn, size=2, deadline_s=60)
    await found(database, COUNTY)
    accounts = {
        login: await open_account(database, COUNTY, login, PASSWORD, "张敏", [(role, area)])
        for login, role, area in (
            ("register", Role.community_worker, REGISTER),
            ("round", Role.grid_worker, ROUND),
            ("reading", Role.grid_worker, READING),
        )
    }
    await database.close()
    conn = await asyncpg.connect(dsn)
    try:
        async with conn.transaction():
            await Filling(conn).all(accounts["reading"])
        await conn.execute("VACUUM ANALYZE")
    finally:
        await conn.close()


class Filling:
    """Rows straight into the tables, with the feed in the order of a county that grew."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn, self._chance, self._now = conn, random.Random(8), datetime.now(UTC)
        self._feed: list[tuple[EntityKind, UUID, str]] = []

    async def all(self, reader: UUID) -> None:
        cells = [f"{REGISTER}{number:03}" for number in range(1, 7)]
        await self._cells([*cells, ROUND, READING])
        today = county_day(self._now)
        dues: list[date | None] = [today - timedelta(days=at % 20) for at in range(DUE)]
        dues += [today + timedelta(days=10 + at % 40) for at in range(HOMES - DUE)]
        await self._homes(cells, dues, PEOPLE_EACH)
        await self._homes([ROUND], [None] * VISITS, 0)
        read = await self._homes([READING], [None] * READ_HOMES, 0)
        await self._visits(read, ROWS - READ_HOMES - 1, reader)
        await self._tell()

    async def _put(self, table: str, rows: list[dict[str, Any]], kind: EntityKind | None) -> None:
        columns = list(rows[0])
        records = [tuple(row[column] for column in columns) for row in rows]
        await self._conn.copy_records_to_table(table, records=records, columns=columns)
        if kind:
            self._feed += [(kind, row["id"], row["area_code"]) for row in rows]

    def _row(self, area: str) -> dict[str, Any]:
        return {"county_code": COUNTY, "id": uuid7(), "area_code": area, "rev": 1, "received_at": self._now}

    async def _cells(self, codes: list[str]) -> None:
        cells = [self._row(code) | {"name": f"{code[-3:]}网格", "kind": "basic"} for code in codes]
        await self._put("cell", cells, EntityKind.cell)
        await self._conn.executemany(
            "INSERT INTO cell_boundary (county_code, id, area_code, cell_id, geometry, area_m2, from_day, until_day)"
            " VALUES ($1, $2, $3, $2, $4::jsonb, 40000, DATE '2024-01-01', DATE '9999-12-31')",
            [
                (COUNTY, cell["id"], cell["area_code"], orjson.dumps(plot_of(cell["area_code"])).decode())
                for cell in cells
            ],
        )
        await self._conn.execute("INSERT INTO grid_version VALUES ($1, uuidv7())", COUNTY)

    async def _homes(self, cells: list[str], dues: list[date | None], people: int) -> list[dict[str, Any]]:
        doors = [self._door(cells[at % len(cells)], at // len(cells)) for at in range(len(dues))]
        homes = [self._home(door, due, people) for door, due in zip(doors, dues, strict=True)]
        await self._put("dwelling", doors, None)
        await self._put("household", homes, EntityKind.household)
        if people:
            persons = [person for home in homes for person in self._people(home, people)]
            await self._put("resident", persons, EntityKind.resident)
        return [home | {"lon": door["lon"], "lat": door["lat"]} for home, door in zip(homes, doors, strict=True)]

    def _door(self, cell: str, at: int) -> dict[str, Any]:
        west, south = corner_of(cell)
        return self._row(cell) | {
            "compound": ("杨家坪小区", "河边家属院", "铁路新村")[at % 3], "building": f"{at // 60 + 1}号楼",
            "unit": f"{at // 20 % 3 + 1}单元", "room": f"{at % 20 // 4 + 1}0{at % 4 + 1}",
            "lon": west + PLOT * self._chance.uniform(0.1, 0.9), "lat": south + PLOT * self._chance.uniform(0.1, 0.9),
        }  # fmt: skip

    def _home(self, door: dict[str, Any], due: date | None, people: int) -> dict[str, Any]:
        seen = due - timedelta(days=60) if due else None
        return self._row(door["area_code"]) | {
            "dwelling_id": door["id"], "head_name": name(self._chance), "size": people, "tries_since_seen": 0,
            "care": self._chance.choice(([], [], ["alone"])), "last_visited_on": seen, "last_seen_on": seen,
            "due_on": due, "due_reason": "",
        }  # fmt: skip

    def _people(self, home: dict[str, Any], people: int) -> Iterator[dict[str, Any]]:
        for at in range(people):
            yield self._row(home["area_code"]) | {
                "household_id": home["id"], "name": name(self._chance) if at else home["head_name"],
                "sex": self._chance.choice("12"),
                "birth_date": date(1935, 1, 1) + timedelta(self._chance.randrange(30_000)),
                "phone": f"126{self._chance.randrange(10**8):08}", "relation": ("02", "10", "20")[at],
                "residency": "living", "care": home["care"] if not at else [], "note": "",
            }  # fmt: skip

    async def _visits(self, homes: list[dict[str, Any]], number: int, worker: UUID) -> None:
        rows = [self._visit(self._chance.choice(homes), worker, number - at) for at in range(number)]
        await self._put("visit", rows, EntityKind.visit)

    def _visit(self, home: dict[str, Any], worker: UUID, hours_ago: int) -> dict[str, Any]:
        row = self._row(home["area_code"])
        del row["rev"]
        return row | {
            "happened_in": home["area_code"], "household_id": home["id"], "worker_id": worker, "worker_name": "张敏",
            "mode": "home", "outcome": "seen", "findings": ["fine"], "note": note(self._chance, ROW_NOTE_BYTES),
            "visited_at": self._now - timedelta(hours=hours_ago),
            "lon": home["lon"] + self._chance.uniform(-1e-4, 1e-4),
            "lat": home["lat"] + self._chance.uniform(-1e-4, 1e-4), "accuracy_m": 12.0, "distance_m": 3,
            "fix_area_code": home["area_code"], "evidence": "at_door",
        }  # fmt: skip

    async def _tell(self) -> None:
        """Each stream counts from 1 without a gap, and its head stands at its last."""
        seqs: dict[str, int] = {}
        rows = []
        for kind, key, area in self._feed:
            stream = area[:12]
            seqs[stream] = seqs.get(stream, 0) + 1
            rows.append((COUNTY, stream, kind.value, key, area, seqs[stream], False, self._now))
        columns = ["county_code", "stream", "kind", "id", "area_code", "seq", "gone", "at"]
        await self._conn.copy_records_to_table("change", records=rows, columns=columns)
        await self._conn.executemany(
            "UPDATE feed_head SET seq = $3 WHERE county_code = $1 AND stream = $2",
            [(COUNTY, stream, seq) for stream, seq in seqs.items()],
        )
