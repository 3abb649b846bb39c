"""The register as dated periods, its six events, and moves between cells."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.migrations.scope_v1 import AREA, protect

revision = "2026_11_22_history"
down_revision = "2026_11_22_codes"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
EVENTS = "kind IN ('birth', 'death', 'settle', 'float', 'move_in', 'move_out')"
STATES = "state IN ('expected', 'arrived', 'not_arrived', 'left_county')"
APPEND_ONLY = ("register_event", "register_withdrawal")
TABLES = ("trusted_county", "move", "register_withdrawal", "register_event_person", "register_event", "period")


def upgrade() -> None:
    # Trusted: who owns the database may create it. It gives text and uuid the operators that the exclusion needs.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.add_column("resident", sa.Column("left_on", sa.Date(), nullable=True))
    op.add_column("resident", sa.Column("left_by", sa.Text(), nullable=True))
    op.create_check_constraint("resident_left_both", "resident", "(left_on IS NULL) = (left_by IS NULL)")
    _period()
    _events()
    _moves()
    for table in ("period", "register_event_person"):
        _protect(table, "area")
    for table in APPEND_ONLY:
        _protect(table, "area", "SELECT, INSERT")
    _protect("trusted_county", "county")
    _protect("move", "area")
    # Both sides see a move. Only the side that people go to may settle it, which the service decides.
    op.execute(f"CREATE POLICY from_here ON move FOR SELECT TO gridhood_app USING ({_from_area()})")


def _from_area() -> str:
    return AREA.replace("area_code", "from_area_code")


def _protect(table: str, policy: str, app: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    for statement in protect(table, policy, app):
        op.execute(statement)


def _county_row(*columns: sa.Column[Any]) -> list[sa.Column[Any]]:
    return [
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        *columns,
    ]


def _period() -> None:
    op.create_table(
        "period",
        *_county_row(
            sa.Column("resident_id", sa.Uuid(), nullable=False),
            sa.Column("track", CODE, nullable=False),
            sa.Column("value", sa.Text(), nullable=False),
            sa.Column("from_day", sa.Date(), nullable=False),
            sa.Column("until_day", sa.Date(), server_default=sa.text("'infinity'"), nullable=False),
            sa.Column("noted_by", sa.Uuid(), nullable=True),
            sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        ),
        sa.CheckConstraint("from_day < until_day", name="period_days"),
        sa.PrimaryKeyConstraint("county_code", "id"),
        sa.ForeignKeyConstraint(["county_code", "resident_id"], ["resident.county_code", "resident.id"]),
        postgresql.ExcludeConstraint(
            (sa.column("resident_id"), "="),
            (sa.column("track"), "="),
            (sa.column("county_code"), "="),
            (sa.func.daterange(sa.column("from_day"), sa.column("until_day")), "&&"),
            name="period_no_overlap",
            using="gist",
        ),
    )
    op.create_index("period_as_at", "period", ["county_code", "track", "area_code", "from_day"])


def _events() -> None:
    op.create_table(
        "register_event",
        *_county_row(
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("on_day", sa.Date(), nullable=False),
            sa.Column("note", sa.Text(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("noted_by", sa.Text(), nullable=False),
            sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        ),
        sa.CheckConstraint(EVENTS, name="register_event_kind"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("register_event_list", "register_event", ["county_code", "area_code", "received_at", "id"])
    op.create_index("register_event_county_list", "register_event", ["county_code", "received_at", "id"])
    op.create_table(
        "register_event_person",
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("written", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("jsonb_typeof(written) = 'object'", name="register_event_person_written"),
        sa.PrimaryKeyConstraint("county_code", "event_id", "resident_id"),
        sa.ForeignKeyConstraint(["county_code", "event_id"], ["register_event.county_code", "register_event.id"]),
    )
    op.create_index("register_event_person_of", "register_event_person", ["county_code", "resident_id"])
    op.create_table(
        "register_withdrawal",
        *_county_row(
            sa.Column("reason", sa.Text(), nullable=False),
            sa.Column("account_id", sa.Uuid(), nullable=False),
            sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        ),
        sa.PrimaryKeyConstraint("county_code", "id"),
        sa.ForeignKeyConstraint(["county_code", "id"], ["register_event.county_code", "register_event.id"]),
    )


def _moves() -> None:
    op.create_table(
        "move",
        *_county_row(
            sa.Column("rev", sa.Integer(), nullable=False),
            sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("from_area_code", CODE, nullable=False),
            sa.Column("to_county_code", CODE, nullable=True),
            sa.Column("movers", postgresql.JSONB(), nullable=False),
            sa.Column("out_on", sa.Date(), nullable=False),
            sa.Column("words", sa.Text(), nullable=False),
            sa.Column("note", sa.Text(), nullable=False),
            sa.Column("state", sa.Text(), nullable=False),
            sa.Column("settled_on", sa.Date(), nullable=True),
            sa.Column("settled_by", sa.Text(), nullable=False),
        ),
        sa.CheckConstraint(STATES, name="move_state"),
        sa.CheckConstraint("jsonb_typeof(movers) = 'array'", name="move_movers"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("move_list", "move", ["county_code", "area_code", "received_at", "id"])
    op.create_index("move_county_list", "move", ["county_code", "received_at", "id"])
    op.create_index("move_from", "move", ["county_code", "from_area_code", "received_at", "id"])
    op.create_table(
        "trusted_county",
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("other_county_code", CODE, nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_code", "other_county_code"),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_constraint("resident_left_both", "resident")
    op.drop_column("resident", "left_by")
    op.drop_column("resident", "left_on")
    op.execute("DROP EXTENSION btree_gist")
