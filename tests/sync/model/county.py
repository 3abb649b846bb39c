"""The server's side of the model: the real app on a real database that can be copied and put back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
from fastapi import FastAPI

from backend.auth import tokens
from backend.auth.directory import CHANNEL
from backend.core.db import Database, Unit
from backend.core.scope import Caller
from backend.visits import service as visits
from shared.auth import TokenOut
from shared.types import uuid7
from shared.visits import VisitIn, VisitOutcome
from tests.core.waiting import until
from tests.factories import COUNTY

PRISTINE, COPY = "pristine", "copy"


class County:
    """What is true, and what can be done to it behind the phones' backs."""

    def __init__(self, app: FastAPI, owner: asyncpg.Connection) -> None:
        self.app, self._owner = app, owner

    @property
    def database(self) -> Database:
        database: Database = self.app.state.database
        return database

    def carrier(self) -> httpx.AsyncBaseTransport:
        return httpx.ASGITransport(self.app, raise_app_exceptions=False)

    def token(self, account: UUID) -> TokenOut:
        access = tokens.issue(self.app.state.keys.token, COUNTY, account, datetime.now(UTC))
        return TokenOut(access_token=access, expires_in=900, refresh_token="none")

    async def prepare(self, also: str) -> None:
        """Make room for two copies of everything that belongs to the county, and what else a control needs."""
        await self._owner.execute(also)
        tables = await self._owner.fetch(_TABLES)
        for copy in (PRISTINE, COPY):
            await self._owner.execute(f"CREATE SCHEMA {copy}")
            for row in tables:
                await self._owner.execute(f"CREATE TABLE {copy}.{row['name']} (LIKE public.{row['name']})")
        for name, source, target in (("keep_as", "public", "%I"), ("put_back", "%I", "public")):
            await self._owner.execute(_function(name, source, target, tables))
        await self.keep(PRISTINE)

    async def keep(self, copy: str) -> None:
        await self._owner.execute(f"SELECT keep_as('{copy}')")

    async def put_back(self, copy: str) -> None:
        await self._owner.execute(f"SELECT put_back('{copy}')")
        self.database.announce({CHANNEL})

    async def restore(self, copy: str) -> None:
        """As from a backup: the rows of that moment, in an epoch that has never been."""
        await self.put_back(copy)
        await self._owner.execute("UPDATE county SET epoch = $1", uuid4().hex)

    async def grant(self, account: UUID, cell: str, held: bool) -> None:
        if held:
            await self._owner.execute(_GRANT, COUNTY, uuid7(), account, cell)
        else:
            await self._owner.execute("DELETE FROM role_grant WHERE account_id = $1 AND area_code = $2", account, cell)
        self.database.announce({CHANNEL})

    async def cells_of(self, account: UUID) -> set[str]:
        rows = await self._owner.fetch("SELECT area_code FROM role_grant WHERE account_id = $1", account)
        return {row["area_code"] for row in rows}

    async def begin_slowly(self, caller: Caller, household: UUID, word: str) -> Unit:
        """Record a visit from the desk up to its commit, which is left to whoever called."""
        unit = Unit(self.database)
        tx = await unit.begin(caller)
        body = VisitIn(household_id=household, outcome=VisitOutcome.seen, visited_at=datetime.now(UTC), note=word)
        await visits.record(tx, self.app.state.keys, caller, uuid7(), body)
        await unit.flush()
        return unit

    async def until_somebody_waits(self, task: Any) -> None:
        """Until the task is over or waits for another transaction."""

        async def over_or_waiting() -> bool:
            return bool(task.done() or await self._owner.fetchval(_WAITING))

        await until(over_or_waiting)

    async def truth(self, scopes: Sequence[str]) -> dict[str, dict[UUID, tuple[Any, ...]]]:
        """What phones with these scopes must show in the end."""
        rows = await self._owner.fetch(_TRUTH, list(scopes))
        found: dict[str, dict[UUID, tuple[Any, ...]]] = {"visits": {}, "people": {}, "homes": {}}
        for row in rows:
            values = {"visits": (row["note"],), "people": (row["note"], row["n"]), "homes": (row["day"], row["n"])}
            found[row["what"]][row["id"]] = values[row["what"]]
        return found

    async def done(self) -> dict[str, int]:
        """How often each visit (by its words) and each edit (by its operation) was done."""
        return {row["what"]: row["n"] for row in await self._owner.fetch(_DONE)}


_TABLES = """
SELECT c.relname AS name,
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
GROUP BY c.relname HAVING bool_or(a.attname = 'county_code') ORDER BY c.relname
"""


def _function(name: str, source: str, target: str, tables: Sequence[asyncpg.Record]) -> str:
    """A function that replaces all rows of one schema by those of another; its argument stands where %I does."""
    steps = []
    for row in tables:
        into, out_of = f"{target}.{row['name']}", f"{source}.{row['name']}"
        columns = row["columns"]
        steps.append(f"DELETE FROM {into}")
        steps.append(f"INSERT INTO {into} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {out_of}")
    body = "\n".join(f"EXECUTE replace('{step}', '%I', copy);" for step in steps)
    return f"""CREATE FUNCTION {name}(copy text) RETURNS void LANGUAGE plpgsql
        SET session_replication_role = replica AS $$ BEGIN {body} END $$"""


_GRANT = """
INSERT INTO role_grant (county_code, id, account_id, role, area_code, from_day, until_day)
SELECT $1, $2, $3, 'grid_worker', $4, '2020-01-01', '9999-12-31'
WHERE NOT EXISTS (SELECT 1 FROM role_grant WHERE account_id = $3 AND area_code = $4)
"""

_WAITING = """
SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0 LIMIT 1
"""

_TRUTH = """
WITH mine AS (SELECT unnest($1::text[]) AS scope)
SELECT 'visits' AS what, id, note, 0 AS n, NULL::date AS day FROM visit JOIN mine ON starts_with(area_code, scope)
UNION ALL
SELECT 'people', id, note, rev, NULL FROM resident JOIN mine ON starts_with(area_code, scope) WHERE left_on IS NULL
UNION ALL
SELECT 'homes', id, '', tries_since_seen, last_visited_on FROM household JOIN mine ON starts_with(area_code, scope)
"""

_DONE = """
SELECT note AS what, count(*)::int AS n FROM visit GROUP BY note
UNION ALL
SELECT op_id::text, count(*)::int FROM edit WHERE op_id IS NOT NULL GROUP BY op_id
"""
