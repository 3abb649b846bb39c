"""Importing a sheet against COPY of the same rows into the same tables with the same indexes.

The import reads the file, checks every row, compares it with the register and writes doors, households, people,
periods, search keys and the feed as the application role, under row-level security. COPY is given the finished rows
of all these tables, in the order in which the import wrote them, by the database's owner: keys, foreign keys and the
exclusion are checked for both, the sheet and the policies for the import alone.

Processor time stands beside the clock: the clock counts reading and sealing, which are done beside the database, only
where there is a second core for them, and it counts whatever else the machine is at.
"""

import argparse
import asyncio
import csv
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg

from backend.core.db import Database
from backend.core.migrate import migrate
from backend.core.postgres import EmbeddedPostgres
from backend.core.scope import system_caller
from backend.core.settings import Settings
from backend.core.transaction import Transaction
from backend.grid.founding import found
from backend.imports import files, queries
from backend.imports.tasks import PROCESS, THRIFTY, handed_over
from shared.identifiers import full_id_number
from shared.types import Crs, uuid7
from tests.bench.common import COUNTY, KEYS
from tests.bench.county import CELLS, COMMUNITIES
from tests.factories import plot_of

TABLES = ("dwelling", "household", "resident", "period", "search_key", "change")
HEADERS = (
    "姓名", "身份证号", "性别", "出生日期", "与户主关系", "联系电话", "小区", "楼栋", "单元", "房号", "网格编码",
    "民族", "备注",
)  # fmt: skip
RATIO, RATIO_SEALED, PEAK_MB = 0.60, 0.35, 300.0
HEAD = "| import | time | COPY | rows in all tables | ratio | goal | processor | peak | goal | |\n" + "|---" * 10 + "|"
_ACCOUNT = "INSERT INTO account VALUES ($1, $2, 'bench', 'bench', NULL, NULL, true, now())"
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = (
    "秀英桂兰玉芳丽敏静军伟强磊洋艳勇杰娟涛明超霞平刚红梅建国志华文博宇轩子涵浩然思雨佳欣雪慧琳婷鑫鹏飞龙凤春夏秋冬"
)
_FAMILY = ("户主", "妻", "长子", "长女")


@dataclass(frozen=True, slots=True)
class Measured:
    """One import and the COPY of what it wrote."""

    import_s: float
    copy_s: float
    import_cpu_s: float
    copy_cpu_s: float
    peak_mb: float
    written: int

    @property
    def ratio(self) -> float:
        return self.copy_s / self.import_s

    @property
    def cpu_ratio(self) -> float:
        return self.copy_cpu_s / self.import_cpu_s


def rows(count: int, *, numbered: bool) -> Iterator[list[str]]:
    """Yield made-up people, four to a door; every number has an area code that was never given out."""
    chance = random.Random(1)
    for at in range(count):
        door, place = divmod(at, 4)
        born = f"{1930 + chance.randrange(90)}{1 + chance.randrange(12):02}{1 + chance.randrange(28):02}"
        number = _number(born, at) if numbered else ""
        name = chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=2))
        sex = ("男" if int(number[16]) % 2 else "女") if number else chance.choice("男女")
        yield [
            name, number, sex, f"{born[:4]}-{born[4:6]}-{born[6:]}", _FAMILY[place], f"126{at % 10**8:08}",
            f"第{door // 2000}小区", f"{door // 100 % 20 + 1}号楼", f"{door // 50 % 2 + 1}单元", f"{door % 50 + 101}",
            CELLS[door // 400 % len(CELLS)], "汉族", "",
        ]  # fmt: skip


def _number(born: str, at: int) -> str:
    """Number somebody: area code and sequence together tell apart those who were born on one day."""
    return full_id_number(f"{999000 - at // 1000 % 9000:06}{born[2:]}{at % 1000:03}") or ""


def _write(file: Path, count: int, *, numbered: bool) -> None:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADERS)
        writer.writerows(rows(count, numbered=numbered))


async def _found(dsn: str) -> None:
    await migrate(dsn)
    database = await Database.connect(dsn, size=2, deadline_s=60)
    await found(database, COUNTY)
    await database.close()
    conn = await asyncpg.connect(dsn)
    for code in CELLS:
        cell = uuid7()
        await conn.execute(
            "INSERT INTO cell (county_code, id, area_code, rev, received_at, name, kind)"
            " VALUES ($1, $2, $3, 1, now(), $3, 'basic')",
            COUNTY, cell, code,
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO cell_boundary (county_code, id, area_code, cell_id, geometry, area_m2, from_day, until_day)"
            " VALUES ($1, $2, $3, $2, $4::jsonb, 40000, DATE '2024-01-01', 'infinity')",
            COUNTY, cell, code, str(plot_of(code)).replace("'", '"'),
        )  # fmt: skip
    await conn.execute(_ACCOUNT, COUNTY, uuid7())
    await conn.close()


async def _note(dsn: str, batch: UUID) -> None:
    """Note a batch that is to be stored at once: checks belong to storing, a dry run would do them twice."""
    database = await Database.connect(dsn, size=2, deadline_s=60)

    async def work(tx: Transaction) -> None:
        who = tx.caller.account_id
        await queries.add(tx.conn, COUNTY, batch, COMMUNITIES[0], who, "bench", "bench.csv", Crs.wgs84.value, tx.now)
        await queries.change(tx.conn, COUNTY, batch, state="to_store")

    await database.run(system_caller(COUNTY), work)
    await database.close()


async def _order(dsn: str, *statements: str) -> None:
    conn = await asyncpg.connect(dsn)
    for statement in statements:
        await conn.execute(statement, timeout=3600)
    await conn.close()


def _import(dsn: str, folder: Path, sheet: Path) -> float:
    """Import a sheet in the process that a server would start for it."""
    batch = uuid7()
    files.folder_of(folder, batch).mkdir(parents=True)
    shutil.copyfile(sheet, files.upload_in(files.folder_of(folder, batch)))
    asyncio.run(_note(dsn, batch))
    told = handed_over(Settings(dsn, KEYS, imports=folder), COUNTY, batch)
    started = time.perf_counter()
    subprocess.run(PROCESS, input=told, check=True, stdout=subprocess.DEVNULL, env=os.environ | THRIFTY)
    return time.perf_counter() - started


async def _copy_out(dsn: str, folder: Path) -> int:
    """Keep what the import wrote, and return how many rows that is."""
    conn = await asyncpg.connect(dsn)
    written = 0
    for table in TABLES:
        await conn.copy_from_query(f"SELECT * FROM {table}", output=folder / f"{table}.copy", timeout=3600)
        written += await conn.fetchval(f"SELECT count(*) FROM {table}", timeout=3600)
    await conn.close()
    return written


async def _copy_in(dsn: str, folder: Path) -> float:
    conn = await asyncpg.connect(dsn)
    started = time.perf_counter()
    for table in TABLES:
        await conn.copy_to_table(table, source=folder / f"{table}.copy", timeout=3600)
    taken = time.perf_counter() - started
    await conn.close()
    return taken


def _cpu(folder: Path) -> float:
    """Return the processor seconds so far of the database, of this process and of those it has started."""
    postmaster = (folder / "data" / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    shown = [_ticks(process) for process in Path("/proc").glob("[0-9]*")]
    ticks = sum(own for parent, own, _ in shown if parent == postmaster)
    ticks += sum(_ticks(Path("/proc") / postmaster)[1:])
    started = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + time.process_time() + started.ru_utime + started.ru_stime


def _ticks(process: Path) -> tuple[str, int, int]:
    """Return a process's parent, its own ticks and those of its children that have ended."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0, 0
    return fields[1], int(fields[11]) + int(fields[12]), int(fields[13]) + int(fields[14])


def measure(dsn: str, folder: Path, count: int, *, numbered: bool, rounds: int = 1) -> list[Measured]:
    """Import and copy in turn, each into empty tables."""
    sheet, clear = folder / "sheet.csv", f"TRUNCATE {', '.join(TABLES)}, import_batch, import_issue CASCADE"
    _write(sheet, count, numbered=numbered)
    measured = []
    for _ in range(rounds):
        asyncio.run(_order(dsn, clear, "CHECKPOINT"))
        before = _cpu(folder)
        import_s = _import(dsn, folder / "sheets", sheet)
        import_cpu_s = _cpu(folder) - before
        written = asyncio.run(_copy_out(dsn, folder))
        _check(dsn, count)
        asyncio.run(_order(dsn, clear, "CHECKPOINT"))
        before = _cpu(folder)
        copy_s = asyncio.run(_copy_in(dsn, folder))
        copy_cpu_s = _cpu(folder) - before
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        measured.append(Measured(import_s, copy_s, import_cpu_s, copy_cpu_s, peak, written))
    return measured


def _check(dsn: str, count: int) -> None:
    async def stored() -> int:
        conn = await asyncpg.connect(dsn)
        found: int = await conn.fetchval("SELECT count(*) FROM resident")
        await conn.close()
        return found

    if (there := asyncio.run(stored())) != count:
        raise SystemExit(f"VOID, nothing was measured: {there} people stored of {count}")


def line(title: str, goal: float, measured: list[Measured]) -> str:
    ratio, peak = median(m.ratio for m in measured), max(m.peak_mb for m in measured)
    met = "met" if ratio >= goal and peak <= PEAK_MB else "**not met**"
    import_s, copy_s = median(m.import_s for m in measured), median(m.copy_s for m in measured)
    return (
        f"| {title} | {import_s:.1f} s | {copy_s:.1f} s | {measured[0].written:,} | **{ratio:.2f}** | ≥ {goal:.2f}"
        f" | {median(m.cpu_ratio for m in measured):.2f} | {peak:.0f} MB | ≤ {PEAK_MB:.0f} MB | {met} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.importing", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    report(asked.rows, asked.rounds)


def report(count: int, rounds: int = 1) -> None:
    """Print the two lines, measured on a database of their own."""
    folder = Path(tempfile.mkdtemp(prefix="gridhood-import-"))
    folder.chmod(0o711)  # the database's unprivileged account must reach its own folder in it
    try:
        with EmbeddedPostgres(folder / "data") as database:
            asyncio.run(_found(database.dsn))
            # The first turn only warms up: a new database's log and files still grow.
            measure(database.dsn, folder, min(count, 100_000), numbered=False)
            print(HEAD)
            for title, goal, numbered in (("plain", RATIO, False), ("with sealed numbers", RATIO_SEALED, True)):
                found = measure(database.dsn, folder, count, numbered=numbered, rounds=rounds)
                print(line(f"{count:,} people, {title}", goal, found), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
