"""The unified social credit code of the unit that a special-purpose cell is for."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_unit_codes"
down_revision = "2026_12_01_photo_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("cell", sa.Column("unit_code", sa.Text(), nullable=False, server_default=""))
    op.create_check_constraint(
        "cell_unit_code", "cell", "unit_code = '' OR kind = 'special' AND length(unit_code) = 18"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_constraint("cell_unit_code", "cell")
    op.drop_column("cell", "unit_code")
