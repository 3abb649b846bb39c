"""Columns and keys that every county table shares. Why they are so: README, "Why it is this way"."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKeyConstraint, Text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlmodel import Field, SQLModel


def code_column(**options: Any) -> Any:
    """A place code: C collation, so that prefix ranges use the index under row-level security."""
    return Field(sa_type=Text(collation="C"), **options)


def moment_column(**options: Any) -> Any:
    return Field(sa_type=DateTime(timezone=True), **options)


def words_column(**options: Any) -> Any:
    return Field(sa_type=ARRAY(Text), **options)


def text_column(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


def json_column(**options: Any) -> Any:
    return Field(sa_type=JSONB, **options)


def bytes_column(**options: Any) -> Any:
    return Field(sa_type=BYTEA, **options)


def within_county(column: str, table: str) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the county."""
    return ForeignKeyConstraint(["county_code", column], [f"{table}.county_code", f"{table}.id"])


class CountyRow(SQLModel):
    """Key of every row that belongs to a county. The county code is frozen at founding: it is the shard key."""

    county_code: str = code_column(primary_key=True)
    id: UUID = Field(primary_key=True)


class AreaRow(CountyRow):
    """A row that lies in an area, down to the cell; the wider code when no place is known."""

    area_code: str = code_column(nullable=False)


class StoredRow(AreaRow):
    """An area row with its revision and the server's time of receipt, the order of every list."""

    rev: int = Field(default=1, nullable=False)
    received_at: datetime = moment_column(nullable=False)
