"""Tables of the register."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger
from sqlmodel import Field, SQLModel

from backend.core.tables import (
    StoredRow,
    bytes_column,
    code_column,
    text_column,
    within_county,
    words_column,
)


class Dwelling(StoredRow, table=True):
    """A door."""

    __tablename__ = "dwelling"

    compound: str = text_column(nullable=False)
    building: str = text_column(nullable=False)
    unit: str = text_column(nullable=False)
    room: str = text_column(nullable=False)
    lon: float | None
    lat: float | None


class Household(StoredRow, table=True):
    """Who lives behind a door, summed up, and when they were last seen.

    The sums (head, size, care) are written by the residents room in the transaction that changes a member, the
    visit columns by the visits room: a phone reads one row per door.
    """

    __tablename__ = "household"
    __table_args__ = (
        within_county("dwelling_id", "dwelling"),
        Index("household_list", "county_code", "area_code", "received_at", "id"),
        Index("household_county_list", "county_code", "received_at", "id"),
        Index("household_due", "county_code", "area_code", "due_on"),
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


class Resident(StoredRow, table=True):
    """A person. The identity number is sealed; its blind index finds a second registration without opening it."""

    __tablename__ = "resident"
    __table_args__ = (
        within_county("household_id", "household"),
        Index("resident_household", "county_code", "household_id"),
        Index("resident_list", "county_code", "area_code", "received_at", "id"),
        Index("resident_county_list", "county_code", "received_at", "id"),
        Index("resident_id_index", "county_code", "id_index", unique=True),
        CheckConstraint("(id_sealed IS NULL) = (id_index IS NULL)", name="resident_id_both"),
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
    data_key: bytes | None = bytes_column(default=None, nullable=True)
    id_sealed: bytes | None = bytes_column(default=None, nullable=True)
    id_index: bytes | None = bytes_column(default=None, nullable=True)


class SearchKey(SQLModel, table=True):
    """Suffixes of name, pinyin, initials and phone: a range on this key is leakproof where LIKE is not."""

    __tablename__ = "search_key"

    county_code: str = code_column(primary_key=True)
    area_code: str = code_column(primary_key=True)
    key: str = code_column(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
