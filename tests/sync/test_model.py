"""Whatever happens between phones and county, everything is done once or answered with a reason, and all see the same.

A green run shows that only if a mistake would be found: five are planted, and each has to be.
`GRIDHOOD_MODEL_RUNS=5000` looks further than there is time for in every test run.
"""

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from backend.core.settings import Settings
from backend.main import build
from mobile.sync import syncer
from shared.auth import MeOut, Role
from tests.conftest import KEYS, MEMORY, Running, roomy
from tests.factories import CELL, COMMUNITY, COUNTY, NEIGHBOUR, Factory, Person
from tests.sync.model import bugs
from tests.sync.model.county import County
from tests.sync.model.phone import Phone
from tests.sync.model.steps import RUNS, Step
from tests.sync.model.world import CELLS, Broken, Stage, World

RUNS_ASKED = int(os.environ.get("GRIDHOOD_MODEL_RUNS", "0"))
GREEN_RUNS, PLANTED_RUNS = RUNS_ASKED or 40, max(RUNS_ASKED, 400)


@dataclass(frozen=True)
class Theatre:
    """Lives runs one after the other on one stage."""

    runner: asyncio.Runner
    stage: Stage
    folder: Path

    def live(self, run: Sequence[Step]) -> None:
        world = World(self.stage, Path(tempfile.mkdtemp(dir=self.folder)))
        self.runner.run(world.live(run))


@pytest.fixture(scope="module")
def theatre(shared_url: str) -> Iterator[Theatre]:
    folder = Path(tempfile.mkdtemp(prefix="gridhood-model-", dir=MEMORY if roomy(MEMORY) else None))
    app = build(Settings(shared_url, KEYS, work=False))
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for each request costs more than many requests
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(syncer, "BATCH", 2)  # so that few operations are many pushes, and few rows many pages
        patch.setattr(syncer, "PAGE", 3)
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        owner = runner.run(asyncpg.connect(shared_url))
        try:
            yield Theatre(runner, runner.run(_set_up(County(app, owner), folder)), folder)
        finally:
            runner.run(owner.close())
            runner.run(lifespan.__aexit__(None, None, None))
            shutil.rmtree(folder)


async def _set_up(county: County, folder: Path) -> Stage:
    """Two cells with two doors each, a worker of both with two phones, and one of the community with a third."""
    make = Factory(county.app, Running(county.app).client)
    homes = [await make.household(cell) for cell in (CELL, CELL, NEIGHBOUR, NEIGHBOUR)]
    people = [(await make.resident(home, name="何长顺")).id for home in homes]
    worker, chief = await make.account(*((Role.grid_worker, cell) for cell in CELLS)), await make.worker(COMMUNITY)
    mine, theirs = await _me(worker), await _me(chief)
    owners = (mine, mine, theirs)
    folders = [await _first_pull(county, me, folder / f"first-{number}") for number, me in enumerate(owners)]
    desk = await county.app.state.directory.caller(COUNTY, chief.account_id)
    await county.prepare(bugs.MAKE_NAIVE)
    return Stage(county, owners, folders, [home.id for home in homes], people, desk)


async def _me(person: Person) -> MeOut:
    return MeOut.model_validate((await person.client.get("/api/v1/auth/me")).json())


async def _first_pull(county: County, me: MeOut, folder: Path) -> Path:
    """A phone that its owner has signed in on, as every run begins with it."""
    phone = Phone(folder, me, county.token(me.account_id), county.carrier())
    assert await phone.sync()
    await phone.close()
    return folder


def living(theatre: Theatre, examples: int, phases: Sequence[Phase]) -> Callable[[], None]:
    """The same runs each time: what is found is found on every machine."""

    @settings(
        max_examples=examples, phases=phases, derandomize=not RUNS_ASKED, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(RUNS)
    def live(run: list[Step]) -> None:
        theatre.live(run)

    return live


def test_nothing_is_lost_or_doubled_and_phones_show_what_the_county_has(theatre: Theatre) -> None:
    living(theatre, GREEN_RUNS, (Phase.generate, Phase.shrink))()


@pytest.mark.parametrize("bug", bugs.BUGS)
def test_a_planted_bug_is_found(theatre: Theatre, bug: str) -> None:
    """The controls: the model is worth what it finds."""
    with bugs.BUGS[bug](), pytest.raises(Broken):
        living(theatre, PLANTED_RUNS, (Phase.generate,))()
