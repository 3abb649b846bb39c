"""How many photos a visit and a request have: who reads them offline knows that there is something to see."""

import sqlalchemy as sa
from alembic import op

revision = "2026_12_01_photo_counts"
down_revision = "2026_11_22_volunteering"
branch_labels = None
depends_on = None

COUNT = """
UPDATE {table} t SET photo_count = p.n
FROM (SELECT county_code, {table}_id AS id, count(*) AS n FROM {table}_photo GROUP BY 1, 2) p
WHERE t.county_code = p.county_code AND t.id = p.id
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for table in ("visit", "request"):
        op.add_column(table, sa.Column("photo_count", sa.SmallInteger(), nullable=False, server_default="0"))
        # The owner of the tables obeys their policies, which show it nothing.
        for guarded in (table, f"{table}_photo"):
            op.execute(f"ALTER TABLE {guarded} NO FORCE ROW LEVEL SECURITY")
        op.execute(COUNT.format(table=table))
        for guarded in (table, f"{table}_photo"):
            op.execute(f"ALTER TABLE {guarded} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    for table in ("visit", "request"):
        op.drop_column(table, "photo_count")
