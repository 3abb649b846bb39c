"""The reject file: rows that stayed out, as they came, with the reasons, to be put right and imported again."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from backend.imports import sheets
from shared.texts import _

REASON = _("原因")


def are_there(folder: Path) -> bool:
    """Say whether the rows are still kept: their files go after some days, and stay behind when a county moves."""
    return any(folder.glob(f"*{sheets.REFUSED}"))


def lines(folder: Path, headers: Sequence[str]) -> Iterator[str]:
    """Yield the file line by line, with the mark that Chinese spreadsheet programs know UTF-8 by."""
    yield "\ufeff" + _line([*headers, REASON])
    for part in sorted(folder.glob(f"*{sheets.REFUSED}")):
        with part.open(encoding="utf-8", newline="") as file:
            for cells in csv.reader(file):
                yield _line(cells)


def _line(cells: Sequence[str]) -> str:
    buffer = StringIO()
    csv.writer(buffer).writerow([safe(cell) for cell in cells])
    return buffer.getvalue()


def safe(cell: str) -> str:
    """Keep a cell from being read as a formula when the file is opened."""
    return f"'{cell}" if cell.startswith((*sheets.FORMULA_STARTS, "\t", "\r")) else cell
