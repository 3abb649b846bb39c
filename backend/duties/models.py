"""Tables of roles in a cell and of the households that a worker looks after."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from backend.core.clock import FOREVER
from backend.core.tables import AreaRow, StoredRow, text_column, within_county


class CellDuty(StoredRow, table=True):
    """Somebody's role in a cell for a time, and who stands in. Its area is the cell."""

    __tablename__ = "cell_duty"
    __table_args__ = (
        within_county("account_id", "account"),
        within_county("stand_in_id", "account"),
        Index("cell_duty_cell", "county_code", "area_code", "until_day"),
        Index("cell_duty_account", "county_code", "account_id", "until_day"),
        CheckConstraint("role IN ('in_charge', 'informed', 'serving')", name="cell_duty_role"),
        CheckConstraint("from_day <= until_day", name="cell_duty_period"),
        CheckConstraint(
            "(stand_in_id IS NULL) = (stand_in_from IS NULL) AND (stand_in_id IS NULL) = (stand_in_until IS NULL)",
            name="cell_duty_stand_in",
        ),
    )

    role: str = text_column(nullable=False)
    account_id: UUID = Field(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(default=FOREVER, nullable=False)
    stand_in_id: UUID | None
    stand_in_from: date | None
    stand_in_until: date | None


class HouseholdDuty(AreaRow, table=True):
    """A household that a worker looks after; one worker at a time."""

    __tablename__ = "household_duty"
    __table_args__ = (
        within_county("household_id", "household"),
        within_county("account_id", "account"),
        Index(
            "household_duty_one", "county_code", "household_id", unique=True,
            postgresql_where=text("until_day >= '9999-12-31'::date"),
        ),
        Index("household_duty_account", "county_code", "account_id", "until_day"),
        Index("household_duty_cell", "county_code", "area_code", "until_day"),
        CheckConstraint("from_day <= until_day", name="household_duty_period"),
    )  # fmt: skip

    household_id: UUID = Field(nullable=False)
    account_id: UUID = Field(nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(default=FOREVER, nullable=False)
