"""Coded facts of a person, what is sealed about them, and findings on the register."""

import sqlalchemy as sa
from alembic import op

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_codes"
down_revision = "2026_11_22_retention"
branch_labels = None
depends_on = None

CODED = ("ethnicity", "marital", "education", "employment", "occupation", "political", "registered_place")
NEW_TABLES = ("sealed_fact", "register_finding")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for column in CODED:
        op.add_column("resident", sa.Column(column, sa.Text(), nullable=True))
    _add_sealed_facts()
    _add_findings()
    for table in NEW_TABLES:
        for statement in protect(table, "area"):
            op.execute(statement)


def _add_sealed_facts() -> None:
    op.create_table(
        "sealed_fact",
        *_stored(),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("county_code", "id"),
        sa.ForeignKeyConstraint(["county_code", "resident_id"], ["resident.county_code", "resident.id"]),
        sa.CheckConstraint("kind IN ('health', 'disability', 'poverty')", name="sealed_fact_kind"),
        sa.CheckConstraint("from_day < until_day", name="sealed_fact_days"),
    )
    columns = ["county_code", "resident_id", "kind", "from_day"]
    op.create_index("sealed_fact_from", "sealed_fact", columns, unique=True)


def _add_findings() -> None:
    op.create_table(
        "register_finding",
        *_stored(),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("county_code", "id"),
        sa.ForeignKeyConstraint(["county_code", "resident_id"], ["resident.county_code", "resident.id"]),
        sa.CheckConstraint("state IN ('open', 'settled')", name="register_finding_state"),
        sa.CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="register_finding_settled"),
    )
    op.create_index("register_finding_list", "register_finding", ["county_code", "area_code", "received_at", "id"])
    op.create_index("register_finding_county_list", "register_finding", ["county_code", "received_at", "id"])
    once = ["county_code", "resident_id", "kind"]
    op.create_index(
        "register_finding_once", "register_finding", once, unique=True, postgresql_where=sa.text("state = 'open'")
    )


def _stored() -> list[sa.Column[object]]:
    return [
        sa.Column("county_code", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    ]


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    for column in reversed(CODED):
        op.drop_column("resident", column)
