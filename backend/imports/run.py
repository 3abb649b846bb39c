"""Bringing a batch on: reading, checking, storing, a slice at a time, each settled in a transaction of its own.

A restart goes on at the first slice that is not settled: ids come from the batch and the row, so nothing is doubled.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import structlog

from backend.auth.directory import Directory
from backend.core.clock import county_day
from backend.core.db import Database
from backend.core.handover import beyond_scope
from backend.core.scope import Caller, system_caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import locate
from backend.grid import queries as grid
from backend.imports import columns as headers
from backend.imports import files, ids, known, queries, sheets, staging, undo, updating
from backend.imports.checks import EMPTY_ISSUES, World
from backend.imports.prepare import Part, Preparing, keep_refused, refused_rows
from backend.imports.refusing import Unreadable
from backend.imports.rules import coordinator, may_import_into
from backend.imports.words import plain_cell, spoken_community
from backend.residents import findings
from shared.imports import BUSY, COLUMN_WORDS, Column, Grade, ImportState, Known
from shared.residents import Sex
from shared.texts import _
from shared.types import Crs, community_of, is_within

log = structlog.get_logger()

Watch = Callable[[int, int | None], None]
"""Told after each slice how many rows are done, of how many."""

_NEXT = {
    ImportState.received: ImportState.checking,
    ImportState.to_store: ImportState.storing,
    ImportState.to_undo: ImportState.undoing,
}


class _Stopped(Exception):
    """Somebody cancelled the batch."""


async def run(
    database: Database, keys: Keys, folder: Path, county: str, batch: UUID, watch: Watch = lambda _done, _total: None
) -> None:
    """Do what a batch waits for, to its end or to a plain word of what went wrong."""
    try:
        await _Run(database, keys, folder, county, batch, watch).go()
    except queries.SettledElsewhere:
        log.info("import_elsewhere", batch=str(batch))
    except _Stopped:
        await _end(database, county, batch, ImportState.cancelled, "")
    except FileNotFoundError:
        await _end(database, county, batch, ImportState.failed, _("表格文件不在服务器上了，请重新导入。"))
    except Unreadable as why:
        await _end(database, county, batch, ImportState.failed, str(why))


async def _end(database: Database, county: str, batch: UUID, state: ImportState, problem: str) -> None:
    async def work(tx: Transaction) -> None:
        await queries.change(
            tx.conn, county, batch, state=state.value, problem=problem, finished_at=tx.now, stopping=False
        )

    await database.run(system_caller(county), work)


class _Run:
    """One batch being brought on, as the person who sent it."""

    def __init__(self, database: Database, keys: Keys, folder: Path, county: str, batch: UUID, watch: Watch) -> None:
        self.database, self.keys, self.county, self.batch, self.watch = database, keys, county, batch, watch
        self.folder = files.folder_of(folder, batch)
        self.caller = system_caller(county)
        self.row: Any = None

    async def go(self) -> None:
        await self._load()
        state = ImportState(self.row["state"])
        if state not in BUSY:
            return
        if state in _NEXT:
            await self._do(partial(self._begin, state=state))
        self.caller = await self._sender()
        if state in (ImportState.to_undo, ImportState.undoing):
            await undo.run(self.database, self.caller, self.batch, self.watch)
            files.discard(self.folder)
            return
        await self._load()
        await self._read()
        storing = self.row["state"] == ImportState.storing
        await self._slices(storing=storing)
        await _end(self.database, self.county, self.batch, ImportState.stored if storing else ImportState.checked, "")
        if storing:
            files.discard_upload(self.folder)

    async def _do(self, work: Callable[[Transaction], Awaitable[Any]]) -> Any:
        return await self.database.run(self.caller, work)

    async def _load(self) -> None:
        self.row = await self._do(lambda tx: queries.work(tx.conn, self.county, self.batch))

    async def _begin(self, tx: Transaction, state: ImportState) -> None:
        if not await queries.step(tx.conn, self.county, self.batch, [state], _NEXT[state]):
            raise queries.SettledElsewhere
        if state is not ImportState.to_undo:
            await queries.clear_issues(tx.conn, self.county, self.batch)
            await queries.change(tx.conn, self.county, self.batch, counts={})

    async def _sender(self) -> Caller:
        """Return who sent the sheet, with today's grants as a coordinator and no other."""
        if self.row["account_id"] == self.caller.account_id:
            return self.caller
        found = await Directory(self.database).caller(self.county, self.row["account_id"])
        if found is None or not (sender := coordinator(found)):
            raise Unreadable(_("导入的人已经不管这个地方了，没有继续。"))
        return sender

    async def _read(self) -> None:
        """Turn the file into slices, once."""
        if self.row["total"] is not None:
            return
        upload, wanted = files.upload_in(self.folder), self.row["sheet"]
        reading = await asyncio.to_thread(sheets.read, upload, self.folder, wanted=wanted)
        mark = headers.fingerprint(reading.headers)

        async def work(tx: Transaction) -> None:
            known = await queries.remembered(tx.conn, self.county, self.row["area_code"], mark)
            means = known if known and len(known) == len(reading.headers) else headers.meanings_of(reading.headers)
            found = [{"header": h, "means": m} for h, m in zip(reading.headers, means, strict=True)]
            await queries.change(
                tx.conn, self.county, self.batch, sheet=reading.sheet[:100], total=reading.total, fingerprint=mark,
                columns=found,
            )  # fmt: skip

        await self._do(work)
        await self._load()

    async def _slices(self, *, storing: bool) -> None:
        """Prepare one slice while the database is at the one before it."""
        preparing = await self._prepared(storing=storing)
        first, last = self.row["slices"], sheets.slice_count(self.row["total"])
        for number in range(first):
            await asyncio.to_thread(preparing.skip, number)
        empty = await self._do(lambda tx: queries.register_empty(tx.conn, self.county, self.batch))
        coming = asyncio.create_task(asyncio.to_thread(preparing.part, first)) if first < last else None
        for number in range(first, last):
            assert coming is not None
            part = await coming
            coming = asyncio.create_task(asyncio.to_thread(preparing.part, number + 1)) if number + 1 < last else None
            try:
                if storing and self.row["known"] == Known.update:
                    await self._bring_up(part, empty=empty)
                await self._do(partial(self._settle, part=part, storing=storing, empty=empty))
            except BaseException:
                if coming:
                    await asyncio.wait({coming})
                raise
            self.watch(min((number + 1) * sheets.SLICE_ROWS, self.row["total"]), self.row["total"])

    async def _prepared(self, *, storing: bool) -> Preparing:
        means = [Column(c["means"]) if c["means"] else None for c in files.parsed(self.row["columns"])]
        if Column.name not in means:
            raise Unreadable(_("没有一列是姓名。请在“各列当作哪一项”里指出来，或在表里写上“姓名”这样的列名。"))
        world: World = await self._do(self._world)
        return Preparing(self.folder, ids.prefix_of(self.batch), self.county, means, world, self.keys, storing)

    async def _world(self, tx: Transaction) -> World:
        async with beyond_scope(tx, "import.grid_read", "import", self.batch, self.county):
            cells = await grid.basic_cells(tx.conn, self.county, self.county)
        named = [(plain_cell(name), code) for code, name, _ in cells]
        community = community_of(self.row["area_code"])
        near = [(name, code) for name, code in named if is_within(code, community)]
        own = spoken_community((await grid.names(tx.conn, [community])).get(community, ""))
        short = [(name.removeprefix(own), code) for name, code in near]
        known = _unique(named) | _unique(short) | _unique(near) | {code: code for code, _, _ in cells}
        found = await queries.buildings(tx.conn, self.county)
        schema = {"compound": pl.String, "building": pl.String, "area_of_building": pl.String}
        return World(
            day=county_day(tx.now), cells=known, mine=lambda code: may_import_into(self.caller, code),
            default=self.row["area_code"], buildings=pl.DataFrame(found, schema=schema, orient="row"),
            grid=locate.CountyGrid(None, cells), crs=Crs(self.row["crs"]),
        )  # fmt: skip

    async def _bring_up(self, part: Part, *, empty: bool) -> None:
        """Bring people up to a slice before it is settled, some hundred to a transaction.

        Begun anew, the slice is compared anew: who is as it says by then is not changed again.
        """
        rows = await self._do(partial(self._wanted, part=part, empty=empty))
        for at in range(0, len(rows), updating.AT_ONCE):
            await self._do(partial(self._change, number=part.number, rows=rows[at : at + updating.AT_ONCE]))

    async def _wanted(self, tx: Transaction, part: Part, *, empty: bool) -> list[Any]:
        await staging.copy_in(tx, part.staged, part.keys)
        found = await staging.compare(tx, self.batch, register_empty=empty)
        return await updating.wanted(tx, self.batch, found)

    async def _change(self, tx: Transaction, number: int, rows: list[Any]) -> None:
        await self._claim(tx, number)
        await updating.bring_up(tx, self.batch, rows)

    async def _claim(self, tx: Transaction, number: int) -> dict[str, int]:
        """Have the slice to oneself, unless somebody has cancelled the batch."""
        if await queries.is_stopping(tx.conn, self.county, self.batch):
            raise _Stopped
        return await queries.claim_slice(tx.conn, self.county, self.batch, number)

    async def _settle(self, tx: Transaction, part: Part, *, storing: bool, empty: bool) -> None:
        counts = await self._claim(tx, part.number)
        await staging.copy_in(tx, part.staged, part.keys)
        found = await staging.compare(tx, self.batch, register_empty=empty)
        heads = await staging.second_heads(tx, self.batch)
        namesakes = [] if empty else await staging.namesakes(tx, self.batch)
        updated = await updating.brought_up(tx.conn, self.county, self.batch)
        said = _second_heads(heads) + _namesakes(namesakes) + known.issues(found, updated, storing=storing)
        issues = pl.concat([part.issues, pl.DataFrame(said, schema=EMPTY_ISSUES.schema, orient="row")])
        refused = refused_rows(issues)
        await self._report(tx, part, issues, refused)
        if storing:
            await self._store(tx, part)
        counts = _counted(counts, part, found, updated, issues, refused)
        done = min((part.number + 1) * sheets.SLICE_ROWS, self.row["total"])
        await queries.change(tx.conn, self.county, self.batch, counts=counts, slices=part.number + 1, done=done)
        if storing:
            await staging.tell(tx)

    async def _report(self, tx: Transaction, part: Part, issues: pl.DataFrame, refused: pl.DataFrame) -> None:
        await asyncio.to_thread(keep_refused, self.folder, part.number, refused)
        titles = {Column(c["means"]).value: c["header"] for c in files.parsed(self.row["columns"]) if c["means"]}
        words = {column.value: titles.get(column.value, COLUMN_WORDS[column]) for column in Column}
        placed = issues.sort("row", maintain_order=True).with_columns(
            pl.int_range(pl.len()).over("row").alias("place"), pl.col("column").replace(words)
        )
        named = ("row", "place", "grade", "column", "words", "value")
        await queries.add_issues(
            tx.conn, self.county, self.batch, self.row["area_code"], [placed[name].to_list() for name in named]
        )

    async def _store(self, tx: Transaction, part: Part) -> None:
        people = await staging.store(tx, self.batch)
        claims = _claims(part, self.batch)
        stored = await staging.added(tx, [claim.resident_id for claim in claims])
        await findings.compare(tx, [claim for claim in claims if claim.resident_id in stored])
        tx.audit("residents.imported", "import", self.batch, self.row["area_code"], people=people)


def _unique(named: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the codes of cells whose names only one of them bears. Every community has its 第1网格."""
    times = Counter(name for name, _code in named)
    return {name: code for name, code in named if times[name] == 1}


def _second_heads(rows: list[int]) -> list[tuple[int, str, str, str, str]]:
    words = _("这一户已经有户主，关系记成“其他”，请核对。")
    return [(row, Grade.warned.value, Column.relation.value, words, "") for row in rows]


def _namesakes(rows: list[int]) -> list[tuple[int, str, str, str, str]]:
    why = _("库里已有同名、同日出生的人，登记在别的门，可能是同一个人，请核对。")
    return [(row, Grade.warned.value, Column.name.value, why, "") for row in rows]


def _counted(
    counts: dict[str, int], part: Part, found: list[known.Known], updated: set[int], issues: pl.DataFrame,
    refused: pl.DataFrame,
) -> dict[str, int]:  # fmt: skip
    out = pl.Series("row", refused["row"], dtype=pl.Int64)
    rows = issues.filter((pl.col("grade") == Grade.warned.value) & ~pl.col("row").is_in(out.implode()))
    here = {
        "add": part.good.height - len(found),
        **known.counted(found, updated),
        "refused": refused.height,
        "warned": rows["row"].n_unique(),
    }
    return {name: counts.get(name, 0) + number for name, number in here.items()}


def _claims(part: Part, batch: UUID) -> list[findings.Claim]:
    """Return the people whose number says something else than their sheet: a finding stays with the person."""
    doubtful = part.good.filter(
        (pl.col("number") != pl.col("id_plain"))
        | (pl.col("id_birth") != pl.col("birth"))
        | (pl.col("sex").is_in(["1", "2"]) & (pl.col("sex") != pl.col("id_sex")))
    ).select("row", "area", "id_plain", "sex", "birth")
    return [
        findings.Claim(UUID(ids.of_row(ids.prefix_of(batch), ids.Kind.resident, row)), area, number, Sex(sex), birth)
        for row, area, number, sex, birth in doubtful.rows()
    ]
