"""The phone in the hand, with 2,000 households: cold start, search while typing, scrolling while sync runs, memory."""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from mobile.core import fonts
from shared.residents import HouseholdOut, ResidentOut
from tests.bench import phones_county as county
from tests.bench.client import Void
from tests.bench.phones import county_served, phone_of

START_S, KEY_MS, FRAME, MEMORY_MIB = 2.0, 50.0, 1.05, 200.0
"""The goals. A frame with sync may take this many times one without before it counts as measurable."""


def report(starts: int = 5) -> None:
    """Print the table of the feel."""
    fonts.build()
    folder = Path(tempfile.mkdtemp(prefix="gridhood-phone-"))
    folder.chmod(0o711)  # the database's unprivileged account must reach its own folder in it
    try:
        with county_served(folder) as server:
            asyncio.run(_filled(folder / "phone", server.address))
            started = [_start(folder / "phone", server.address) for _ in range(starts + 1)][1:]
            used = _child("use", str(folder / "phone"), server.address) | {"bare": _child("bare")}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(_table(started, used))


async def _filled(folder: Path, address: str) -> None:
    """Sign in and read the whole register, as on somebody's first day."""
    async with phone_of("register", folder, address) as session:
        done = await session.syncer.sync_once()
        there = [len(session.store.entities.stamps(kind)) for kind in (HouseholdOut, ResidentOut)]
        if not done or there != [county.HOMES, county.HOMES * county.PEOPLE_EACH]:
            raise Void(f"{there} households and people came")


def _start(folder: Path, address: str) -> dict[str, Any]:
    seen: dict[str, Any] = _child("start", str(folder), address, str(time.monotonic()))
    if (seen["at"], seen["due"]) != ("today", county.DUE):
        raise Void(f"the first frame shows {seen}")
    return seen


def _child(*words: str) -> Any:
    done = subprocess.run([sys.executable, "-m", "tests.bench.in_hand", *words], capture_output=True, text=True)
    if done.returncode:
        raise Void(f"{words[0]}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _table(starts: Sequence[dict[str, Any]], used: dict[str, Any]) -> str:
    seconds, quiet, syncing = [one["seconds"] for one in starts], _all(used["quiet_ms"]), _all(used["syncing_ms"])
    frame = f"a frame of {used['rows']} rows with sync, of one without"
    rows = [
        (f"cold start to the first frame, median of {len(starts)}", median(seconds), START_S, "{:.2f} s"),
        ("a keystroke to the rows found, worst", max(used["model_ms"]), KEY_MS, "{:.0f} ms"),
        ("a keystroke to the frame that shows them, worst", max(used["shown_ms"]), KEY_MS, "{:.0f} ms"),
        (f"{frame}: median", median(syncing) / median(quiet), FRAME, "{:.2f}"),
        ("the same: 95th percentile", _p95(syncing) / _p95(quiet), FRAME, "{:.2f}"),
        ("memory after that (RSS)", used["rss_mib"], MEMORY_MIB, "{:.0f} MiB"),
    ]
    lines = [
        f"| {what} | {form.format(found)} | ≤ {form.format(goal)} | {'met' if found <= goal else '**not met**'} |"
        for what, found, goal, form in rows
    ]
    return "\n".join(["| phone | measured | goal | |", "|---|---|---|---|", *lines, "", *_notes(starts, used)])


def _notes(starts: Sequence[dict[str, Any]], used: dict[str, Any]) -> list[str]:
    """What a reader needs to judge the table: spreads, medians, and how far quiet frames differ by themselves."""
    seconds, cpu = ([one[name] for one in starts] for name in ("seconds", "cpu"))
    model, shown = used["model_ms"], used["shown_ms"]
    halves = [[one for phase in used["quiet_ms"][first::2] for one in phase] for first in (0, 1)]
    return [
        f"Starts: {min(seconds):.2f}-{max(seconds):.2f} s, processor time {median(cpu):.2f} s.",
        f"Keystrokes: {len(shown)}; median {median(model):.0f} ms to the rows and {median(shown):.0f} ms to the frame,"
        f" 95th percentile {_p95(model):.0f} and {_p95(shown):.0f} ms; the screen's thread worked for it"
        f" median {median(used['worked_ms']):.0f}, 95th percentile {_p95(used['worked_ms']):.0f}, worst"
        f" {max(used['worked_ms']):.0f} ms; opening 找人 {used['opened_ms']:.0f} ms.",
        f"Frames without sync: {_in_words(_all(used['quiet_ms']))}; with sync: {_in_words(_all(used['syncing_ms']))};"
        f" without sync against itself: median {median(halves[0]) / median(halves[1]):.2f}, 95th percentile"
        f" {_p95(halves[0]) / _p95(halves[1]):.2f}.",
        f"Memory (PSS): {used['pss_mib']:.0f} MiB. A bare window of Kivy with a word in it, on the same GL: RSS"
        f" {used['bare']['rss_mib']:.0f} MiB, PSS {used['bare']['pss_mib']:.0f} MiB.",
    ]


def _all(phases: Sequence[Sequence[float]]) -> list[float]:
    return [one for phase in phases for one in phase]


def _in_words(ms: Sequence[float]) -> str:
    return f"{len(ms)}, median {median(ms):.0f}, 95th percentile {_p95(ms):.0f}, longest {max(ms):.0f} ms"


def _p95(values: Sequence[float]) -> float:
    return quantiles(values, n=20)[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.phone", description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    report(parser.parse_args().starts)


if __name__ == "__main__":
    main()
