"""`make bench`: the project beside two floors and the plain way, interleaved, on one embedded PostgreSQL."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path

import asyncpg
import uvloop

from backend.core.paging import encode_cursor
from backend.core.postgres import EmbeddedPostgres
from tests.bench import agreement, chaos, county, importing, locating, phone, report, syncing
from tests.bench.client import Void, send_all
from tests.bench.county import COMMUNITIES, Worker
from tests.bench.report import Rounds, Sample
from tests.bench.servers import Server, running
from tests.bench.workload import PAGE, Operation, operations, page_of


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50,000 visits and short rounds instead of 1,000,000")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each server (at least 3)")
    asked = parser.parse_args()
    rounds = max(3, asked.rounds or (3 if asked.quick else 7))
    folder = Path(tempfile.mkdtemp(prefix="gridhood-bench-"))
    folder.chmod(0o711)  # the database's unprivileged account must reach its own folder in it
    try:
        with EmbeddedPostgres(folder / "data") as database:
            _bench(database.dsn, folder, quick=asked.quick, rounds=rounds)
        _say("importing sheets")
        importing.report(20_000 if asked.quick else 1_000_000)
        _say("the phone in the hand")
        phone.report()
        _say("sync beside PouchDB")
        syncing.report(rounds)
        _say("chaos")
        chaos.report(chaos.plan(quick=asked.quick))
    except Void as why:
        sys.exit(f"VOID, nothing was measured: {why}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bench(dsn: str, folder: Path, *, quick: bool, rounds: int) -> None:
    visits = 50_000 if quick else 1_000_000
    _say(f"filling {visits:,} visits of {county.HOUSEHOLDS:,} households in {len(COMMUNITIES)} communities")
    workers = asyncio.run(county.fill(dsn, visits))
    locate_us = locating.microseconds()
    with running(dsn, folder) as servers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        _say("comparing answers and rows")
        runner.run(agreement.check(dsn, servers, workers[0]))
        measured = {
            one.title: runner.run(_measure(dsn, servers, one, workers, rounds)) for one in operations(quick=quick)
        }
        depth = min(1000, visits // len(COMMUNITIES) // PAGE - 10)
        deep, first = runner.run(_measure_depth(dsn, servers["project"], depth, workers[0], rounds))
        pss_mb = servers["project"].pss_mb()
    print(f"\n{visits:,} visits, {rounds} rounds, medians; ratios pair the rounds (least-most).\n")
    print(report.rates(measured), end="\n\n")
    print(report.rest(depth, deep, first, locate_us, pss_mb))


async def _measure(dsn: str, servers: dict[str, Server], one: Operation, workers: list[Worker], rounds: int) -> Rounds:
    """Run the servers in turn, again and again; the first turn only warms up."""
    _say(one.title)
    measured: Rounds = {name: [] for name in servers}
    for turn in range(rounds + 1):
        for name, server in servers.items():
            sample = await _round(dsn, server, one, workers, turn)
            if turn:
                measured[name].append(sample)
    return measured


async def _round(dsn: str, server: Server, one: Operation, workers: list[Worker], seed: int) -> Sample:
    lines = one.lines(workers, seed)
    before, cpu = await _stored(dsn), server.cpu_seconds()
    seconds = await send_all(server.socket, lines)
    cpu = server.cpu_seconds() - cpu
    sent = sum(len(line) for line in lines)
    _check_stored(server, one, sent * one.visits, before, await _stored(dsn))
    return Sample(sent, seconds, cpu)


async def _stored(dsn: str) -> list[int]:
    """Count what writing leaves: visits, audit rows, ledger rows, and visits in the feed."""
    conn = await asyncpg.connect(dsn)
    try:
        tables = ("visit", "audit", "operation", "change WHERE kind = 'visit'")
        return [await conn.fetchval(f"SELECT count(*) FROM {table}") for table in tables]
    finally:
        await conn.close()


def _check_stored(server: Server, one: Operation, visits: int, before: list[int], after: list[int]) -> None:
    wanted = [visits, 0, 0, 0] if server.name == "bare" else [visits] * 4
    stored = [now - then for now, then in zip(after, before, strict=True)]
    if stored != wanted:
        raise Void(f"{one.title}: {server.name} left {stored} rows of visit, audit, ledger and feed, not {wanted}")


async def _measure_depth(
    dsn: str, project: Server, depth: int, worker: Worker, rounds: int
) -> tuple[list[Sample], list[Sample]]:
    at, last, first_id = await county.place_of_page(dsn, worker.community, depth, PAGE)
    deep = Operation("deep page", 1, 200, partial(page_of, cursor=encode_cursor(at, last), first=first_id))
    first = Operation("first page", 1, 200, page_of)
    measured: tuple[list[Sample], list[Sample]] = [], []
    _say(f"page {depth:,} against page 1")
    for turn in range(rounds + 1):
        for samples, one in zip(measured, (deep, first), strict=True):
            sample = await _round(dsn, project, one, [worker], turn)
            if turn:
                samples.append(sample)
    return measured


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
