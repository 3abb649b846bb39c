"""What follows from a visit (photos, requests, corrections), and rules and warnings that say who is due."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.migrations.scope_v1 import AREA, protect

revision = "2026_11_22_rounds"
down_revision = "2026_11_22_cells"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
COUNTY_WIDE = ("alert", "round_rule")
IN_AREA = ("round_trial", "correction", "visit_follow_up", "visit_photo")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("request", sa.Column("visit_id", sa.Uuid(), nullable=True))
    op.create_index("request_household", "request", ["county_code", "household_id"])
    _photos()
    _follow_ups()
    _corrections()
    _rules()
    _alerts()
    for table in IN_AREA:
        _run(protect(table, "area"))
    for table in COUNTY_WIDE:
        _run(protect(table, "county"))
        # Read in every cell of the county, written only by who holds the area it is for.
        op.execute(f"CREATE POLICY add_own ON {table} AS RESTRICTIVE FOR INSERT TO gridhood_app WITH CHECK ({AREA})")
        op.execute(f"CREATE POLICY change_own ON {table} AS RESTRICTIVE FOR UPDATE TO gridhood_app USING ({AREA})")
        op.execute(f"CREATE POLICY drop_own ON {table} AS RESTRICTIVE FOR DELETE TO gridhood_app USING ({AREA})")


def _run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def _of_area(*, stored: bool = False) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
    ]
    if stored:
        columns += [
            sa.Column("rev", sa.Integer(), nullable=False),
            sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        ]
    return columns


def _of_visit() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["county_code", "visit_id"], ["visit.county_code", "visit.id"])


def _photos() -> None:
    op.create_table(
        "visit_photo",
        *_of_area(),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('missing', 'stored', 'quarantined')", name="visit_photo_state"),
        _of_visit(),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("visit_photo_visit", "visit_photo", ["county_code", "visit_id", "place"])
    op.create_index("visit_photo_hash", "visit_photo", ["county_code", "sha256"])


def _follow_ups() -> None:
    op.create_table(
        "visit_follow_up",
        *_of_area(),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("attached", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('request', 'correction')", name="visit_follow_up_kind"),
        _of_visit(),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("visit_follow_up_visit", "visit_follow_up", ["county_code", "visit_id"])


def _corrections() -> None:
    op.create_table(
        "correction",
        *_of_area(stored=True),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "what IN ('phone', 'moved_away', 'not_known', 'new_person', 'other')", name="correction_what"
        ),
        sa.CheckConstraint("state IN ('open', 'done', 'refused')", name="correction_state"),
        sa.ForeignKeyConstraint(["county_code", "household_id"], ["household.county_code", "household.id"]),
        _of_visit(),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("correction_list", "correction", ["county_code", "area_code", "received_at", "id"])
    op.create_index("correction_county_list", "correction", ["county_code", "received_at", "id"])
    op.create_index("correction_household", "correction", ["county_code", "household_id"])


def _rules() -> None:
    op.create_table(
        "round_rule",
        *_of_area(stored=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conditions", postgresql.JSONB(), nullable=False),
        sa.Column("every_days", sa.SmallInteger(), nullable=True),
        sa.Column("alert", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'live')", name="round_rule_state"),
        sa.CheckConstraint("(every_days IS NULL) <> (alert IS NULL)", name="round_rule_cause"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_table(
        "round_trial",
        *_of_area(),
        sa.Column("content", postgresql.BYTEA(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("round_trial_content", "round_trial", ["county_code", "content"])


def _alerts() -> None:
    op.create_table(
        "alert",
        *_of_area(stored=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('cold', 'heat', 'flood', 'storm', 'outage', 'other')", name="alert_kind"),
        sa.CheckConstraint("from_day <= last_day", name="alert_in_order"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("alert_days", "alert", ["county_code", "last_day"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in (*COUNTY_WIDE, *IN_AREA):
        op.drop_table(table)
    op.drop_index("request_household", "request")
    op.drop_column("request", "visit_id")
