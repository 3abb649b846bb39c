"""What a person decides: operations that could not be applied as they came."""

import sqlalchemy as sa
from alembic import op

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_conflicts"
down_revision = "2026_11_22_settling"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("refresh_token", sa.Column("device_id", sa.Uuid(), nullable=True))
    op.create_table(
        "conflict",
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("op_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("device_seq", sa.BigInteger(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("made_at", MOMENT, nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rescued", sa.Boolean(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("theirs_name", sa.Text(), nullable=False),
        sa.Column("theirs_at", MOMENT, nullable=True),
        sa.Column("data_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_name", sa.Text(), nullable=False),
        sa.Column("settled_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'settled')", name="conflict_state"),
        sa.CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name="conflict_settled_at"),
        sa.CheckConstraint("(data_key IS NULL) = (sealed IS NULL)", name="conflict_sealed_both"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("conflict_list", "conflict", ["county_code", "area_code", "received_at", "id"])
    op.create_index("conflict_county_list", "conflict", ["county_code", "received_at", "id"])
    op.create_index("conflict_state_list", "conflict", ["county_code", "state", "received_at", "id"])
    op.create_index("conflict_operation", "conflict", ["county_code", "op_id"], unique=True)
    op.create_index("conflict_entity", "conflict", ["county_code", "entity_id"])
    op.create_index(
        "conflict_settled", "conflict", ["county_code", "settled_at"], postgresql_where=sa.text("data_key IS NOT NULL")
    )
    for statement in protect("conflict", "area"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_table("conflict")
    op.drop_column("refresh_token", "device_id")
