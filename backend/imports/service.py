"""Use cases of imports: what a coordinator asks for. The work itself is done by `run.py`, in a process of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import orjson

from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.paging import Page, PageParams, cut
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.grid import queries as grid
from backend.imports import files, queries, rejects, undo
from backend.imports.rules import may_import_into
from shared.errors import Code
from shared.imports import BUSY, Grade, ImportOut, ImportState, IssueOut, Known, MappingIn, UndoIn
from shared.texts import _
from shared.types import Crs, uuid7

CHANNEL = "gridhood_imports"
"""Notified when a batch waits for the worker."""

PAUSE_S = 0.7
_SHOWN = 20


async def receive(
    tx: Transaction, caller: Caller, batch: UUID, area: str, file_name: str, crs: Crs, sheet: str = ""
) -> ImportOut:
    """Note a sheet whose file has been received; it is checked at once, and nothing is stored yet."""
    await refuse_area(tx, caller, area)
    await queries.add(
        tx.conn, tx.county, batch, area, caller.account_id, caller.name, file_name, crs.value, tx.now, sheet
    )
    tx.audit("import.received", "import", batch, area)
    tx.notify(CHANNEL)
    return await get(tx, batch)


async def refuse_area(tx: Transaction, caller: Caller, area: str) -> None:
    """Refuse a place that the caller may not import into, or that is no cell or community."""
    if not may_import_into(caller, area):
        raise Refusal(Code.area_not_allowed, pointer="/area_code")
    if len(area) < 12 or not await grid.is_known_area(tx.conn, tx.county, area):
        raise Refusal(Code.unknown_area, _("请选一个网格或社区。"), pointer="/area_code")


async def get(tx: Transaction, batch: UUID) -> ImportOut:
    found = await queries.batch(tx.conn, tx.county, batch)
    if found is None:
        raise Refusal(Code.not_found)
    return found


async def listed(tx: Transaction, paging: PageParams) -> Page[ImportOut]:
    found = await queries.page(tx.conn, tx.county, paging)
    return cut(found, paging.limit)


async def issues(tx: Transaction, batch: UUID, grade: Grade | None, after: UUID | None, limit: int) -> Page[IssueOut]:
    """Return the report, row by row."""
    await get(tx, batch)
    found = await queries.issues(tx.conn, tx.county, batch, grade, after, limit)
    more = str(found[limit - 1][0]) if len(found) > limit else None
    return Page(items=[issue for _, issue in found[:limit]], next_cursor=more)


async def map_columns(tx: Transaction, caller: Caller, batch: UUID, body: MappingIn) -> ImportOut:
    """Say what the columns mean; the sheet is checked anew, and the next one with these headers is read the same."""
    present = await _mine(tx, caller, batch)
    if len(body.columns) != len(present.columns):
        raise Refusal(
            Code.malformed,
            _("这张表有 {count} 列，要逐列说明。").format(count=len(present.columns)),
            pointer="/columns",
        )
    given = [column.value for column in body.columns if column]
    if len(given) != len(set(given)):
        raise Refusal(Code.malformed, _("同一项只能由一列来填。"), pointer="/columns")
    await _step(tx, batch, (ImportState.checked, ImportState.failed), ImportState.received)
    means = [column.value if column else None for column in body.columns]
    columns = [{"header": c.header, "means": m} for c, m in zip(present.columns, means, strict=True)]
    await queries.change(tx.conn, tx.county, batch, columns=columns)
    row = await queries.work(tx.conn, tx.county, batch)
    assert row is not None
    await queries.remember(
        tx.conn, tx.county, uuid7(), present.area_code, row["fingerprint"], means, caller.account_id, tx.now
    )
    return await get(tx, batch)


async def store(tx: Transaction, caller: Caller, batch: UUID, known: Known = Known.keep) -> ImportOut:
    """Have a checked sheet stored; asked again, it goes on as it is."""
    present = await _mine(tx, caller, batch)
    if present.state not in (ImportState.to_store, ImportState.storing, ImportState.stored):
        await _step(tx, batch, (ImportState.checked,), ImportState.to_store)
        await queries.change(tx.conn, tx.county, batch, known=known.value)
        tx.audit("import.ordered", "import", batch, present.area_code, known=known.value)
    return await get(tx, batch)


async def take_back(tx: Transaction, caller: Caller, batch: UUID, body: UndoIn) -> ImportOut:
    """Have a whole batch undone. People who were changed since are named, and the rest goes only if that is wanted."""
    present = await _mine(tx, caller, batch)
    if present.state in (ImportState.to_undo, ImportState.undoing, ImportState.undone):
        return present
    if not body.rest and (kept := await undo.changed(tx.conn, tx.county, batch, _SHOWN)):
        named = _("、").join(_("第 {row} 行 {name}").format(row=row, name=name) for row, name in kept)
        raise Refusal(
            Code.import_changed_since,
            _("入库后有人改过或用到：{named}。可以只撤回其余的。").format(named=named),
            pointer="/rest",
        )
    await _step(tx, batch, (ImportState.stored, ImportState.cancelled, ImportState.failed), ImportState.to_undo)
    tx.audit("import.undo_ordered", "import", batch, present.area_code)
    return await get(tx, batch)


async def cancel(tx: Transaction, caller: Caller, batch: UUID) -> ImportOut:
    """Stop a batch after the slice it is at. What is stored by then stays, and can be undone."""
    present = await _mine(tx, caller, batch)
    if present.state is ImportState.checked:
        await queries.change(tx.conn, tx.county, batch, state=ImportState.cancelled.value, finished_at=tx.now)
    elif present.state in BUSY - {ImportState.to_undo, ImportState.undoing}:
        await queries.change(tx.conn, tx.county, batch, stopping=True)
    elif present.state is not ImportState.cancelled:
        raise Refusal(Code.step_not_allowed)
    return await get(tx, batch)


async def reject_file(tx: Transaction, data: Path, caller: Caller, batch: UUID) -> AsyncIterator[bytes]:
    """Return the rows that stayed out, with the reasons. Such a file leaves with people's numbers: it is noted."""
    present = await _mine(tx, caller, batch)
    if present.state in BUSY or not present.counts.refused:
        raise Refusal(Code.not_found, _("没有不能入库的行。"))
    if not rejects.are_there(files.folder_of(data, batch)):
        raise Refusal(Code.not_found, _("不能入库的行已经按期限清理了，请重新导入原来的表。"))
    tx.audit("import.rejects_read", "import", batch, present.area_code)
    return _bytes(files.folder_of(data, batch), [column.header for column in present.columns])


async def _bytes(folder: Path, headers: list[str]) -> AsyncIterator[bytes]:
    for line in rejects.lines(folder, headers):
        yield line.encode()


async def events(database: Database, caller: Caller, first: ImportOut, pause: float = PAUSE_S) -> AsyncIterator[bytes]:
    """Yield the state of a batch as server-sent events whenever it changes, until there is nothing more to wait for.

    Each look is a transaction of its own: a connection is not held while nothing happens.
    """
    present: ImportOut | None = first
    told = 0
    while present is not None:
        if present.rev != told:
            told = present.rev
            yield b"event: progress\ndata: " + orjson.dumps(present.model_dump(mode="json")) + b"\n\n"
        if present.state not in BUSY:
            return
        await asyncio.sleep(pause)
        present = await database.run(caller, lambda tx: queries.batch(tx.conn, tx.county, first.id), snapshot=True)


async def _mine(tx: Transaction, caller: Caller, batch: UUID) -> ImportOut:
    present = await get(tx, batch)
    if not may_import_into(caller, present.area_code):
        raise Refusal(Code.area_not_allowed)
    return present


async def _step(tx: Transaction, batch: UUID, states: tuple[ImportState, ...], to: ImportState) -> None:
    if not await queries.step(tx.conn, tx.county, batch, states, to):
        raise Refusal(Code.step_not_allowed)
    tx.notify(CHANNEL)
