"""What workers report from the street: photos of requests, announced as those of visits are."""

import sqlalchemy as sa
from alembic import op

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_reports"
down_revision = "2026_11_22_conflicts"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.create_table(
        "request_photo",
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.SmallInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('missing', 'stored', 'quarantined')", name="request_photo_state"),
        sa.ForeignKeyConstraint(["county_code", "request_id"], ["request.county_code", "request.id"]),
        sa.PrimaryKeyConstraint("county_code", "id"),
    )
    op.create_index("request_photo_request", "request_photo", ["county_code", "request_id", "place"])
    op.create_index("request_photo_hash", "request_photo", ["county_code", "sha256"])
    for statement in protect("request_photo", "area"):
        op.execute(statement)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_table("request_photo")
