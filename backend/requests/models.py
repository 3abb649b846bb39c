"""Tables of requests. The state machine is a foreign key: no code path can take a step that is not in the table."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.core.tables import AreaRow, StoredRow, code_column, moment_column, text_column, within_county


class Transition(SQLModel, table=True):
    """A step that a kind of request may take. Reference data, written from shared/requests.py by the migration."""

    __tablename__ = "transition"

    kind: str = text_column(primary_key=True)
    from_state: str = text_column(primary_key=True)
    to_state: str = text_column(primary_key=True)


class RequestCounter(SQLModel, table=True):
    """Next sequence of a community's day, for speakable numbers."""

    __tablename__ = "request_counter"

    county_code: str = code_column(primary_key=True)
    area_code: str = code_column(primary_key=True)
    day: date = Field(primary_key=True)
    last: int = Field(nullable=False)


class Request(StoredRow, table=True):
    """A request. `prev_state` and `state` together must be a row of `transition`."""

    __tablename__ = "request"
    __table_args__ = (
        ForeignKeyConstraint(
            ["kind", "prev_state", "state"], ["transition.kind", "transition.from_state", "transition.to_state"]
        ),
        UniqueConstraint("county_code", "number", name="request_number"),
        Index("request_list", "county_code", "area_code", "received_at", "id"),
        Index("request_county_list", "county_code", "received_at", "id"),
        Index("request_state", "county_code", "state", "area_code"),
        Index("request_household", "county_code", "household_id"),
        CheckConstraint("urgency IN ('0', '1', '2', '3')", name="request_urgency"),
        CheckConstraint("(volunteer_id IS NULL) OR state <> 'open'", name="request_open_has_no_volunteer"),
    )

    number: str = text_column(nullable=False)
    happened_in: str = code_column(nullable=False)
    kind: str = text_column(nullable=False)
    category: str = text_column(nullable=False)
    detail: str = text_column(nullable=False)
    household_id: UUID | None
    resident_id: UUID | None
    lon: float | None
    lat: float | None
    place_note: str = text_column(nullable=False)
    starts_at: datetime | None = moment_column(default=None, nullable=True)
    ends_at: datetime | None = moment_column(default=None, nullable=True)
    minutes: int = Field(sa_type=SmallInteger, nullable=False)
    urgency: str = text_column(nullable=False)
    language: str | None = text_column(default=None, nullable=True)
    contact_phone: str | None = text_column(default=None, nullable=True)
    prev_state: str = text_column(nullable=False)
    state: str = text_column(nullable=False)
    owner_id: UUID | None
    owner_name: str = text_column(nullable=False)
    handler_id: UUID | None
    handler_name: str = text_column(nullable=False)
    volunteer_id: UUID | None
    visit_id: UUID | None
    photo_count: int = Field(sa_type=SmallInteger, nullable=False, sa_column_kwargs={"server_default": "0"})


class RequestPhoto(AreaRow, table=True):
    """A photo that a request announced, and who did. Its bytes lie in a file named by their hash."""

    __tablename__ = "request_photo"
    __table_args__ = (
        within_county("request_id", "request"),
        Index("request_photo_request", "county_code", "request_id", "place"),
        Index("request_photo_hash", "county_code", "sha256"),
        CheckConstraint("state IN ('missing', 'stored', 'quarantined')", name="request_photo_state"),
    )

    request_id: UUID = Field(nullable=False)
    account_id: UUID = Field(nullable=False)
    place: int = Field(sa_type=SmallInteger, nullable=False)
    sha256: str = text_column(nullable=False)
    size: int = Field(nullable=False)
    width: int = Field(sa_type=SmallInteger, nullable=False)
    height: int = Field(sa_type=SmallInteger, nullable=False)
    state: str = text_column(nullable=False)


class RequestEvent(AreaRow, table=True):
    """A step that was taken, by whom and why."""

    __tablename__ = "request_event"
    __table_args__ = (
        within_county("request_id", "request"),
        Index("request_event_request", "county_code", "request_id", "at"),
    )

    request_id: UUID = Field(nullable=False)
    at: datetime = moment_column(nullable=False)
    account_id: UUID | None
    from_state: str = text_column(nullable=False)
    to_state: str = text_column(nullable=False)
    reason: str = text_column(nullable=False)
