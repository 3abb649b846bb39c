"""Tables of volunteers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlmodel import Field, SQLModel

from backend.core.tables import StoredRow, code_column, moment_column, text_column, within_county, words_column
from shared.volunteers import QUIET_FROM, QUIET_UNTIL


def _minute_column(usual: int) -> Any:
    return Field(
        default=usual, sa_type=SmallInteger, nullable=False, sa_column_kwargs={"server_default": text(str(usual))}
    )


class Volunteer(StoredRow, table=True):
    """A volunteer, registered with a community: that code is the row's area."""

    __tablename__ = "volunteer"
    __table_args__ = (
        Index("volunteer_list", "county_code", "area_code", "received_at", "id"),
        Index("volunteer_county_list", "county_code", "received_at", "id"),
        CheckConstraint("capacity BETWEEN 1 AND 5", name="volunteer_capacity"),
        CheckConstraint(
            "quiet_from BETWEEN 0 AND 1439 AND quiet_until BETWEEN 0 AND 1439", name="volunteer_quiet_hours"
        ),
    )

    name: str = text_column(nullable=False)
    phone: str = text_column(nullable=False)
    lon: float = Field(nullable=False)
    lat: float = Field(nullable=False)
    skills: list[str] = words_column(nullable=False)
    languages: list[str] = words_column(nullable=False)
    radius_m: int = Field(nullable=False)
    capacity: int = Field(sa_type=SmallInteger, nullable=False)
    trust: int = Field(default=1, sa_type=SmallInteger, nullable=False)
    active: bool = Field(default=True, nullable=False)
    quiet_from: int = _minute_column(QUIET_FROM)
    quiet_until: int = _minute_column(QUIET_UNTIL)


class VolunteerSlot(SQLModel, table=True):
    """A free stretch of a volunteer's week, county time."""

    __tablename__ = "volunteer_slot"
    __table_args__ = (within_county("volunteer_id", "volunteer"),)

    county_code: str = code_column(primary_key=True)
    volunteer_id: UUID = Field(primary_key=True)
    weekday: int = Field(sa_type=SmallInteger, primary_key=True)
    from_minute: int = Field(sa_type=SmallInteger, primary_key=True)
    until_minute: int = Field(sa_type=SmallInteger, nullable=False)
    area_code: str = code_column(nullable=False)


class VolunteerSkill(SQLModel, table=True):
    """What shows that a volunteer can do something, and who of the community has seen it. Words only, no picture."""

    __tablename__ = "volunteer_skill"
    __table_args__ = (within_county("volunteer_id", "volunteer"),)

    county_code: str = code_column(primary_key=True)
    volunteer_id: UUID = Field(primary_key=True)
    skill: str = text_column(primary_key=True)
    area_code: str = code_column(nullable=False)
    note: str = text_column(nullable=False)
    valid_until: date | None
    checked_on: date | None
    checked_by: UUID | None
    checked_name: str = text_column(nullable=False)


class ServiceRecord(StoredRow, table=True):
    """Whole minutes of one service; counted only when both sides have confirmed them."""

    __tablename__ = "service_record"
    __table_args__ = (
        within_county("volunteer_id", "volunteer"),
        Index("service_record_volunteer", "county_code", "volunteer_id", "served_on"),
        Index("service_record_request", "county_code", "request_id"),
        CheckConstraint("state IN ('waiting', 'confirmed', 'unverified')", name="service_record_state"),
        CheckConstraint("minutes BETWEEN 0 AND 1440", name="service_record_minutes"),
    )

    volunteer_id: UUID = Field(nullable=False)
    request_id: UUID = Field(nullable=False)
    category: str = text_column(nullable=False)
    community_name: str = text_column(nullable=False)
    served_on: date = Field(nullable=False)
    minutes: int = Field(sa_type=SmallInteger, nullable=False)
    state: str = text_column(nullable=False)
    confirmed_at: datetime | None = moment_column(default=None, nullable=True)
    confirmed_by: UUID | None
