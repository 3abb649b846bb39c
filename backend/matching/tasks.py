"""Background work: a tick every minute and at once where somebody waits, and what is removed at night.

Jobs hold ids only.

pgqueuer has its own schema and its own connection: it listens and holds it for as long as the worker runs.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested

from backend.core import daily, retention
from backend.core.db import APP_ROLE, Database
from backend.core.scope import system_caller
from backend.core.transaction import Transaction
from backend.residents import seeking

log = structlog.get_logger()

TICK = "matching.tick"
EVERY_MINUTE = "* * * * *"
RETENTION = "core.retention"
AT_NIGHT = "17 19 * * *"
"""Schedules count in UTC: this is 03:17 in the county."""
DUPLICATES = "residents.duplicates"
LATER_AT_NIGHT = "47 19 * * *"
NIGHT_S = 600.0
"""A look through a whole county may take longer than a request."""

DAILY = "core.daily"
AS_DAY_BEGINS = "2 16 * * *"
"""Two minutes past midnight in the county."""

APPLICATION = "gridhood worker"
SETTINGS = DBSettings(db_schema="jobs", channel="gridhood_jobs")

# Two numbers name an advisory lock; the county's code is the second.
TICK_LOCK = 7301
BUSY_PAUSE = timedelta(seconds=1)
RECONNECT_S = 2.0
STOP_S = 1.5


def _queries(connection: Any) -> Queries:
    return Queries(
        AsyncpgDriver(connection),
        QueryBuilderEnvironment(SETTINGS),
        QueryQueueBuilder(SETTINGS),
        QuerySchedulerBuilder(SETTINGS),
    )


async def enqueue_tick(tx: Transaction, request_id: UUID) -> None:
    """Put a tick into the queue; one that already waits for this request is enough."""
    payload = orjson.dumps({"county": tx.county, "request": str(request_id)})
    key = f"{TICK}:{tx.county}:{request_id}"
    await _queries(tx.conn).enqueue([TICK], [payload], [0], dedupe_key=[key], on_conflict="skip")


async def run_tick(database: Database, county: str) -> bool:
    """Run one tick in a county's scope; False when another one is at it."""
    # numpy and scipy weigh more than the rest of the server: only a process that ticks carries them.
    from backend.matching import tick

    async def work(tx: Transaction) -> bool:
        if not await tx.conn.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", TICK_LOCK, int(county)):
            return False
        report = await tick.tick(tx)
        if report.made or report.expired:
            log.info("tick", county=county, made=report.made, expired=report.expired)
        return True

    return await database.run(system_caller(county), work)


async def run_retention(database: Database) -> None:
    """Remove what has been kept long enough, in every county."""
    removed = dict(await retention.purge_server(database))
    for county in await daily.counties(database):
        for table, rows in (await retention.purge_county(database, county)).items():
            removed[table] = removed.get(table, 0) + rows
    log.info("retention", **removed)


async def run_duplicates(database: Database) -> None:
    """Look in every county for people who are registered twice."""
    patient = Database(database.pool, deadline_s=NIGHT_S, clock=database.clock)
    for county in await daily.counties(database):
        found = await patient.run(system_caller(county), seeking.look_everywhere)
        log.info("duplicates", county=county, found=found)


async def run_daily(database: Database) -> None:
    """Do what is done for every county when its day begins."""
    for county in await daily.counties(database):
        await daily.run(database, county)


class Worker:
    """The background work of this process, begun again when the database was away."""

    def __init__(self, database: Database, url: str) -> None:
        self._database, self._url = database, url
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None
        self._task = asyncio.create_task(self._keep_going())

    async def stop(self) -> None:
        """Finish the tick that runs, if it is quick, and let go of the connection; done within two seconds."""
        self._stopping.set()
        if self._queuer:
            self._queuer.shutdown.set()
        _, running = await asyncio.wait({self._task}, timeout=STOP_S)
        if running:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.4)

    async def _keep_going(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._work()
            except Exception as error:  # whatever ended it, residents are waiting: begin again
                log.warning("worker_restarts", error=type(error).__name__)
            try:
                await asyncio.wait_for(self._stopping.wait(), RECONNECT_S)
            except TimeoutError:
                continue

    async def _work(self) -> None:
        # A server that was off at midnight has a day to catch up with.
        await run_daily(self._database)
        settings = {"role": APP_ROLE, "timezone": "UTC", "application_name": APPLICATION}
        connection = await asyncpg.connect(self._url, server_settings=settings)
        try:
            self._queuer = self._prepare(connection)
            if not self._stopping.is_set():
                await _run_while_connected(connection, self._queuer)
        finally:
            self._queuer = None
            connection.terminate()

    def _prepare(self, connection: asyncpg.Connection) -> PgQueuer:
        queries = _queries(connection)
        queuer = PgQueuer(queries.driver, channel=SETTINGS.channel, queries=queries)

        async def on_demand(job: Any) -> None:
            if not await run_tick(self._database, orjson.loads(job.payload)["county"]):
                raise RetryRequested(delay=BUSY_PAUSE)

        async def every_minute(_schedule: Any) -> None:
            for county in await daily.counties(self._database):
                await run_tick(self._database, county)

        async def every_day(_schedule: Any) -> None:
            await run_daily(self._database)

        async def every_night(_schedule: Any) -> None:
            await run_retention(self._database)

        async def later_at_night(_schedule: Any) -> None:
            await run_duplicates(self._database)

        queuer.entrypoint(TICK, concurrency_limit=1, accepts_context=False)(on_demand)
        queuer.schedule(TICK, EVERY_MINUTE, accepts_context=False)(every_minute)
        queuer.schedule(DAILY, AS_DAY_BEGINS, accepts_context=False)(every_day)
        queuer.schedule(RETENTION, AT_NIGHT, accepts_context=False)(every_night)
        queuer.schedule(DUPLICATES, LATER_AT_NIGHT, accepts_context=False)(later_at_night)
        return queuer


async def _run_while_connected(connection: asyncpg.Connection, queuer: PgQueuer) -> None:
    """Run the queue until it ends. Cut off while it starts, it would wait for ever on a connection that is gone."""
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _connection: lost.set())
    running, gone = asyncio.ensure_future(queuer.run()), asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise ConnectionError("the queue's connection is gone")
        await running
    finally:
        running.cancel()
        gone.cancel()
        await asyncio.wait({running, gone}, timeout=STOP_S)


async def start_worker(database: Database, url: str) -> Worker:
    """Begin the background work of this process; stop what is returned before the database closes."""
    return Worker(database, url)
