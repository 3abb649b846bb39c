"""Tables of rules and warnings. Everybody of the county may read both: a rule of the county holds in every cell."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlmodel import Field

from backend.core.tables import AreaRow, StoredRow, bytes_column, json_column, moment_column, text_column
from shared.rounds import AlertKind

_KINDS = ", ".join(repr(kind.value) for kind in AlertKind)


class RoundRule(StoredRow, table=True):
    """A rule: data that `shared.rounds` reads, never code."""

    __tablename__ = "round_rule"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'live')", name="round_rule_state"),
        CheckConstraint("(every_days IS NULL) <> (alert IS NULL)", name="round_rule_cause"),
    )

    name: str = text_column(nullable=False)
    conditions: dict[str, Any] = json_column(nullable=False)
    every_days: int | None = Field(default=None, sa_type=SmallInteger, nullable=True)
    alert: str | None = text_column(default=None, nullable=True)
    priority: int = Field(sa_type=SmallInteger, nullable=False)
    state: str = text_column(nullable=False)


class RoundTrial(AreaRow, table=True):
    """A rule's effect as somebody saw it before the rule went live. `content` tells one effect from another."""

    __tablename__ = "round_trial"
    __table_args__ = (Index("round_trial_content", "county_code", "content"),)

    content: bytes = bytes_column(nullable=False)
    account_id: UUID = Field(nullable=False)
    matched: int = Field(nullable=False)
    tried_at: datetime = moment_column(nullable=False, sa_column_kwargs={"server_default": text("now()")})


class Alert(StoredRow, table=True):
    """A warning, for whole days, the last one included."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("alert_days", "county_code", "last_day"),
        CheckConstraint(f"kind IN ({_KINDS})", name="alert_kind"),
        CheckConstraint("from_day <= last_day", name="alert_in_order"),
    )

    kind: str = text_column(nullable=False)
    from_day: date = Field(nullable=False)
    last_day: date = Field(nullable=False)
    words: str = text_column(nullable=False)
    issued_by: str = text_column(nullable=False)
