"""Table of visits. Append only."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from backend.core.tables import AreaRow, code_column, moment_column, text_column, within_county, words_column
from shared.visits import Evidence, VisitMode, VisitOutcome


def _one_of(column: str, words: type[VisitMode] | type[VisitOutcome] | type[Evidence]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(w.value) for w in words)})", name=f"visit_{column}")


class Visit(AreaRow, table=True):
    """A visit belongs to its household's cell wherever the phone stood; the fix's own cell is kept beside it."""

    __tablename__ = "visit"
    __table_args__ = (
        within_county("household_id", "household"),
        Index("visit_list", "county_code", "area_code", "received_at", "id"),
        Index("visit_county_list", "county_code", "received_at", "id"),
        Index("visit_household", "county_code", "household_id", "visited_at"),
        _one_of("mode", VisitMode),
        _one_of("outcome", VisitOutcome),
        _one_of("evidence", Evidence),
    )

    happened_in: str = code_column(nullable=False)
    household_id: UUID = Field(nullable=False)
    resident_id: UUID | None
    worker_id: UUID = Field(nullable=False)
    worker_name: str = text_column(nullable=False)
    mode: str = text_column(nullable=False)
    outcome: str = text_column(nullable=False)
    findings: list[str] = words_column(nullable=False)
    note: str = text_column(nullable=False)
    visited_at: datetime = moment_column(nullable=False)
    return_on: date | None
    lon: float | None
    lat: float | None
    accuracy_m: float | None
    distance_m: int | None
    fix_area_code: str | None = code_column(default=None, nullable=True)
    evidence: str = text_column(nullable=False)
    received_at: datetime = moment_column(nullable=False)
