"""XLSX: what may be opened at all, and its rows as text."""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from backend.imports.refusing import Unreadable
from shared.texts import _

NO_VALUE: Final = "#公式"
"""What stands for a formula whose result the file does not hold."""

_ZIP, _OLE = b"PK", bytes.fromhex("d0cf11e0a1b11ae1")
_MOST_UNPACKED: Final = 1 << 30
_MOST_STRINGS: Final = 100 << 20
"""Shared strings are held in memory whole."""

_MOST_RATIO: Final = 250
"""Sheets shrink to a tenth or, of repeated rows, a hundredth; a bomb to a thousandth."""

_SMALL: Final = 4 << 20
_BROKEN: Final = _("表格文件坏了，打不开。请重新保存一次。")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, KeyError, ValueError, SyntaxError, EOFError)
"""What a wrong byte raises, in the directory of the archive or in the middle of a sheet."""

_EXACT_DIGITS: Final = 15


def is_workbook(upload: Path) -> bool:
    """Say whether it is an XLSX file; an old or locked one is refused in words."""
    with upload.open("rb") as file:
        mark = file.read(8)
    if mark == _OLE:
        raise Unreadable(_("这是旧版 .xls 或加了密码的表格。请去掉密码，另存为 .xlsx 或 CSV 再导入。"))
    return mark.startswith(_ZIP)


def refuse_bombs(upload: Path) -> None:
    """Refuse by what the archive declares. The declaration holds: reading a member ends at its declared size."""
    try:
        with zipfile.ZipFile(upload) as archive:
            members = archive.infolist()
            if not any(member.filename == "xl/workbook.xml" for member in members):
                raise Unreadable(_("这个文件不是表格。请用 .xlsx 或 CSV。"))
            if any(member.flag_bits & 1 for member in members):
                raise Unreadable(_("表格加了密码。请去掉密码再导入。"))
            for member in members:
                _refuse_bomb(archive, member)
            if sum(member.file_size for member in members) > _MOST_UNPACKED or len(members) > 10_000:
                raise Unreadable(_("表格解开以后太大了。请另存为 CSV 再导入。"))
    except (NotImplementedError, OSError, *_DAMAGE) as error:
        raise Unreadable(_BROKEN) from error


def _refuse_bomb(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > _SMALL and ratio > _MOST_RATIO:
        raise Unreadable(_("表格解开以后是原来的几百倍，不像真的表格，没有打开。"))
    if member.filename == "xl/sharedStrings.xml" and member.file_size > _MOST_STRINGS:
        raise Unreadable(_("表格里的文字太多了。请另存为 CSV 再导入。"))
    if member.filename.endswith((".xml", ".rels")):
        with archive.open(member) as file:
            if b"<!DOCTYPE" in file.read(4096):
                raise Unreadable(_("表格里有不该有的声明，没有打开。"))


def sheets(upload: Path) -> Iterator[tuple[str, Iterator[tuple[int, list[str]]]]]:
    """Yield name and rows of each visible sheet."""
    # Only a process that reads a workbook carries the package.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        formulas = _has_formulas(upload)
        values = openpyxl.load_workbook(upload.open("rb"), read_only=True, data_only=True)
        raw = openpyxl.load_workbook(upload.open("rb"), read_only=True) if formulas else None
        for sheet in values.worksheets:
            if sheet.sheet_state == "visible":
                written = raw[sheet.title].iter_rows() if raw else repeat(())
                yield sheet.title, _rows(sheet.iter_rows(values_only=True), written)
    except (InvalidFileException, *_DAMAGE) as error:
        raise Unreadable(_BROKEN) from error


def _has_formulas(upload: Path) -> bool:
    with zipfile.ZipFile(upload) as archive:
        return any(_mentions(archive, name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet"))


def _mentions(archive: zipfile.ZipFile, name: str) -> bool:
    tail = b""
    with archive.open(name) as file:
        while chunk := file.read(1 << 20):
            if b"<f>" in (seen := tail + chunk) or b"<f " in seen or b"<f/" in seen:
                return True
            tail = seen[-3:]
    return False


def _rows(values: Iterator[tuple[Any, ...]], written: Iterator[tuple[Any, ...]]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows as text; `written` are the same rows as typed, formulas included."""
    try:
        for number, (cells, typed) in enumerate(zip(values, written, strict=False), 1):
            row = [_text(cell) for cell in cells]
            for at, cell in enumerate(typed[: len(row)]):
                if cell.data_type == "f" and cells[at] is None:
                    row[at] = NO_VALUE
            yield number, row
    except _DAMAGE as error:
        raise Unreadable(_BROKEN) from error


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case date() | datetime():
            return value.isoformat()
        case bool():
            return "是" if value else "否"
        case int() | float() if abs(value) >= 10**_EXACT_DIGITS:
            return f"{value:.5E}"  # its last digits are gone: the check says so
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
