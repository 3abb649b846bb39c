"""Table of plans of new boundaries."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, text
from sqlmodel import Field

from backend.core.tables import StoredRow, json_column, moment_column, text_column


class BoundaryPlan(StoredRow, table=True):
    """New boundaries for a community. They become boundaries only when the plan is applied: every boundary stored is
    a present or a past one. Its area is the community."""

    __tablename__ = "boundary_plan"
    __table_args__ = (
        Index(
            "boundary_plan_one_scheduled", "county_code", "area_code", unique=True,
            postgresql_where=text("state = 'scheduled'"),
        ),
        CheckConstraint("state IN ('draft', 'scheduled', 'applied', 'cancelled')", name="boundary_plan_state"),
    )  # fmt: skip

    effective_on: date = Field(nullable=False)
    reason: str = text_column(nullable=False)
    state: str = text_column(nullable=False)
    cells: list[dict[str, Any]] = json_column(nullable=False)
    closed: list[str] = Field(sa_type=ARRAY(Text(collation="C")), nullable=False)
    decisions: dict[str, str] = json_column(nullable=False)
    made_by: UUID = Field(nullable=False)
    made_by_name: str = text_column(nullable=False)
    moved: dict[str, int] = json_column(nullable=False)
    applied_at: datetime | None = moment_column(default=None, nullable=True)
