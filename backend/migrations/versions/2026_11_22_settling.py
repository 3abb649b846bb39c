"""Folded households and where they lay, one head each; when a rule was tried; a county's own intervals of visits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_settling"
down_revision = "2026_11_22_loading"
branch_labels = None
depends_on = None

HEAD = "relation = '02' AND left_on IS NULL AND merged_into IS NULL"

# Of several heads the first one registered stays it; what the others are to that one nobody has said.
FORMER_HEADS = """
CREATE TEMP TABLE former_head (county_code text COLLATE "C", id uuid, rev int, area_code text COLLATE "C", stream text)
ON COMMIT DROP
"""
SECOND_HEADS = f"""
WITH ranked AS (
    SELECT county_code, id, row_number() OVER (PARTITION BY county_code, household_id ORDER BY received_at, id) AS place
    FROM resident WHERE {HEAD}
), other AS (
    UPDATE resident r SET relation = '97', rev = r.rev + 1 FROM ranked
    WHERE ranked.place > 1 AND r.county_code = ranked.county_code AND r.id = ranked.id
    RETURNING r.county_code, r.id, r.rev, r.area_code
), dated AS (
    UPDATE period p SET value = '97' FROM other
    WHERE p.county_code = other.county_code AND p.resident_id = other.id AND p.track = 'relation' AND p.value = '02'
      AND p.until_day = 'infinity'
)
INSERT INTO former_head
SELECT county_code, id, rev, area_code, left(area_code, CASE WHEN length(area_code) < 12 THEN 6 ELSE 12 END) FROM other
"""
# By the county itself. A household's sums stay: they name the first head.
EDITS = """
INSERT INTO edit (county_code, entity_id, rev, area_code, fields, account_id, at)
SELECT county_code, id, rev, area_code, '{relation}', '00000000-0000-0000-0000-000000000000', now() FROM former_head
"""
# Phones hear of it. Feed heads last and in order, as everybody locks them.
HEADS = """
SELECT 1 FROM feed_head WHERE (county_code, stream) IN (SELECT county_code, stream FROM former_head)
ORDER BY county_code, stream FOR UPDATE
"""
FEED = """
WITH size AS (
    SELECT county_code, stream, count(*) AS n FROM former_head GROUP BY 1, 2
), head AS (
    UPDATE feed_head f SET seq = f.seq + size.n FROM size
    WHERE f.county_code = size.county_code AND f.stream = size.stream
    RETURNING f.county_code, f.stream, f.seq - size.n AS base
)
INSERT INTO change (county_code, stream, kind, id, area_code, seq, gone, at)
SELECT county_code, stream, 'resident', id, area_code,
       base + row_number() OVER (PARTITION BY county_code, stream ORDER BY id), false, now()
FROM former_head JOIN head USING (county_code, stream)
ON CONFLICT (county_code, stream, kind, id, area_code)
DO UPDATE SET seq = excluded.seq, gone = excluded.gone, at = excluded.at
"""
GUARDED = ("resident", "period", "edit", "feed_head", "change")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    _households()
    _heads()
    op.add_column(
        "round_trial",
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    _due_days()


def _due_days() -> None:
    op.create_table(
        "due_days",
        sa.Column("county_code", sa.Text(collation="C"), nullable=False),
        sa.Column("days", postgresql.JSONB(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.CheckConstraint("jsonb_typeof(days) = 'object'", name="due_days_object"),
        sa.PrimaryKeyConstraint("county_code"),
    )
    for statement in protect("due_days", "county", "SELECT, INSERT, UPDATE"):
        op.execute(statement)


def _households() -> None:
    op.add_column("household", sa.Column("folded_into", sa.Uuid(), nullable=True))
    op.add_column("household", sa.Column("lay_in", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")))
    op.execute(
        "ALTER TABLE household ADD CONSTRAINT household_folded_into_fkey FOREIGN KEY (county_code, folded_into)"
        " REFERENCES household (county_code, id) NOT VALID"
    )
    op.execute("ALTER TABLE household VALIDATE CONSTRAINT household_folded_into_fkey")
    op.execute("ALTER TABLE household ADD CONSTRAINT household_lay_in CHECK (jsonb_typeof(lay_in) = 'array')")
    op.create_index(
        "household_folded", "household", ["county_code", "folded_into"],
        postgresql_where=sa.text("folded_into IS NOT NULL"),
    )  # fmt: skip


def _heads() -> None:
    # The owner of the tables obeys their policies, which show it nothing.
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in (FORMER_HEADS, SECOND_HEADS, EDITS, HEADS, FEED):
        op.execute(statement)
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_index(
        "resident_one_head", "resident", ["county_code", "household_id"], unique=True, postgresql_where=sa.text(HEAD)
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.drop_table("due_days")
    op.drop_column("round_trial", "tried_at")
    op.drop_index("resident_one_head", "resident")
    op.drop_column("household", "lay_in")
    op.drop_column("household", "folded_into")
