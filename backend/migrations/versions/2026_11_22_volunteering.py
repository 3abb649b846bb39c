"""Skills with evidence, quiet hours, and finding the tasks that nobody has ended."""

import sqlalchemy as sa
from alembic import op

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_volunteering"
down_revision = "2026_11_22_reports"
branch_labels = None
depends_on = None

CODE = sa.Text(collation="C")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column(
        "volunteer", sa.Column("quiet_from", sa.SmallInteger(), nullable=False, server_default=sa.text("1290"))
    )
    op.add_column(
        "volunteer", sa.Column("quiet_until", sa.SmallInteger(), nullable=False, server_default=sa.text("450"))
    )
    op.create_check_constraint(
        "volunteer_quiet_hours", "volunteer", "quiet_from BETWEEN 0 AND 1439 AND quiet_until BETWEEN 0 AND 1439"
    )
    op.create_table(
        "volunteer_skill",
        sa.Column("county_code", CODE, nullable=False),
        sa.Column("volunteer_id", sa.Uuid(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("checked_by", sa.Uuid(), nullable=True),
        sa.Column("checked_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["county_code", "volunteer_id"], ["volunteer.county_code", "volunteer.id"]),
        sa.PrimaryKeyConstraint("county_code", "volunteer_id", "skill"),
    )
    for statement in protect("volunteer_skill", "volunteer"):
        op.execute(statement)
    op.create_index(
        "task_card_serving", "task_card", ["county_code", "area_code"], postgresql_where=sa.text("state = 'serving'")
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_index("task_card_serving", "task_card")
    op.drop_table("volunteer_skill")
    op.drop_constraint("volunteer_quiet_hours", "volunteer", type_="check")
    op.drop_column("volunteer", "quiet_until")
    op.drop_column("volunteer", "quiet_from")
