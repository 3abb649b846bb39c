"""The day's sheet as an Excel file."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mobile.visits.ledger import FORMULA_STARTS

WIDTHS = (9, 30, 14, 8, 12, 22, 36, 12, 20, 12)


def made(title: str, lines: Iterable[Sequence[str]]) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = title
    _fill(sheet, lines)
    _dress(sheet)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, lines: Iterable[Sequence[str]]) -> None:
    for number, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            _put_text(sheet.cell(number, column), value)


def _put_text(cell: Cell, value: str) -> None:
    # openpyxl takes a leading = for a formula, and Excel does so when the cell is edited: the quote mark stops both.
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = value.startswith(FORMULA_STARTS)


def _dress(sheet: Worksheet) -> None:
    sheet.freeze_panes = "A2"
    for column, width in enumerate(WIDTHS, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=cell.row == 1)
