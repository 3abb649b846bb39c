"""Tables of places: the national divisions and the county's own cells."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from backend.core.clock import FOREVER
from backend.core.tables import AreaRow, StoredRow, code_column, json_column, text_column, within_county
from shared.grid import Purpose


class Division(SQLModel, table=True):
    """An administrative division. Reference data, the same for every county."""

    __tablename__ = "division"

    code: str = code_column(primary_key=True)
    level: str = text_column(nullable=False)
    name: str = text_column(nullable=False)
    parent_code: str | None = code_column(default=None, nullable=True)


class Cell(StoredRow, table=True):
    """A grid cell; its area code is its own code."""

    __tablename__ = "cell"
    __table_args__ = (
        UniqueConstraint("county_code", "area_code", name="cell_code"),
        CheckConstraint("length(area_code) = 15", name="cell_code_length"),
        CheckConstraint("kind IN ('basic', 'special')", name="cell_kind"),
        CheckConstraint(
            f"purpose IS NULL OR kind = 'special' AND purpose IN ({', '.join(repr(p.value) for p in Purpose)})",
            name="cell_purpose",
        ),
        CheckConstraint("unit_code = '' OR kind = 'special' AND length(unit_code) = 18", name="cell_unit_code"),
    )

    name: str = text_column(nullable=False)
    kind: str = text_column(nullable=False)
    purpose: str | None = text_column(default=None, nullable=True)
    unit_name: str = text_column(nullable=False, default="", sa_column_kwargs={"server_default": ""})
    unit_code: str = text_column(nullable=False, default="", sa_column_kwargs={"server_default": ""})


class GridVersion(SQLModel, table=True):
    """Changes with every change of a cell, to a value never used before: a map in memory tells by it that it is old."""

    __tablename__ = "grid_version"

    county_code: str = code_column(primary_key=True)
    version: UUID = Field(nullable=False)


class CellBoundary(AreaRow, table=True):
    """The boundary a cell has during a period of days."""

    __tablename__ = "cell_boundary"
    __table_args__ = (
        within_county("cell_id", "cell"),
        Index("cell_boundary_cell", "county_code", "cell_id", "from_day"),
        CheckConstraint("from_day < until_day", name="cell_boundary_period"),
    )

    cell_id: UUID = Field(nullable=False)
    geometry: dict[str, Any] = json_column(nullable=False)
    area_m2: int = Field(sa_type=BigInteger, nullable=False)
    from_day: date = Field(nullable=False)
    until_day: date = Field(default=FOREVER, nullable=False)
