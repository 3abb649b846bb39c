"""The table of what waits for a person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field

from backend.core.tables import StoredRow, bytes_column, moment_column, text_column, words_column


class Conflict(StoredRow, table=True):
    """An operation that could not be applied as it came. Its values are sealed under a key of its own.

    Not under a person's: an operation may name several people, one who is not registered yet, or none. Forgetting the
    key forgets the values, whoever they are about.
    """

    __tablename__ = "conflict"
    __table_args__ = (
        Index("conflict_list", "county_code", "area_code", "received_at", "id"),
        Index("conflict_county_list", "county_code", "received_at", "id"),
        Index("conflict_state_list", "county_code", "state", "received_at", "id"),
        Index("conflict_operation", "county_code", "op_id", unique=True),
        Index("conflict_entity", "county_code", "entity_id"),
        Index("conflict_settled", "county_code", "settled_at", postgresql_where=text("data_key IS NOT NULL")),
        CheckConstraint("state IN ('open', 'settled')", name="conflict_state"),
        CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="conflict_settled_at"),
        CheckConstraint("(data_key IS NULL) = (sealed IS NULL)", name="conflict_sealed_both"),
    )

    kind: str = text_column(nullable=False)
    entity_id: UUID | None
    op_id: UUID = Field(nullable=False)
    device_id: UUID = Field(nullable=False)
    device_seq: int | None = Field(default=None, sa_type=BigInteger)
    author_id: UUID | None
    author_name: str = text_column(nullable=False)
    made_at: datetime | None = moment_column(default=None, nullable=True)
    code: str = text_column(nullable=False)
    rescued: bool = Field(default=False, nullable=False)
    fields: list[str] = words_column(nullable=False)
    theirs_name: str = text_column(nullable=False)
    theirs_at: datetime | None = moment_column(default=None, nullable=True)
    data_key: bytes | None = bytes_column(default=None, nullable=True)
    sealed: bytes | None = bytes_column(default=None, nullable=True)
    state: str = text_column(nullable=False)
    choice: str | None = text_column(default=None, nullable=True)
    note: str = text_column(nullable=False)
    settled_by: UUID | None
    settled_name: str = text_column(nullable=False)
    settled_at: datetime | None = moment_column(default=None, nullable=True)
