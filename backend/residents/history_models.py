"""Tables of the register's history: dated periods, the events that change them, and moves between cells."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, SmallInteger, column, func, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field, SQLModel

from backend.core.tables import (
    AreaRow,
    StoredRow,
    code_column,
    json_column,
    moment_column,
    text_column,
    within_county,
)


class Period(AreaRow, table=True):
    """What held from one day until another, where the person was then. Two of one track never overlap.

    The exclusion keeps that, and its index finds the periods of a person. It begins with what tells most rows apart:
    a column that is equal in all of them makes every insertion nearly twice as slow.
    """

    __tablename__ = "period"
    __table_args__ = (
        within_county("resident_id", "resident"),
        CheckConstraint("from_day < until_day", name="period_days"),
        ExcludeConstraint(
            (column("resident_id"), "="),
            (column("track"), "="),
            (column("county_code"), "="),
            (func.daterange(column("from_day"), column("until_day")), "&&"),
            name="period_no_overlap",
            using="gist",
        ),
        Index("period_as_at", "county_code", "track", "area_code", "from_day"),
    )

    resident_id: UUID = Field(nullable=False)
    track: str = code_column(nullable=False)
    value: str = text_column(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(sa_type=Date, nullable=False, sa_column_kwargs={"server_default": text("'infinity'")})
    noted_by: UUID | None
    noted_at: datetime = moment_column(nullable=False)


class RegisterEvent(AreaRow, table=True):
    """One of the six events. Append only: a wrong one is withdrawn."""

    __tablename__ = "register_event"
    __table_args__ = (
        Index("register_event_list", "county_code", "area_code", "received_at", "id"),
        Index("register_event_county_list", "county_code", "received_at", "id"),
        CheckConstraint(
            "kind IN ('birth', 'death', 'settle', 'float', 'move_in', 'move_out')", name="register_event_kind"
        ),
    )

    kind: str = text_column(nullable=False)
    on_day: date = Field(nullable=False)
    note: str = text_column(nullable=False)
    account_id: UUID = Field(nullable=False)
    noted_by: str = text_column(nullable=False)
    received_at: datetime = moment_column(nullable=False)


class RegisterEventPerson(SQLModel, table=True):
    """Whom an event is about, by the name they had then; apart, so that events of a person are found by an index.

    `written` keeps the periods that the event found and those that it left, so that it can be undone.
    """

    __tablename__ = "register_event_person"
    __table_args__ = (
        within_county("event_id", "register_event"),
        Index("register_event_person_of", "county_code", "resident_id"),
        CheckConstraint("jsonb_typeof(written) = 'object'", name="register_event_person_written"),
    )

    county_code: str = code_column(primary_key=True)
    event_id: UUID = Field(primary_key=True)
    resident_id: UUID = Field(primary_key=True)
    area_code: str = code_column(nullable=False)
    place: int = Field(sa_type=SmallInteger, nullable=False)
    name: str = text_column(nullable=False)
    written: dict[str, Any] = json_column(nullable=False)


class RegisterWithdrawal(AreaRow, table=True):
    """The word that an event, whose id it bears, was a mistake. Append only."""

    __tablename__ = "register_withdrawal"
    __table_args__ = (within_county("id", "register_event"),)

    reason: str = text_column(nullable=False)
    account_id: UUID = Field(nullable=False)
    received_at: datetime = moment_column(nullable=False)


class Move(StoredRow, table=True):
    """An expected arrival, seen from where people go and from where they come.

    It holds what the receiving worker must know, because the people's own rows are still out of sight there.
    """

    __tablename__ = "move"
    __table_args__ = (
        Index("move_list", "county_code", "area_code", "received_at", "id"),
        Index("move_county_list", "county_code", "received_at", "id"),
        Index("move_from", "county_code", "from_area_code", "received_at", "id"),
        CheckConstraint("state IN ('expected', 'arrived', 'not_arrived', 'left_county')", name="move_state"),
        CheckConstraint("jsonb_typeof(movers) = 'array'", name="move_movers"),
    )

    from_area_code: str = code_column(nullable=False)
    to_county_code: str | None = code_column(default=None, nullable=True)
    movers: list[dict[str, Any]] = json_column(nullable=False)
    out_on: date = Field(nullable=False)
    words: str = text_column(nullable=False)
    note: str = text_column(nullable=False)
    state: str = text_column(nullable=False)
    settled_on: date | None
    settled_by: str = text_column(nullable=False)


class TrustedCounty(SQLModel, table=True):
    """A county whose hand-over documents are believed, by the public key that an administrator has entered."""

    __tablename__ = "trusted_county"

    county_code: str = code_column(primary_key=True)
    other_county_code: str = code_column(primary_key=True)
    public_key: str = text_column(nullable=False)
    entered_by: str = text_column(nullable=False)
    entered_at: datetime = moment_column(nullable=False)
