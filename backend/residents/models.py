"""Tables of the register."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlmodel import Field, SQLModel

from backend.core.tables import (
    StoredRow,
    bytes_column,
    code_column,
    json_column,
    moment_column,
    text_column,
    within_county,
    words_column,
)


class Dwelling(StoredRow, table=True):
    """A door."""

    __tablename__ = "dwelling"
    __table_args__ = (
        Index("dwelling_list", "county_code", "area_code", "received_at", "id"),
        Index("dwelling_county_list", "county_code", "received_at", "id"),
        Index("dwelling_used_as", "county_code", "usage", "received_at", "id"),
        CheckConstraint("usage IN ('unknown', 'own_use', 'rented', 'empty', 'commercial')", name="dwelling_usage"),
    )

    compound: str = text_column(nullable=False)
    building: str = text_column(nullable=False)
    unit: str = text_column(nullable=False)
    room: str = text_column(nullable=False)
    lon: float | None
    lat: float | None
    usage: str = text_column(nullable=False, default="unknown", sa_column_kwargs={"server_default": "unknown"})


class Household(StoredRow, table=True):
    """Who lives behind a door, summed up, and when they were last seen.

    The sums (head, size, care) are written by the residents room in the transaction that changes a member, the
    visit columns by the visits room: a phone reads one row per door. One that a merge has left without anybody is
    folded into another: no list shows it, and what was written about it is read with that one.
    """

    __tablename__ = "household"
    __table_args__ = (
        within_county("dwelling_id", "dwelling"),
        Index("household_list", "county_code", "area_code", "received_at", "id"),
        Index("household_county_list", "county_code", "received_at", "id"),
        Index("household_dwelling", "county_code", "dwelling_id"),
        Index("household_due", "county_code", "area_code", "due_on"),
        within_county("folded_into", "household"),
        Index("household_folded", "county_code", "folded_into", postgresql_where=text("folded_into IS NOT NULL")),
        CheckConstraint("jsonb_typeof(lay_in) = 'array'", name="household_lay_in"),
    )

    dwelling_id: UUID = Field(nullable=False)
    head_name: str = text_column(nullable=False, default="")
    size: int = Field(default=0, sa_type=SmallInteger, nullable=False)
    care: list[str] = words_column(nullable=False)
    last_visited_on: date | None
    last_seen_on: date | None
    tries_since_seen: int = Field(default=0, sa_type=SmallInteger, nullable=False)
    due_on: date | None
    due_reason: str = text_column(nullable=False, default="")
    folded_into: UUID | None
    lay_in: list[dict[str, Any]] = json_column(nullable=False, sa_column_kwargs={"server_default": text("'[]'")})
    """Cells that it lay in before boundaries changed, oldest first: {area, until}, the day it lay there no more."""


class Resident(StoredRow, table=True):
    """A person. The identity number is sealed; its blind index finds a second registration without opening it."""

    __tablename__ = "resident"
    __table_args__ = (
        within_county("household_id", "household"),
        within_county("merged_into", "resident"),
        Index("resident_merged", "county_code", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("resident_household", "county_code", "household_id"),
        Index(
            "resident_one_head",
            "county_code",
            "household_id",
            unique=True,
            postgresql_where=text("relation = '02' AND left_on IS NULL AND merged_into IS NULL"),
        ),
        Index("resident_list", "county_code", "area_code", "received_at", "id"),
        Index("resident_county_list", "county_code", "received_at", "id"),
        Index("resident_id_index", "county_code", "id_index", unique=True),
        CheckConstraint("(id_sealed IS NULL) = (id_index IS NULL)", name="resident_id_both"),
        CheckConstraint("(left_on IS NULL) = (left_by IS NULL)", name="resident_left_both"),
        CheckConstraint("residency IN ('registered', 'living', 'floating', 'away')", name="resident_residency"),
    )

    household_id: UUID = Field(nullable=False)
    name: str = text_column(nullable=False)
    sex: str = text_column(nullable=False)
    birth_date: date | None
    phone: str | None = text_column(default=None, nullable=True)
    relation: str = text_column(nullable=False)
    residency: str = text_column(nullable=False)
    care: list[str] = words_column(nullable=False)
    note: str = text_column(nullable=False)
    ethnicity: str | None = text_column(default=None, nullable=True)
    marital: str | None = text_column(default=None, nullable=True)
    education: str | None = text_column(default=None, nullable=True)
    employment: str | None = text_column(default=None, nullable=True)
    occupation: str | None = text_column(default=None, nullable=True)
    political: str | None = text_column(default=None, nullable=True)
    registered_place: str | None = text_column(default=None, nullable=True)
    data_key: bytes | None = bytes_column(default=None, nullable=True)
    id_sealed: bytes | None = bytes_column(default=None, nullable=True)
    id_index: bytes | None = bytes_column(default=None, nullable=True)
    merged_into: UUID | None
    left_on: date | None
    left_by: str | None = text_column(default=None, nullable=True)


class SealedFact(StoredRow, table=True):
    """A fact about health, disability or hardship, sealed with its person's key. Its times are plain, its content not.

    `until_day` is 'infinity' while it holds. That no two of a kind overlap is checked under the person's row lock.
    """

    __tablename__ = "sealed_fact"
    __table_args__ = (
        within_county("resident_id", "resident"),
        Index("sealed_fact_from", "county_code", "resident_id", "kind", "from_day", unique=True),
        CheckConstraint("kind IN ('health', 'disability', 'poverty')", name="sealed_fact_kind"),
        CheckConstraint("from_day < until_day", name="sealed_fact_days"),
    )

    resident_id: UUID = Field(nullable=False)
    kind: str = text_column(nullable=False)
    sealed: bytes = bytes_column(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(nullable=False)
    noted_by: UUID = Field(nullable=False)


class RegisterFinding(StoredRow, table=True):
    """What does not fit together about a person, for somebody to settle. Never holds the number itself."""

    __tablename__ = "register_finding"
    __table_args__ = (
        within_county("resident_id", "resident"),
        Index("register_finding_list", "county_code", "area_code", "received_at", "id"),
        Index("register_finding_county_list", "county_code", "received_at", "id"),
        Index(
            "register_finding_once", "county_code", "resident_id", "kind", unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        CheckConstraint("state IN ('open', 'settled')", name="register_finding_state"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="register_finding_settled"),
    )  # fmt: skip

    resident_id: UUID = Field(nullable=False)
    kind: str = text_column(nullable=False)
    detail: str = text_column(nullable=False)
    state: str = text_column(nullable=False)
    noted_by: UUID = Field(nullable=False)
    settled_by: UUID | None
    settled_at: datetime | None = moment_column(default=None, nullable=True)
    reason: str = text_column(nullable=False, default="")


class SearchKey(SQLModel, table=True):
    """Suffixes of name, pinyin, initials and phone: a range on this key is leakproof where LIKE is not."""

    __tablename__ = "search_key"

    county_code: str = code_column(primary_key=True)
    area_code: str = code_column(primary_key=True)
    key: str = code_column(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
