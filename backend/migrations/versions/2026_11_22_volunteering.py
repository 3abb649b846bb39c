"""Skills with evidence, quiet hours, messages."""

from alembic import op

revision = "2026_11_22_volunteering"
down_revision = "2026_11_22_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
