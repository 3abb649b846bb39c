"""Tables of who lived behind which door, who stands by whom, and which rows may be one person."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from backend.core.tables import AreaRow, StoredRow, moment_column, text_column, within_county, words_column


def _small(**options: Any) -> Any:
    return Field(sa_type=SmallInteger, nullable=False, **options)


def _goes_with(column: str) -> ForeignKeyConstraint:
    """A pair goes with either person, as when the import that brought them is undone. Who was merged never goes."""
    there = ["resident.county_code", "resident.id"]
    return ForeignKeyConstraint(["county_code", column], there, ondelete="CASCADE")


class Occupancy(AreaRow, table=True):
    """A time that a household lived behind a door; the open one ends at FOREVER.

    A household without any has lived behind its door since it was registered, by a right that nobody has named.
    """

    __tablename__ = "occupancy"
    __table_args__ = (
        within_county("household_id", "household"),
        within_county("dwelling_id", "dwelling"),
        Index("occupancy_dwelling", "county_code", "dwelling_id", "until_day"),
        CheckConstraint("from_day < until_day", name="occupancy_forwards"),
        CheckConstraint("tenure IN ('unknown', 'owner', 'tenant', 'other')", name="occupancy_tenure"),
        ExcludeConstraint(
            ("county_code", "="),
            ("household_id", "="),
            (text("daterange(from_day, until_day)"), "&&"),
            name="occupancy_one_door",
            using="gist",
        ),
    )

    household_id: UUID = Field(nullable=False)
    dwelling_id: UUID = Field(nullable=False)
    tenure: str = text_column(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(nullable=False)
    account_id: UUID = Field(nullable=False)
    noted_at: datetime = moment_column(nullable=False)


class Link(StoredRow, table=True):
    """A contact, guardian or helper, by name: they need not be on the register. The open end is FOREVER."""

    __tablename__ = "link"
    __table_args__ = (
        within_county("household_id", "household"),
        within_county("resident_id", "resident"),
        within_county("person_id", "resident"),
        Index("link_household", "county_code", "household_id"),
        Index("link_resident", "county_code", "resident_id"),
        Index("link_person", "county_code", "person_id"),
        CheckConstraint("kind IN ('contact', 'guardian', 'helper')", name="link_kind"),
        CheckConstraint("resident_id IS NOT NULL OR kind = 'contact'", name="link_whose"),
        CheckConstraint("(kind = 'helper') = (helper IS NOT NULL)", name="link_helper_kind"),
        CheckConstraint("helper IN ('worker', 'volunteer', 'member', 'neighbour')", name="link_helper"),
        CheckConstraint("from_day < until_day", name="link_forwards"),
        CheckConstraint("stand_in_name IS NULL OR stand_in_from < stand_in_until", name="link_stand_in"),
    )

    household_id: UUID = Field(nullable=False)
    resident_id: UUID | None
    kind: str = text_column(nullable=False)
    helper: str | None = text_column(default=None, nullable=True)
    name: str = text_column(nullable=False)
    phone: str | None = text_column(default=None, nullable=True)
    relation: str = text_column(nullable=False)
    rank: int = _small()
    person_id: UUID | None
    stand_in_name: str | None = text_column(default=None, nullable=True)
    stand_in_phone: str | None = text_column(default=None, nullable=True)
    stand_in_from: date | None
    stand_in_until: date | None
    from_day: date = Field(nullable=False)
    until_day: date = Field(nullable=False)
    note: str = text_column(nullable=False)
    account_id: UUID = Field(nullable=False)


class Duplicate(StoredRow, table=True):
    """A pair that may be one person. Its id is made of both, so that a decision about them is found again.

    Its area is the smallest that holds both: whoever covers that one may decide.
    """

    __tablename__ = "duplicate"
    __table_args__ = (
        _goes_with("first_id"),
        _goes_with("second_id"),
        Index("duplicate_list", "county_code", "area_code", "state", "received_at", "id"),
        Index("duplicate_county_list", "county_code", "state", "received_at", "id"),
        Index("duplicate_first", "county_code", "first_id"),
        Index("duplicate_second", "county_code", "second_id"),
        CheckConstraint("first_id < second_id", name="duplicate_order"),
        CheckConstraint("state IN ('open', 'merged', 'distinct')", name="duplicate_state"),
        CheckConstraint("(state = 'merged') = (kept_id IS NOT NULL)", name="duplicate_kept"),
        CheckConstraint("kept_id IN (first_id, second_id)", name="duplicate_kept_of_both"),
    )

    first_id: UUID = Field(nullable=False)
    second_id: UUID = Field(nullable=False)
    reasons: list[str] = words_column(nullable=False)
    score: int = _small()
    state: str = text_column(nullable=False)
    kept_id: UUID | None
    added: list[str] = words_column(nullable=False, sa_column_kwargs={"server_default": text("'{}'")})
    """What the kept row was given of the other one: `care:alone`, `phone`, `birth_date`."""
    reason: str = text_column(nullable=False)
    settled_by: UUID | None
    settled_at: datetime | None = moment_column(default=None, nullable=True)
    seen_at: datetime = moment_column(nullable=False)
