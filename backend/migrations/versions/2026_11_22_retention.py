"""Retention: a role that may remove what has been kept long enough, and the way to find it."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_22_retention"
down_revision = "2026_11_22_jobs"
branch_labels = None
depends_on = None

ROLE = "gridhood_retention"
COUNTY = "nullif(current_setting('app.county', true), '')"
TABLES = ("change", "edit", "operation")


def upgrade() -> None:
    # Roles belong to the cluster: another database of it may have made this one, at this very moment too.
    op.execute(
        f"DO $$ BEGIN CREATE ROLE {ROLE} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )
    op.execute(
        f"DO $$ BEGIN EXECUTE format('GRANT {ROLE} TO %I', session_user);"
        " EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL; END $$"
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    for table in TABLES:
        op.execute(f"CREATE POLICY retention ON {table} TO {ROLE} USING (county_code = {COUNTY})")
        op.execute(f"GRANT SELECT, DELETE ON {table} TO {ROLE}")
    # Rows come in the order of their time: a few pages of block ranges find the old ones, and writing costs nothing.
    op.create_index("edit_age", "edit", ["at"], postgresql_using="brin")
    op.create_index("operation_age", "operation", ["received_at"], postgresql_using="brin")
    op.create_index("change_gone", "change", ["county_code", "at"], postgresql_where=sa.text("gone"))


def downgrade() -> None:
    op.drop_index("change_gone", "change")
    op.drop_index("operation_age", "operation")
    op.drop_index("edit_age", "edit")
    for table in TABLES:
        op.execute(f"DROP POLICY retention ON {table}")
        op.execute(f"REVOKE SELECT, DELETE ON {table} FROM {ROLE}")
    op.execute(f"REVOKE USAGE ON SCHEMA public FROM {ROLE}")
