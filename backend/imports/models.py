"""Tables of imports. What a batch stored is found by its ids: they begin with those of the batch (`ids.py`)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from backend.core.tables import AreaRow, StoredRow, json_column, moment_column, text_column
from shared.imports import Grade, ImportState, Known


class ImportBatch(StoredRow, table=True):
    """A sheet and how far it has come; `slices` counts those that are settled, in their own transaction."""

    __tablename__ = "import_batch"
    __table_args__ = (
        Index("import_batch_list", "county_code", "received_at", "id"),
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in ImportState)})", name="import_batch_state"),
        CheckConstraint(f"known IN ({', '.join(repr(k.value) for k in Known)})", name="import_batch_known"),
    )

    account_id: UUID = Field(nullable=False)
    made_by: str = text_column(nullable=False)
    file_name: str = text_column(nullable=False)
    sheet: str = text_column(nullable=False)
    fingerprint: str = text_column(nullable=False)
    columns: list[Any] = json_column(nullable=False)
    crs: str = text_column(nullable=False)
    known: str = text_column(nullable=False, sa_column_kwargs={"server_default": Known.keep.value})
    state: str = text_column(nullable=False)
    slices: int = Field(default=0, nullable=False)
    done: int = Field(default=0, nullable=False)
    total: int | None
    counts: dict[str, Any] = json_column(nullable=False)
    problem: str = text_column(nullable=False)
    stopping: bool = Field(default=False, nullable=False)
    finished_at: datetime | None = moment_column(default=None, nullable=True)


class ImportIssue(AreaRow, table=True):
    """What was found about a row. Ids run in the order of rows, so the key is the report's index.

    `former` is how a person was whom the row has changed. Such a row lies in the person's own area.
    """

    __tablename__ = "import_issue"
    __table_args__ = (
        CheckConstraint(f"grade IN ({', '.join(repr(g.value) for g in Grade)})", name="import_issue_grade"),
    )

    row_no: int = Field(nullable=False)
    grade: str = text_column(nullable=False)
    header: str = text_column(nullable=False)
    words: str = text_column(nullable=False)
    value: str = text_column(nullable=False)
    former: dict[str, Any] | None = json_column(default=None, nullable=True)


class ImportMapping(AreaRow, table=True):
    """What the columns of a sheet with these headers mean, as somebody of this area put it right."""

    __tablename__ = "import_mapping"
    __table_args__ = (UniqueConstraint("county_code", "area_code", "fingerprint", name="import_mapping_sheet"),)

    fingerprint: str = text_column(nullable=False)
    columns: list[Any] = json_column(nullable=False)
    account_id: UUID = Field(nullable=False)
    at: datetime = moment_column(nullable=False)
