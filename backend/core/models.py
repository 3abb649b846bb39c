"""Tables behind the one way to write: counties, operations, edits, the feed and the audit trail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from backend.core.tables import (
    AreaRow,
    CountyRow,
    bytes_column,
    code_column,
    json_column,
    moment_column,
    text_column,
    words_column,
)


class County(SQLModel, table=True):
    """A tenant. `epoch` is half of what tells phones that a backup was restored."""

    __tablename__ = "county"

    county_code: str = code_column(primary_key=True)
    name: str = text_column(nullable=False)
    epoch: str = text_column(nullable=False)
    demo: bool = Field(default=False, nullable=False)
    founded_at: datetime = moment_column(nullable=False)


class Operation(CountyRow, table=True):
    """What was asked once and must not happen twice. No bodies: a keyed hash tells a repeat from a reuse."""

    __tablename__ = "operation"
    __table_args__ = (
        Index("operation_entity", "county_code", "entity_id"),
        Index("operation_age", "received_at", postgresql_using="brin"),
    )

    account_id: UUID = Field(nullable=False)
    device_id: UUID | None
    device_seq: int | None = Field(default=None, sa_type=BigInteger)
    kind: str = text_column(nullable=False)
    entity_id: UUID = Field(nullable=False)
    outcome: str = text_column(nullable=False)
    code: str | None = text_column()
    rev: int | None
    content_hmac: bytes = bytes_column(nullable=False)
    received_at: datetime = moment_column(nullable=False)


class Edit(SQLModel, table=True):
    """Which fields a change touched, without values: enough to find two people editing the same one."""

    __tablename__ = "edit"
    __table_args__ = (Index("edit_age", "at", postgresql_using="brin"),)

    county_code: str = code_column(primary_key=True)
    entity_id: UUID = Field(primary_key=True)
    rev: int = Field(primary_key=True)
    area_code: str = code_column(nullable=False)
    fields: list[str] = words_column(nullable=False)
    op_id: UUID | None
    device_id: UUID | None
    device_seq: int | None = Field(default=None, sa_type=BigInteger)
    account_id: UUID = Field(nullable=False)
    at: datetime = moment_column(nullable=False)


class FeedHead(SQLModel, table=True):
    """Last sequence number of a stream. Its row lock is held to commit, so sequence order is commit order."""

    __tablename__ = "feed_head"

    county_code: str = code_column(primary_key=True)
    stream: str = code_column(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger, nullable=False)


class FeedChange(SQLModel, table=True):
    """One row per entity and area: a write moves it to the stream's next number. No values."""

    __tablename__ = "change"
    __table_args__ = (
        Index("change_order", "county_code", "stream", "seq", unique=True),
        Index("change_gone", "county_code", "at", postgresql_where=text("gone")),
    )

    county_code: str = code_column(primary_key=True)
    stream: str = code_column(primary_key=True)
    kind: str = text_column(primary_key=True)
    id: UUID = Field(primary_key=True)
    area_code: str = code_column(primary_key=True)
    seq: int = Field(sa_type=BigInteger, nullable=False)
    gone: bool = Field(default=False, nullable=False)
    at: datetime = moment_column(nullable=False)


class Audit(AreaRow, table=True):
    """Who did what to which row, and why where a reason was owed. Insert only."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_entity", "county_code", "entity_id"),
        CheckConstraint("jsonb_typeof(detail) = 'object'", name="audit_detail_object"),
    )

    at: datetime = moment_column(nullable=False)
    account_id: UUID | None
    action: str = text_column(nullable=False)
    entity_kind: str = text_column(nullable=False)
    entity_id: UUID = Field(nullable=False)
    detail: dict[str, Any] = json_column(nullable=False)
    request_id: str = text_column(nullable=False)
