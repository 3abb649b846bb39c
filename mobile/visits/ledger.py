"""走访台账: the day's sheet, filled from what was recorded, as a workbook and as text to paste."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from mobile.core import texts
from mobile.residents.rules import door
from shared.residents import HouseholdOut
from shared.visits import EVIDENCE_WORDS, FINDING_WORDS, MODE_WORDS, OUTCOME_WORDS, VisitOut

HEADINGS = ("时间", "户", "姓名", "方式", "结果", "发现的情况", "说明", "约好再来", "位置", "走访人")
WIDTHS = (9, 30, 14, 8, 12, 22, 36, 12, 20, 12)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One visit in the words of the sheet; the fields stand in the order of the headings."""

    time: str
    door: str
    name: str
    mode: str
    outcome: str
    findings: str
    note: str
    return_on: str
    place: str
    worker: str


def row(visit: VisitOut, household: HouseholdOut | None) -> LedgerRow:
    """A household that has left the phone meanwhile leaves its door empty; the visit still counts."""
    place = EVIDENCE_WORDS[visit.evidence]
    if visit.distance_m is not None:
        place = f"{place}，{texts.distance(visit.distance_m)}"
    return LedgerRow(
        time=texts.clock(visit.visited_at),
        door=door(household) if household else "",
        name=household.head_name if household else "",
        mode=MODE_WORDS[visit.mode],
        outcome=OUTCOME_WORDS[visit.outcome],
        findings="、".join(FINDING_WORDS[finding] for finding in visit.findings),
        note=visit.note,
        return_on=visit.return_on.isoformat() if visit.return_on else "",
        place=place,
        worker=visit.worker_name,
    )


def as_xlsx(rows: Sequence[LedgerRow], day: date) -> bytes:
    """The sheet as a workbook. Nothing a resident said can become a formula."""
    book = Workbook()
    sheet = book.active
    sheet.title = f"走访台账{day:%Y%m%d}"
    _fill(sheet, [HEADINGS, *(astuple(item) for item in rows)])
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


def as_text(rows: Sequence[LedgerRow]) -> str:
    """Lines with tabs: pasted into a sheet, every value falls into its own cell."""
    lines = [HEADINGS, *(astuple(item) for item in rows)]
    return "\n".join("\t".join(_one_cell(value) for value in line) for line in lines)


def _one_cell(value: str) -> str:
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line
