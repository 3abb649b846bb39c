"""What is removed once it has been kept long enough: a slice at a time, each a transaction, so that nobody waits.

The ledger and the edits are append-only for the app role; only the role taken here may remove from them.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from backend.core.db import Database
from backend.core.scope import system_caller
from backend.core.transaction import Transaction

SLICE: Final = 2000
GONE_KEPT: Final = timedelta(days=92)
"""A cursor is good for 90 calendar days, so for nearly 91 times 24 hours, and a row has the time its transaction began
at: it may go only when no cursor from before it is good any more, or a phone would keep what is gone for ever."""

LEDGER_KEPT: Final = timedelta(days=400)
JOB_LOG_KEPT: Final = timedelta(days=30)
ATTEMPTS_KEPT: Final = timedelta(days=1)
"""The count of failed logins begins anew after a day without one."""


class Rule(NamedTuple):
    """Rows of a table that have been kept long enough; $1 is the latest time that has."""

    table: str
    key: str
    old: str
    kept: timedelta


OF_COUNTY: Final = (
    Rule("change", "stream, kind, id, area_code", "gone AND at < $1 AND county_code = $2", GONE_KEPT),
    Rule("operation", "id", "received_at < $1 AND county_code = $2", LEDGER_KEPT),
    Rule("edit", "entity_id, rev", "at < $1 AND county_code = $2", LEDGER_KEPT),
)
OF_SERVER: Final = (
    Rule("refresh_token", "county_code, id", "expires_at < $1", timedelta(0)),
    Rule("login_counter", "key", "last_at < $1", ATTEMPTS_KEPT),
    Rule("jobs.pgqueuer_log", "id", "created < $1", JOB_LOG_KEPT),
)
"""Tables that are read before a county is known, or know none."""


async def purge_county(database: Database, county: str) -> Mapping[str, int]:
    """Remove what a county has kept long enough; return how many rows of which table."""

    async def one_slice(rule: Rule) -> int:
        async def work(tx: Transaction) -> int:
            await tx.conn.execute("SET LOCAL ROLE gridhood_retention")
            return _count(await tx.conn.execute(_delete(rule), tx.now - rule.kept, county))

        return await database.run(system_caller(county), work)

    return {rule.table: await _all(one_slice, rule) for rule in OF_COUNTY}


async def purge_server(database: Database) -> Mapping[str, int]:
    """Remove what belongs to no county; return how many rows of which table."""

    async def one_slice(rule: Rule) -> int:
        async with database.bare() as conn:
            return _count(await conn.execute(_delete(rule), database.clock() - rule.kept))

    return {rule.table: await _all(one_slice, rule) for rule in OF_SERVER}


async def _all(one_slice: Callable[[Rule], Awaitable[int]], rule: Rule) -> int:
    total = removed = await one_slice(rule)
    while removed == SLICE:
        removed = await one_slice(rule)
        total += removed
    return total


def _delete(rule: Rule) -> str:
    """The rule is said twice: a row that has changed since it was picked is judged again and may stay."""
    picked = f"SELECT {rule.key} FROM {rule.table} WHERE {rule.old} LIMIT {SLICE}"
    return f"DELETE FROM {rule.table} WHERE {rule.old} AND ({rule.key}) IN ({picked})"


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
