"""Builds the app: settings, database, errors, routers. No decisions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from backend.attachments.router import router as attachments
from backend.attachments.store import Folder
from backend.auth.directory import Directory
from backend.auth.router import router as auth
from backend.auth.tokens import Verifier
from backend.core import docs, errors
from backend.core.clock import Clock, system_clock
from backend.core.daily import every_day
from backend.core.db import Database
from backend.core.health import router as health
from backend.core.http import Gate
from backend.core.settings import Settings, derive_keys
from backend.duties import gaps
from backend.duties.router import router as duties
from backend.exports.router import router as exports
from backend.grid.router import router as grid
from backend.grid.service import when_founded, when_redrawn
from backend.imports.router import router as imports
from backend.imports.router import uploads
from backend.imports.tasks import Importer
from backend.matching.router import router as matching
from backend.matching.service import follow, withdraw
from backend.redrawing.applying import apply_due
from backend.redrawing.applying import follow as move_people
from backend.redrawing.router import router as redrawing
from backend.requests import following
from backend.requests.router import router as requests
from backend.requests.service import from_visit, when_stepped
from backend.residents.codes_router import router as codes
from backend.residents.events import when_left
from backend.residents.links import arrived as links_arrive
from backend.residents.links import let_go_of_the_dead
from backend.residents.links_router import router as links
from backend.residents.moves import when_arrived
from backend.residents.register_router import router as register
from backend.residents.router import router as residents
from backend.rounds.router import router as rounds
from backend.rounds.service import prune_trials, tell_new_cell
from backend.sync import conflicts as waiting
from backend.sync.conflicts_router import router as conflicts
from backend.sync.reading import DESCRIBED
from backend.sync.router import router as sync
from backend.visits.corrections_router import router as corrections
from backend.visits.due_days import tell_new_cell as tell_due_days
from backend.visits.due_days_router import router as due_days
from backend.visits.follow_ups import when_found
from backend.visits.leaving import nobody_left
from backend.visits.router import router as visits
from backend.volunteers.router import router as volunteers
from backend.volunteers.service import when_paused
from backend.web import install as pages

if TYPE_CHECKING:
    from backend.matching.tasks import Worker

# What phones ask most stands first: routes are tried in this order.
ROOMS: tuple[APIRouter, ...] = (
    visits,
    sync,
    residents,
    register,
    links,
    requests,
    matching,
    volunteers,
    grid,
    redrawing,
    duties,
    auth,
    exports,
    codes,
    corrections,
    conflicts,
    rounds,
    due_days,
    attachments,
    imports,
    uploads,
)

when_stepped(follow)
when_found(from_visit)
when_paused(withdraw)
when_left(following.left)
when_left(nobody_left)
when_left(let_go_of_the_dead)
when_arrived(following.arrived)
when_arrived(links_arrive)
when_redrawn(move_people)
when_founded(tell_new_cell)
when_founded(tell_due_days)
every_day(apply_due)
every_day(gaps.check)
every_day(prune_trials)
every_day(waiting.forget_old)


def build(settings: Settings, *, clock: Clock = system_clock) -> FastAPI:
    """Return the app for these settings; the database is reached when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = await Database.connect(
            settings.database_url, size=settings.pool_size, deadline_s=settings.deadline_s, clock=clock
        )
        directory = Directory(database)
        await directory.start()
        app.state.database, app.state.directory = database, directory
        worker = await _start_worker(database, settings) if settings.work else None
        importer = Importer(database, settings) if settings.work and settings.imports else None
        try:
            yield
        finally:
            if importer:
                await importer.stop()
            if worker:
                await worker.stop()
            await directory.stop()
            await database.close()

    app = FastAPI(
        title="邻格 Gridhood", version="1", lifespan=lifespan, docs_url=None, redoc_url=None,
        openapi_url="/openapi.json", description="县域社区治理：居民、网格、走访、求助与志愿服务。",
    )  # fmt: skip
    app.state.keys = settings.keys
    app.state.verifier = Verifier(settings.keys.token)
    app.state.described = DESCRIBED
    app.state.imports = settings.imports
    app.state.files = Folder(settings.files) if settings.files else None
    app.add_middleware(Gate)
    errors.install(app)
    for room in ROOMS:
        app.router.routes.extend(room.routes)  # an included router is searched twice for every request
    app.include_router(health)
    docs.install(app)
    pages.install(app)
    return app


async def _start_worker(database: Database, settings: Settings) -> "Worker":
    # Imported here: a process that only answers requests does not carry the queue.
    from backend.matching.tasks import start_worker

    return await start_worker(database, settings.database_url)


def write_openapi(file: Path) -> None:
    """Write the API description; it needs no database."""
    file.write_text(docs.describe(build(Settings("", derive_keys(bytes(range(32)))))), encoding="utf-8")
