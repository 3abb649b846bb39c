"""Boundaries to come, roles in a cell, and what a special-purpose cell is for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_cells"
down_revision = "2026_11_22_links"
branch_labels = None
depends_on = None

PURPOSES = "'school', 'factory', 'hospital', 'market', 'site', 'scenic', 'other'"
CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.add_column("cell", sa.Column("purpose", sa.Text(), nullable=True))
    op.add_column("cell", sa.Column("unit_name", sa.Text(), nullable=False, server_default=""))
    op.create_check_constraint(
        "cell_purpose", "cell", f"purpose IS NULL OR kind = 'special' AND purpose IN ({PURPOSES})"
    )
    _plans()
    _cell_duties()
    _household_duties()
    for table in ("boundary_plan", "cell_duty", "household_duty"):
        for statement in protect(table, "area"):
            op.execute(statement)
    # What has happened is never rewritten; where it belongs follows its household when boundaries change.
    op.execute("GRANT UPDATE (area_code) ON visit, request_event TO gridhood_transfer")


def _plans() -> None:
    op.create_table(
        "boundary_plan",
        *_stored(),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cells", postgresql.JSONB(), nullable=False),
        sa.Column("closed", sa.ARRAY(CODE), nullable=False),
        sa.Column("decisions", postgresql.JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("moved", postgresql.JSONB(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('draft', 'scheduled', 'applied', 'cancelled')", name="boundary_plan_state"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index(
        "boundary_plan_one_scheduled", "boundary_plan", ["county_code", "area_code"], unique=True,
        postgresql_where=sa.text("state = 'scheduled'"),
    )  # fmt: skip


def _cell_duties() -> None:
    op.create_table(
        "cell_duty",
        *_stored(),
        sa.Column("role", sa.Text(), nullable=False),
        *_held(),
        sa.Column("stand_in_id", sa.Uuid(), nullable=True),
        sa.Column("stand_in_from", sa.Date(), nullable=True),
        sa.Column("stand_in_until", sa.Date(), nullable=True),
        _within("stand_in_id", "account"),
        sa.CheckConstraint("role IN ('in_charge', 'informed', 'serving')", name="cell_duty_role"),
        sa.CheckConstraint("from_day <= until_day", name="cell_duty_period"),
        sa.CheckConstraint(
            "(stand_in_id IS NULL) = (stand_in_from IS NULL) AND (stand_in_id IS NULL) = (stand_in_until IS NULL)",
            name="cell_duty_stand_in",
        ),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("cell_duty_cell", "cell_duty", ["county_code", "area_code", "until_day"])
    op.create_index("cell_duty_account", "cell_duty", ["county_code", "account_id", "until_day"])


def _household_duties() -> None:
    op.create_table(
        "household_duty",
        *_placed(),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        *_held(),
        _within("household_id", "household"),
        sa.CheckConstraint("from_day <= until_day", name="household_duty_period"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index(
        "household_duty_one", "household_duty", ["county_code", "household_id"], unique=True,
        postgresql_where=sa.text("until_day >= '9999-12-31'::date"),
    )  # fmt: skip
    op.create_index("household_duty_account", "household_duty", ["county_code", "account_id", "until_day"])
    op.create_index("household_duty_cell", "household_duty", ["county_code", "area_code", "until_day"])


def _placed() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
    )


def _stored() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        *_placed(),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    )


def _held() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        _within("account_id", "account"),
    )


def _within(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["county_code", column], [f"{table}.county_code", f"{table}.id"])


def downgrade() -> None:
    op.execute("REVOKE UPDATE (area_code) ON visit, request_event FROM gridhood_transfer")
    for table in ("household_duty", "cell_duty", "boundary_plan"):
        op.drop_table(table)
    op.drop_constraint("cell_purpose", "cell")
    op.drop_column("cell", "unit_name")
    op.drop_column("cell", "purpose")
