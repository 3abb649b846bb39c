"""Reading a sheet: CSV in any of the usual encodings, or XLSX, into slices of plain text on disk.

A slice is a small UTF-8 file, so that checking and storing can begin at any of them, and no row is held in memory.
"""

import codecs
import csv
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


def read(upload: Path, folder: Path, told: Told = lambda _rows: None) -> Reading:
    """Write the rows under the header into slices and say what the header is. What cannot be read is refused in
    words."""
    if workbook.is_workbook(upload):
        workbook.refuse_bombs(upload)
        candidates: Iterable[tuple[str, Iterator[Row]]] = workbook.sheets(upload)
    else:
        candidates = [("", rows) for rows in _text_tables(upload)]
    for name, rows in candidates:
        first = list(islice(rows, _TITLE_ROWS))
        if place := _header_in([cells for _, cells in first]):
            headers = _trimmed(place.headers)
            body = _body(first[place.next :], rows, len(headers), _name_at(headers))
            return Reading(name, headers, _write(body, len(headers), folder, told))
    raise Unreadable(
        _("没有找到表头。请在前 20 行里写上“姓名”“身份证号”这样的一行列名；文字要用 UTF-8 或 GB18030 编码。")
    )


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
        with slice_file(folder, number).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["row", *(f"c{at}" for at in range(width))])
            writer.writerows(part)
        total += len(part)
        told(total)
    if not total:
        raise Unreadable(_("表头下面没有内容。"))
    return total


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
