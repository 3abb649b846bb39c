"""Made-up rows for any table of the metadata, so that a test over all tables covers those that come later."""

import re
from collections.abc import Iterator, Mapping, Sequence

import asyncpg
from sqlalchemy import ARRAY, BigInteger, Boolean, CheckConstraint, Column, Date, DateTime, Float, Integer, Table, Uuid
from sqlalchemy.dialects.postgresql import BYTEA, JSONB
from sqlmodel import SQLModel

from backend import tables
from backend.core.feed import stream_of
from tests.factories import COUNTY

assert tables.__all__, "importing it registers every table"

EXEMPT = frozenset({
    "account", "alembic_version", "api_key", "device", "device_login", "division", "login_counter", "refresh_token",
    "role_grant", "transition",
})  # fmt: skip
"""Read before a scope is known, or the same for every county (design §2). The job queue has a schema of its own."""

COUNTY_WIDE = frozenset({"alert", "request_counter", "round_rule"})
"""Tables with an area that every caller of the county may read: counters without content, warnings, and rules that
name nobody."""

_BY_TYPE: tuple[tuple[type, str], ...] = (
    (Uuid, "gen_random_uuid()"),
    (Boolean, "false"),
    (BigInteger, "g"),
    (Integer, "g % 1000"),
    (Float, "0.5"),
    (DateTime, "timestamptz '2026-01-01' + g * interval '1 minute'"),
    (Date, "date '2026-01-01' + (g % 300)::int"),
    (JSONB, "'{}'"),
    (ARRAY, "'{}'"),
    (BYTEA, "decode(md5(g::text), 'hex')"),
)
_last = 0
_ONE_OF = re.compile(r"(\w+) IN \('([^']+)'")


def county_tables() -> list[Table]:
    """Return the tables that belong to a county and are under row-level security."""
    every = SQLModel.metadata.sorted_tables
    return [table for table in every if "county_code" in table.c and table.name not in EXEMPT]


def area_tables() -> list[str]:
    return [table.name for table in county_tables() if "area_code" in table.c and table.name not in COUNTY_WIDE]


async def loosen(conn: asyncpg.Connection) -> None:
    """Drop foreign keys and the checks of single tables: what is left is who may see a row."""
    drops = await conn.fetch(
        "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS sql FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace"
        " AND (contype = 'f' OR contype = 'c' AND conname !~ '_area_level$')"
    )
    for drop in drops:
        await conn.execute(drop["sql"])


async def fill(
    conn: asyncpg.Connection, name: str, areas: Sequence[str], *, county: str = COUNTY, count: int = 1,
    **values: str,
) -> None:  # fmt: skip
    """Insert rows with made-up values, `count` for each area; `values` are SQL, where `g` numbers the rows of a run."""
    global _last
    first, _last = _last + 1, _last + count * len(areas)
    table = SQLModel.metadata.tables[name]
    given = {"county_code": f"'{county}'", **values}
    if "area_code" in table.c:
        given = {"area_code": _pick(areas), **given}
    if name in ("change", "feed_head"):
        given = {"stream": _pick([stream_of(area) for area in areas]), **given}
    choices = _choices(table)
    columns = {c.name: given.get(c.name) or _made_up(c, choices) for c in _needed(table, given)}
    await conn.execute(
        f'INSERT INTO "{name}" ({", ".join(columns)})'
        f" SELECT {', '.join(columns.values())} FROM generate_series({first}, {_last}) AS g"
    )


def _pick(codes: Sequence[str]) -> str:
    quoted = [f"'{code}'" for code in codes]
    return f"(ARRAY[{', '.join(quoted)}])[1 + g % {len(codes)}]"


def _needed(table: Table, given: Mapping[str, str]) -> Iterator[Column[object]]:
    return (column for column in table.c if column.name in given or not column.nullable)


def _choices(table: Table) -> dict[str, str]:
    """Return for columns with a closed list of words the first of them."""
    checks = [str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)]
    return {column: word for check in checks for column, word in _ONE_OF.findall(check)[:1]}


def _made_up(column: Column[object], choices: Mapping[str, str]) -> str:
    if column.name in choices:
        return f"'{choices[column.name]}'"
    found = (expression for kind, expression in _BY_TYPE if isinstance(column.type, kind))
    return next(found, "'x' || g")
