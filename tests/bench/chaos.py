"""The long chaos run: 100,000 operations from 20 phones over 500 faults and 60 kills; none may be lost or doubled."""

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

from tests.bench.client import Void
from tests.end_to_end.chaos.run import Chaos, Plan, Report

SEED = 20261122


def plan(*, quick: bool, seed: int = SEED) -> Plan:
    """The whole, or a twentieth of it."""
    if quick:
        return Plan(seed, operations=5_000, api_kills=2, database_kills=2, phone_kills=2, faults=40, burst=20)
    return Plan(
        seed, operations=100_000, api_kills=20, database_kills=15, phone_kills=25, fault_rate=0.1, faults=500, burst=30
    )


def report(asked: Plan) -> None:
    """Run, and print what came of it. A lost, doubled or diverging row makes the bench void, as it should."""
    folder = Path(tempfile.mkdtemp(prefix="gridhood-chaos-"))
    folder.chmod(0o711)  # the database's unprivileged account must reach its own folder in it
    try:
        found = asyncio.run(Chaos(asked, folder).run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(_table(found))
    if found.lost or found.doubled or found.diverged:
        raise Void(str([*found.lost, *found.doubled, *found.diverged][:20]))
    if not found.naive_missed:
        raise Void("the naive cursor missed nothing either: this run could not have found a gap")


def _table(found: Report) -> str:
    faults = sum(times for fate, times in found.fates.items() if fate != "passes")
    rows = [
        ("operations", f"{found.operations:,}"),
        ("returned with a reason", f"{found.returned:,}"),
        ("kill -9 of server, database or phones", f"{found.kills}"),
        ("requests cut, delayed or doubled", f"{faults:,} of {sum(found.fates.values()):,}"),
        ("lost, doubled, phones that differ", f"{len(found.lost)}, {len(found.doubled)}, {len(found.diverged)}"),
        ("visits that a cursor by time missed", f"{found.naive_missed:,}"),
        ("time", f"{found.seconds:,.0f} s"),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join([f"| chaos, seed {found.seed} | |", "|---|---|", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chaos", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5,000 operations and 40 faults")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    report(plan(quick=asked.quick, seed=asked.seed))


if __name__ == "__main__":
    main()
