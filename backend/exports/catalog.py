"""The tables of a database as its own catalog names them, so that those of later releases come along unasked."""

from graphlib import TopologicalSorter
from typing import Final, NamedTuple

import asyncpg

from backend.exports.package import Digest

LEFT_OUT: Final = {
    "alembic_version": "the manifest names the revision",
    "login_counter": "failed sign-ins by name and address, reports without an account by address; of no county, and a"
    " day without one starts anew",
}

TRANSFER_ROLE = "gridhood_transfer"

# Text that is the same on every server and version; binary COPY would not promise that.
PLAIN_TEXT = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'iso_8601';"
    " SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = 0"
)


class Table(NamedTuple):
    """A table. Without a county it is reference data, the same for all."""

    name: str
    columns: list[str]
    ordering: str
    of_county: bool
    guarded: bool

    @property
    def member(self) -> str:
        return f"{'tables' if self.of_county else 'reference'}/{self.name}.csv"

    def rows_of(self, county: str) -> str:
        where = f" WHERE county_code = '{county}'" if self.of_county else ""
        return f'SELECT {_listed(self.columns)} FROM "{self.name}" AS t{where} ORDER BY {self.ordering}'


def _listed(columns: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


async def tables(conn: asyncpg.Connection) -> list[Table]:
    """Return every table of the public schema, each after those that it points to."""
    rows = {row["name"]: row for row in await conn.fetch(_TABLES, list(LEFT_OUT))}
    order = TopologicalSorter({name: [other for other in row["needs"] if other != name] for name, row in rows.items()})
    return [_table(rows[name]) for name in order.static_order()]


def _table(row: asyncpg.Record) -> Table:
    ordering = ", ".join(row["key"]) or 't::text COLLATE "C"'
    return Table(row["name"], row["columns"], ordering, "county_code" in row["columns"], row["guarded"])


async def copy_out(conn: asyncpg.Connection, table: Table, county: str, into: Digest, *, as_owner: bool = False) -> int:
    """Write the county's rows as CSV, in the order of their key, and return how many there were.

    Forced row-level security binds the schema's owner too, and would hide every row without a word: guarded tables are
    read in the role that sees one county.
    """
    await conn.execute(f"SET LOCAL ROLE {'NONE' if as_owner or not table.guarded else TRANSFER_ROLE}")
    tag: str = await conn.copy_from_query(
        table.rows_of(county), output=into.write, format="csv", header=True, force_quote=True
    )
    return int(tag.removeprefix("COPY "))


_TABLES = """
SELECT c.relname::text AS name, c.relrowsecurity AS guarded,
       ARRAY(SELECT attname::text FROM pg_attribute
             WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
             ORDER BY attnum) AS columns,
       ARRAY(SELECT 't.' || quote_ident(a.attname) || CASE WHEN a.attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END
             FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY k.place) AS key,
       ARRAY(SELECT r.relname::text FROM pg_constraint f JOIN pg_class r ON r.oid = f.confrelid
             WHERE f.conrelid = c.oid AND f.contype = 'f' AND NOT r.relispartition) AS needs
FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND c.relname <> ALL ($1::text[])
ORDER BY c.relname
"""
