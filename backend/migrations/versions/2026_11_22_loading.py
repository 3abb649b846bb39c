"""A corrected sheet may change people who are known: whether it does, and what it found, so that it can be undone.
Who fills an empty register may have it counted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_22_loading"
down_revision = "2026_11_22_imports"
branch_labels = None
depends_on = None

# Counting needs the table's owner, and the application is not that. It counts these tables and does nothing else.
COUNT = """
CREATE FUNCTION count_register(which text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog
AS $$ BEGIN
    CASE which
        WHEN 'dwelling' THEN ANALYZE (SKIP_LOCKED) public.dwelling;
        WHEN 'household' THEN ANALYZE (SKIP_LOCKED) public.household;
        WHEN 'resident' THEN ANALYZE (SKIP_LOCKED) public.resident;
    END CASE;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.add_column("import_batch", sa.Column("known", sa.Text(), server_default="keep", nullable=False))
    op.create_check_constraint("import_batch_known", "import_batch", "known IN ('keep', 'update')")
    op.add_column("import_issue", sa.Column("former", postgresql.JSONB(), nullable=True))
    _grades("'refused', 'warned', 'differs', 'changed'")
    op.execute(COUNT)
    op.execute("REVOKE ALL ON FUNCTION count_register(text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION count_register(text) TO gridhood_app")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("DROP FUNCTION count_register(text)")
    op.execute("DELETE FROM import_issue WHERE grade = 'changed'")
    _grades("'refused', 'warned', 'differs'")
    op.drop_column("import_issue", "former")
    op.drop_constraint("import_batch_known", "import_batch")
    op.drop_column("import_batch", "known")


def _grades(names: str) -> None:
    op.drop_constraint("import_issue_grade", "import_issue")
    op.create_check_constraint("import_issue_grade", "import_issue", f"grade IN ({names})")
