"""Doors that stand empty, who lived where, who stands by whom, and two rows that are one person."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from backend.migrations.scope_v1 import protect

revision = "2026_11_22_links"
down_revision = "2026_11_22_history"
branch_labels = None
depends_on = None


def _code(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def _key() -> list[Any]:
    return [
        _code("county_code"),
        sa.Column("id", sa.Uuid(), nullable=False),
        _code("area_code"),
        sa.PrimaryKeyConstraint("county_code", "id"),
    ]


def _stored() -> list[sa.Column[Any]]:
    return [
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _to(column: str, table: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    there = [f"{table}.county_code", f"{table}.id"]
    return sa.ForeignKeyConstraint(["county_code", column], there, ondelete=ondelete)


def _doors() -> None:
    # A constant default rewrites no row; checks are validated afterwards, without keeping writers out.
    op.add_column("dwelling", sa.Column("usage", sa.Text(), nullable=False, server_default="unknown"))
    op.execute(
        "ALTER TABLE dwelling ADD CONSTRAINT dwelling_usage"
        " CHECK (usage IN ('unknown', 'own_use', 'rented', 'empty', 'commercial')) NOT VALID"
    )
    op.execute("ALTER TABLE dwelling VALIDATE CONSTRAINT dwelling_usage")
    op.create_index("dwelling_list", "dwelling", ["county_code", "area_code", "received_at", "id"])
    op.create_index("dwelling_county_list", "dwelling", ["county_code", "received_at", "id"])
    op.create_index("dwelling_used_as", "dwelling", ["county_code", "usage", "received_at", "id"])
    op.create_index("household_dwelling", "household", ["county_code", "dwelling_id"])


def _occupancy() -> None:
    op.create_table(
        "occupancy",
        *_key(),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("dwelling_id", sa.Uuid(), nullable=False),
        sa.Column("tenure", sa.Text(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        _to("household_id", "household"),
        _to("dwelling_id", "dwelling"),
        sa.CheckConstraint("from_day < until_day", name="occupancy_forwards"),
        sa.CheckConstraint("tenure IN ('unknown', 'owner', 'tenant', 'other')", name="occupancy_tenure"),
    )
    op.execute(
        "ALTER TABLE occupancy ADD CONSTRAINT occupancy_one_door EXCLUDE USING gist"
        " (county_code WITH =, household_id WITH =, daterange(from_day, until_day) WITH &&)"
    )
    op.create_index("occupancy_dwelling", "occupancy", ["county_code", "dwelling_id", "until_day"])


def _link() -> None:
    op.create_table(
        "link",
        *_key(),
        *_stored(),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("helper", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("stand_in_name", sa.Text(), nullable=True),
        sa.Column("stand_in_phone", sa.Text(), nullable=True),
        sa.Column("stand_in_from", sa.Date(), nullable=True),
        sa.Column("stand_in_until", sa.Date(), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _to("household_id", "household"),
        _to("resident_id", "resident"),
        _to("person_id", "resident"),
        sa.CheckConstraint("kind IN ('contact', 'guardian', 'helper')", name="link_kind"),
        sa.CheckConstraint("resident_id IS NOT NULL OR kind = 'contact'", name="link_whose"),
        sa.CheckConstraint("(kind = 'helper') = (helper IS NOT NULL)", name="link_helper_kind"),
        sa.CheckConstraint("helper IN ('worker', 'volunteer', 'member', 'neighbour')", name="link_helper"),
        sa.CheckConstraint("from_day < until_day", name="link_forwards"),
        sa.CheckConstraint("stand_in_name IS NULL OR stand_in_from < stand_in_until", name="link_stand_in"),
    )
    op.create_index("link_household", "link", ["county_code", "household_id"])
    op.create_index("link_resident", "link", ["county_code", "resident_id"])
    op.create_index("link_person", "link", ["county_code", "person_id"])


def _duplicate() -> None:
    op.create_table(
        "duplicate",
        *_key(),
        *_stored(),
        sa.Column("first_id", sa.Uuid(), nullable=False),
        sa.Column("second_id", sa.Uuid(), nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=True),
        sa.Column("added", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        _to("first_id", "resident", ondelete="CASCADE"),
        _to("second_id", "resident", ondelete="CASCADE"),
        sa.CheckConstraint("first_id < second_id", name="duplicate_order"),
        sa.CheckConstraint("state IN ('open', 'merged', 'distinct')", name="duplicate_state"),
        sa.CheckConstraint("(state = 'merged') = (kept_id IS NOT NULL)", name="duplicate_kept"),
        sa.CheckConstraint("kept_id IN (first_id, second_id)", name="duplicate_kept_of_both"),
    )
    op.create_index("duplicate_list", "duplicate", ["county_code", "area_code", "state", "received_at", "id"])
    op.create_index("duplicate_county_list", "duplicate", ["county_code", "state", "received_at", "id"])
    op.create_index("duplicate_first", "duplicate", ["county_code", "first_id"])
    op.create_index("duplicate_second", "duplicate", ["county_code", "second_id"])


def _merged() -> None:
    op.add_column("resident", sa.Column("merged_into", sa.Uuid(), nullable=True))
    op.execute(
        "ALTER TABLE resident ADD CONSTRAINT resident_merged_into_fkey FOREIGN KEY (county_code, merged_into)"
        " REFERENCES resident (county_code, id) NOT VALID"
    )
    op.execute("ALTER TABLE resident VALIDATE CONSTRAINT resident_merged_into_fkey")
    op.create_index(
        "resident_merged", "resident", ["county_code", "merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )  # fmt: skip


def upgrade() -> None:
    for step in (_doors, _occupancy, _link, _duplicate, _merged):
        step()
    for table in ("occupancy", "link", "duplicate"):
        for statement in protect(table, "area"):
            op.execute(statement)


def downgrade() -> None:
    op.drop_column("resident", "merged_into")
    for table in ("duplicate", "link", "occupancy"):
        op.drop_table(table)
    op.drop_index("household_dwelling", "household")
    op.drop_index("dwelling_used_as", "dwelling")
    op.drop_index("dwelling_county_list", "dwelling")
    op.drop_index("dwelling_list", "dwelling")
    op.drop_column("dwelling", "usage")
