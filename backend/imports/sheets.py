"""Reading a sheet: CSV in any of the usual encodings, or XLSX, into slices of plain text on disk.

A slice is a small UTF-8 file, so that checking and storing can begin at any of them, and no row is held in memory.
"""

import codecs
import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from backend.imports import columns, workbook
from backend.imports.refusing import Unreadable
from shared.residents import FORMULA_MARKS
from shared.texts import _

SLICE_ROWS: Final = 10_000
MOST_COLUMNS: Final = 200
REFUSED: Final = ".refused.csv"
FORMULA_STARTS: Final = tuple(FORMULA_MARKS)
_TITLE_ROWS: Final = 20
_TOTALS: Final = frozenset({"合计", "总计", "小计", "合计：", "总计："})

Row = tuple[int, list[str]]
"""A row with the number that spreadsheet programs show."""

Told = Callable[[int], None]


class Reading(NamedTuple):
    """What a sheet turned out to be."""

    sheet: str
    headers: list[str]
    total: int


class _Table(NamedTuple):
    """A table whose first rows have been read; `header` is what they seem to say."""

    name: str
    header: "_Header"
    known: bool
    first: list[Row]
    rest: Iterator[Row]


def read(upload: Path, folder: Path, told: Told = lambda _rows: None, wanted: str = "") -> Reading:
    """Write the rows under the header into slices and say what the header is. What cannot be read is refused in
    words. A workbook of several lists is read a sheet at a time: `wanted` says which."""
    if workbook.is_workbook(upload):
        workbook.refuse_bombs(upload)
        table = _sheet(list(workbook.sheets(upload)), wanted)
    else:
        table = _likeliest(_opened("", rows) for rows in _text_tables(upload))
    if table is None:
        raise Unreadable(
            _("没有找到表头。请在前 20 行里写上“姓名”“身份证号”这样的一行列名；文字要用 UTF-8 或 GB18030 编码。")
        )
    headers = _trimmed(table.header.headers)
    body = _body(table.first[table.header.next :], table.rest, len(headers), _name_at(headers))
    return Reading(table.name, headers, _write(body, len(headers), folder, told))


def _sheet(sheets: Sequence[tuple[str, Iterator[Row]]], wanted: str) -> _Table | None:
    """Return the one sheet that is a list of people. Of several none is left out without a word."""
    if wanted and wanted not in (name for name, _rows in sheets):
        raise Unreadable(_("没有“{name}”这张工作表。").format(name=wanted))
    tables = [found for name, rows in sheets if wanted in ("", name) and (found := _opened(name, rows))]
    lists = [table.name for table in tables if table.known]
    if len(lists) > 1:
        raise Unreadable(
            _("这份表格里有 {count} 张名单：{names}。一次导入一张，请写明是哪一张工作表。").format(
                count=len(lists), names=_("、").join(lists)
            )
        )
    return _likeliest(tables)


def _opened(name: str, rows: Iterator[Row]) -> _Table | None:
    first = list(islice(rows, _TITLE_ROWS))
    cells = [cells for _, cells in first]
    known = _header_in(cells)
    header = known or _guess_in(cells)
    return _Table(name, header, known is not None, first, rows) if header else None


def _likeliest(tables: Iterable[_Table | None]) -> _Table | None:
    """Return the first whose header is known, else the first that may have one."""
    guessed = None
    for table in tables:
        if table and table.known:
            return table
        guessed = guessed or table
    return guessed


class _Header(NamedTuple):
    headers: list[str]
    next: int


def _header_in(rows: Sequence[Sequence[str]]) -> _Header | None:
    """Find the row of column names below merged titles. A header of two rows is read as one: the lower name counts,
    the upper one where the lower cell is empty."""
    scores = [columns.known_in(cells) for cells in rows]
    best = max(range(len(rows)), key=lambda at: (scores[at], -at), default=None)
    if best is None or scores[best] < 2:
        return None
    first = best - 1 if best and scores[best - 1] and not _has_digits(rows[best - 1]) else best
    last = best + 1 if best + 1 < len(rows) and _goes_on(rows[best], rows[best + 1]) else best
    width = max(len(rows[at]) for at in range(first, last + 1))
    headers = [""] * width
    for at in range(first, last + 1):
        for place, cell in enumerate(rows[at]):
            if cell.strip() and (
                not headers[place] or columns.meaning_of(cell) or not columns.meaning_of(headers[place])
            ):
                headers[place] = " ".join(cell.split())
    return _Header(headers, last + 1)


def _guess_in(rows: Sequence[Sequence[str]]) -> _Header | None:
    """Take the fullest row of words for a header that nobody knows: what its columns mean can be said by hand."""
    sizes = [0 if _has_digits(cells) else sum(bool(cell.strip()) for cell in cells) for cells in rows]
    size = max(sizes, default=0)
    if size < 2:
        return None
    at = sizes.index(size)
    return _Header([" ".join(cell.split()) for cell in rows[at]], at + 1)


def _has_digits(cells: Sequence[str]) -> bool:
    return any(char.isdigit() for cell in cells for char in cell)


def _goes_on(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Say whether a row is the second one of a header, and not the first person."""
    at = _name_at(upper)
    name = lower[at] if at < len(lower) else ""
    named = not name.strip() or columns.meaning_of(name) is not None
    return named and columns.known_in(lower) > 0 and not _has_digits(lower)


def _trimmed(headers: list[str]) -> list[str]:
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise Unreadable(
            _("列太多了：有 {count} 列，最多 {most_columns} 列。").format(count=len(headers), most_columns=MOST_COLUMNS)
        )
    return headers


def _name_at(headers: Sequence[str]) -> int:
    meanings = columns.meanings_of(headers)
    found = [at for at, meaning in enumerate(meanings) if meaning == "name"]
    return found[0] if found else 0


def _body(first: Sequence[Row], rest: Iterator[Row], width: int, name_at: int) -> Iterator[list[str]]:
    """Yield rows as [number, cells…]. Empty rows, a header printed again on every page and totals are no people."""
    for number, cells in (row for part in (first, rest) for row in part):
        kept = [cell.strip() for cell in cells[:width]]
        line = "".join(kept)
        if "'" in line or "\0" in line:
            kept = [_plain(cell) for cell in kept]
        kept += [""] * (width - len(kept))
        name = kept[name_at]
        if any(kept) and columns.meaning_of(name) is None and not {name, kept[0]} & _TOTALS:
            yield [str(number), *kept]


def _plain(cell: str) -> str:
    """Return a cell without the mark that keeps our own reject file from being read as formulas."""
    text = cell.replace("\0", "")
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_STARTS else text


def _write(body: Iterator[list[str]], width: int, folder: Path, told: Told) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    total = 0
    for number in range(1_000_000):
        part = list(islice(body, SLICE_ROWS))
        if not part:
            break
        _put(slice_file(folder, number), ["row", *(f"c{at}" for at in range(width))], part)
        total += len(part)
        told(total)
    if not total:
        raise Unreadable(_("表头下面没有内容。"))
    return total


def _put(target: Path, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a slice that is there whole or not at all: another process may be at the same batch, and read it."""
    draft = target.with_name(f"{target.name}.{os.getpid()}.part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
    draft.replace(target)


def slice_file(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.csv"


def refused_file(folder: Path, number: int) -> Path:
    return folder / f"{number:06}{REFUSED}"


def slice_count(total: int) -> int:
    return -(-total // SLICE_ROWS)


def _text_tables(upload: Path) -> Iterator[Iterator[Row]]:
    """Yield the file as a table for each delimiter in use, the likeliest first."""
    encoding = _encoding_of(upload)
    with upload.open(encoding=encoding, newline="") as file:
        head = "".join(islice(file, _TITLE_ROWS))
    for delimiter in sorted(",\t;", key=head.count, reverse=True):
        yield _lines(upload, encoding, delimiter)


def _lines(upload: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    with upload.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        try:
            yield from enumerate(reader, 1)
        except csv.Error as error:
            raise Unreadable(
                _("第 {line_num} 行读不下去：可能有一个引号没有配对。").format(line_num=reader.line_num)
            ) from error


def _encoding_of(upload: Path) -> str:
    """Tell the encoding by reading the whole file strictly: a few Chinese bytes are valid in several."""
    with upload.open("rb") as file:
        mark = file.read(4)
    wide = mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if wide else ["utf-8-sig", "gb18030"]:
        if _decodes(upload, encoding):
            return encoding
    raise Unreadable(_("文字编码认不出来。请用表格软件另存为“CSV UTF-8”再导入。"))


def _decodes(upload: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with upload.open("rb") as file:
        try:
            while chunk := file.read(1 << 20):
                if "\0" in decoder.decode(chunk):
                    return False
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True
