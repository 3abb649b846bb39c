"""Tables of visits, which are append only, and of what follows from them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger
from sqlmodel import Field, SQLModel

from backend.core.tables import (
    AreaRow,
    StoredRow,
    code_column,
    json_column,
    moment_column,
    text_column,
    within_county,
    words_column,
)
from shared.visits import CorrectionKind, CorrectionState, Evidence, VisitMode, VisitOutcome


def _one_of(column: str, words: type[StrEnum], *, of: str = "visit") -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(w.value) for w in words)})", name=f"{of}_{column}")


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
    photo_count: int = Field(sa_type=SmallInteger, nullable=False, sa_column_kwargs={"server_default": "0"})
    received_at: datetime = moment_column(nullable=False)


class DueDays(SQLModel, table=True):
    """A county's own intervals between visits (`shared.visiting.DueDays`). Without a row the usual ones hold."""

    __tablename__ = "due_days"
    __table_args__ = (CheckConstraint("jsonb_typeof(days) = 'object'", name="due_days_object"),)

    county_code: str = code_column(primary_key=True)
    days: dict[str, Any] = json_column(nullable=False)
    rev: int = Field(nullable=False)


class VisitPhoto(AreaRow, table=True):
    """A photo that a visit announced. Its bytes lie in a file named by their hash."""

    __tablename__ = "visit_photo"
    __table_args__ = (
        within_county("visit_id", "visit"),
        Index("visit_photo_visit", "county_code", "visit_id", "place"),
        Index("visit_photo_hash", "county_code", "sha256"),
        CheckConstraint("state IN ('missing', 'stored', 'quarantined')", name="visit_photo_state"),
    )

    visit_id: UUID = Field(nullable=False)
    place: int = Field(sa_type=SmallInteger, nullable=False)
    sha256: str = text_column(nullable=False)
    size: int = Field(nullable=False)
    width: int = Field(sa_type=SmallInteger, nullable=False)
    height: int = Field(sa_type=SmallInteger, nullable=False)
    state: str = text_column(nullable=False)


class VisitFollowUp(AreaRow, table=True):
    """What a visit led to: a request or a correction, its own or one that was already open."""

    __tablename__ = "visit_follow_up"
    __table_args__ = (
        within_county("visit_id", "visit"),
        Index("visit_follow_up_visit", "county_code", "visit_id"),
        CheckConstraint("kind IN ('request', 'correction')", name="visit_follow_up_kind"),
    )

    visit_id: UUID = Field(nullable=False)
    kind: str = text_column(nullable=False)
    target_id: UUID = Field(nullable=False)
    attached: bool = Field(nullable=False)


class Correction(StoredRow, table=True):
    """A doubt about the register, from a door to whoever may correct it."""

    __tablename__ = "correction"
    __table_args__ = (
        within_county("household_id", "household"),
        within_county("visit_id", "visit"),
        Index("correction_list", "county_code", "area_code", "received_at", "id"),
        Index("correction_county_list", "county_code", "received_at", "id"),
        Index("correction_household", "county_code", "household_id"),
        _one_of("what", CorrectionKind, of="correction"),
        _one_of("state", CorrectionState, of="correction"),
    )

    household_id: UUID = Field(nullable=False)
    resident_id: UUID | None
    visit_id: UUID = Field(nullable=False)
    what: str = text_column(nullable=False)
    said: str = text_column(nullable=False)
    noted_by: str = text_column(nullable=False)
    state: str = text_column(nullable=False)
    reason: str = text_column(nullable=False)
    settled_by: str = text_column(nullable=False)
