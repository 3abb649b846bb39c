"""走访台账: the day's sheet, filled from what was recorded, as a workbook and as text to paste."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date

from mobile.core import texts
from mobile.residents.rules import door
from shared.residents import HouseholdOut
from shared.texts import _
from shared.visits import EVIDENCE_WORDS, FINDING_WORDS, MODE_WORDS, OUTCOME_WORDS, VisitOut

HEADINGS = (
    _("时间"),
    _("户"),
    _("姓名"),
    _("方式"),
    _("结果"),
    _("发现的情况"),
    _("说明"),
    _("约好再来"),
    _("位置"),
    _("走访人"),
)
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
        place = _("{place}，{distance}").format(place=place, distance=texts.distance(visit.distance_m))
    return LedgerRow(
        time=texts.clock(visit.visited_at),
        door=door(household) if household else "",
        name=household.head_name if household else "",
        mode=MODE_WORDS[visit.mode],
        outcome=OUTCOME_WORDS[visit.outcome],
        findings=_("、").join(FINDING_WORDS[finding] for finding in visit.findings),
        note=visit.note,
        return_on=visit.return_on.isoformat() if visit.return_on else "",
        place=place,
        worker=visit.worker_name,
    )


def as_xlsx(rows: Sequence[LedgerRow], day: date) -> bytes:
    """The sheet as a workbook. Nothing a resident said can become a formula."""
    from mobile.visits import workbook  # what it imports would add a quarter of a second to every start of the app

    return workbook.made(_("走访台账{day:%Y%m%d}").format(day=day), [HEADINGS, *(astuple(item) for item in rows)])


def as_text(rows: Sequence[LedgerRow]) -> str:
    """Lines with tabs: pasted into a sheet, every value falls into its own cell."""
    lines = [HEADINGS, *(astuple(item) for item in rows)]
    return "\n".join("\t".join(_one_cell(value) for value in line) for line in lines)


def _one_cell(value: str) -> str:
    line = " ".join(value.split())
    return f"'{line}" if line.startswith(FORMULA_STARTS) else line
