"""`gridhood import`: a sheet from a file, with a bar, on the county's own machine."""

import asyncio
import shutil
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID

import orjson

from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import system_caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.imports import files, rejects, run, service
from shared.errors import Code
from shared.imports import BUSY, KNOWN_WORDS, Column, ImportOut, ImportState, Known, MappingIn
from shared.texts import _
from shared.types import Crs, uuid7

_BAR = 30
_SHOWN = 20
_AGAIN_S = 1.0


async def import_file(
    database: Database,
    keys: Keys,
    data: Path,
    file: Path,
    area: str,
    *,
    mapping: Path | None = None,
    dry_run: bool = False,
    known: Known = Known.keep,
    sheet: str = "",
    crs: Crs = Crs.wgs84,
) -> bool:
    """Import a file into an area as the county itself; say what came of it, and return whether it worked.

    Rows that stay out are written beside the file.
    """
    batch, county = uuid7(), area[:6]
    caller = system_caller(county)
    means = _read_mapping(mapping) if mapping else {}
    folder = files.folder_of(data, batch)
    await _copy(file, folder)

    async def receive(tx: Transaction) -> None:
        await service.receive(tx, caller, batch, area, file.name[:60], crs, sheet)

    try:
        await database.run(caller, receive)
    except BaseException:
        files.discard(folder)
        raise
    await _bring_on(database, keys, data, county, batch)
    if means:
        await database.run(caller, lambda tx: _map(tx, batch, means))
        await _bring_on(database, keys, data, county, batch)
    found = await database.run(caller, lambda tx: service.get(tx, batch))
    if not dry_run and found.state is ImportState.checked:
        await database.run(caller, lambda tx: service.store(tx, caller, batch, known))
        await _bring_on(database, keys, data, county, batch)
    found = await database.run(caller, lambda tx: service.get(tx, batch))
    await _tell(database, data, file, found)
    return found.state in (ImportState.checked, ImportState.stored)


async def _copy(file: Path, folder: Path) -> None:
    try:
        await asyncio.to_thread(folder.mkdir, 0o700, True)
        await asyncio.to_thread(shutil.copyfile, file, files.upload_in(folder))
    except OSError as error:
        files.discard(folder)
        raise Refusal(Code.malformed, _unreadable(file, error)) from error


def _unreadable(file: Path, error: OSError) -> str:
    return _("读不到文件 {file}：{why}").format(file=file, why=error.strerror)


async def _bring_on(database: Database, keys: Keys, data: Path, county: str, batch: UUID) -> None:
    """Do what the batch waits for. A server on the same database may be ahead of us: then it is waited for."""
    while True:
        await run.run(database, keys, data, county, batch, _bar)
        found = await database.run(system_caller(county), lambda tx: service.get(tx, batch))
        if found.state not in BUSY:
            break
        _bar(found.done, found.total)
        await asyncio.sleep(_AGAIN_S)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _bar(done: int, total: int | None) -> None:
    if total and sys.stderr.isatty():
        full = _BAR * done // total
        print(f"\r[{'#' * full}{'.' * (_BAR - full)}] {done:,} / {total:,}", end="", file=sys.stderr, flush=True)


def _read_mapping(file: Path) -> dict[str, str | None]:
    """Read what headers mean: a JSON object of header and column."""
    try:
        found = orjson.loads(file.read_bytes())
    except OSError as error:
        raise Refusal(Code.malformed, _unreadable(file, error)) from error
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(v is None or v in set(Column) for v in found.values()):
        raise Refusal(
            Code.malformed, _("对照表要写成 {{表头: 列}}，列可以是 {choices}。").format(choices=_("、").join(Column))
        )
    return found


async def _map(tx: Transaction, batch: UUID, means: dict[str, str | None]) -> None:
    present = await service.get(tx, batch)
    if strange := means.keys() - {column.header for column in present.columns}:
        raise Refusal(Code.malformed, _("表里没有这样的列名：{names}。").format(names=_("、").join(sorted(strange))))
    wanted = [means.get(c.header, c.means) for c in present.columns]
    repeated = [name for name, times in Counter(wanted).items() if name and times > 1]
    if repeated:
        raise Refusal(Code.malformed, _("同一项只能由一列来填：{repeated}。").format(repeated=_("、").join(repeated)))
    columns = [Column(name) if name else None for name in wanted]
    await service.map_columns(tx, tx.caller, batch, MappingIn(columns=columns))


async def _tell(database: Database, data: Path, file: Path, found: ImportOut) -> None:
    counts = found.counts
    print(f"{found.file_name}: {found.state.value} {found.problem}".rstrip())
    print(
        _("新增 {add}，已有 {same}，不同 {differs}").format(add=counts.add, same=counts.same, differs=counts.differs),
        end=_("，"),
    )
    print(
        _("可按表更新 {can_update}，已更新 {updated}（{known}）").format(
            can_update=counts.can_update, updated=counts.updated, known=KNOWN_WORDS[found.known]
        ),
        end=_("，"),
    )
    print(_("不能入库 {refused}，请核对 {warned}").format(refused=counts.refused, warned=counts.warned))
    print("  ".join(_("{header}→{means}").format(header=c.header, means=c.means or _("不读")) for c in found.columns))
    page = await database.run(
        system_caller(found.area_code[:6]), lambda tx: service.issues(tx, found.id, None, None, _SHOWN)
    )
    for issue in page.items:
        print(
            _("  第 {row} 行 {column}: {words} {value}")
            .format(row=issue.row, column=issue.column, words=issue.words, value=issue.value)
            .rstrip()
        )
    if page.next_cursor:
        print(_("  只列出前 {shown} 条，全部在 /api/v1/imports/{id}/issues").format(shown=_SHOWN, id=found.id))
    if counts.refused:
        beside = file.with_suffix(_(".不能入库.csv"))
        lines = rejects.lines(files.folder_of(data, found.id), [c.header for c in found.columns])
        beside.write_text("".join(lines), encoding="utf-8", newline="")
        print(_("不能入库的行在 {beside}，改好后可以再导入。").format(beside=beside))
