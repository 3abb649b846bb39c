"""Tables of offers and of what a winner may see."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlmodel import Field

from backend.core.tables import StoredRow, json_column, moment_column, text_column, within_county


class Offer(StoredRow, table=True):
    """A help request offered to one volunteer, with the reasons and the coarse place fixed when it was made.

    `delivered_at` is set when the volunteer's phone has pulled it: the time to answer runs from then.
    """

    __tablename__ = "offer"
    __table_args__ = (
        within_county("request_id", "request"),
        within_county("volunteer_id", "volunteer"),
        Index("offer_request", "county_code", "request_id", "state"),
        Index("offer_volunteer", "county_code", "volunteer_id", "state"),
        Index("offer_open", "county_code", "area_code", postgresql_where=text("state = 'offered'")),
        Index(
            "offer_one_winner", "county_code", "request_id", unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        Index(
            "offer_one_open", "county_code", "volunteer_id", "request_id", unique=True,
            postgresql_where=text("state = 'offered'"),
        ),
        CheckConstraint(
            "state IN ('offered', 'accepted', 'declined', 'expired', 'recalled', 'handed_back')", name="offer_state"
        ),
    )  # fmt: skip

    request_id: UUID = Field(nullable=False)
    volunteer_id: UUID = Field(nullable=False)
    state: str = text_column(nullable=False)
    made_at: datetime = moment_column(nullable=False)
    delivered_at: datetime | None = moment_column(default=None, nullable=True)
    expires_at: datetime = moment_column(nullable=False)
    answered_at: datetime | None = moment_column(default=None, nullable=True)
    answered_by: UUID | None
    decline_reason: str | None = text_column(default=None, nullable=True)
    score: float = Field(nullable=False)
    contributions: dict[str, Any] = json_column(nullable=False)
    card: dict[str, Any] = json_column(nullable=False)


class TaskCard(StoredRow, table=True):
    """What the winner sees: copied at acceptance, blanked at the end. Its id is the offer's."""

    __tablename__ = "task_card"
    __table_args__ = (
        within_county("request_id", "request"),
        within_county("volunteer_id", "volunteer"),
        Index("task_card_volunteer", "county_code", "volunteer_id"),
        Index("task_card_serving", "county_code", "area_code", postgresql_where=text("state = 'serving'")),
        CheckConstraint(
            "state IN ('accepted', 'serving', 'finished', 'handed_back', 'cancelled')", name="task_card_state"
        ),
        CheckConstraint(
            "state IN ('accepted', 'serving') OR (person_name = '' AND door = '' AND phone = '' AND lon IS NULL)",
            name="task_card_blank_at_end",
        ),
    )

    request_id: UUID = Field(nullable=False)
    volunteer_id: UUID = Field(nullable=False)
    state: str = text_column(nullable=False)
    category: str = text_column(nullable=False)
    starts_at: datetime | None = moment_column(default=None, nullable=True)
    ends_at: datetime | None = moment_column(default=None, nullable=True)
    minutes: int = Field(sa_type=SmallInteger, nullable=False)
    person_name: str = text_column(nullable=False)
    person_age: int | None = Field(default=None, sa_type=SmallInteger)
    person_note: str = text_column(nullable=False)
    door: str = text_column(nullable=False)
    phone: str = text_column(nullable=False)
    lon: float | None
    lat: float | None
    accepted_at: datetime = moment_column(nullable=False)
    checked_in_at: datetime | None = moment_column(default=None, nullable=True)
    checked_out_at: datetime | None = moment_column(default=None, nullable=True)
    late: bool = Field(default=False, nullable=False)
