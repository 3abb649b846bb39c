"""The table: rates of this run, ratios beside their goals."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of one server."""

    requests: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


Rounds = dict[str, list[Sample]]
"""Rounds by server; round n of each ran beside round n of the others."""

GOALS = {"get one": (0.75, 2), "page of 50": (0.65, 2), "post": (0.70, 3), "batch of 100": (0.75, 5)}
"""At least this share of the floor, and this many times the plain way."""

DEEP_PAGE, LOCATE_US, PSS_MB = 1.2, 40.0, 90.0


def rates(measured: dict[str, Rounds]) -> str:
    head = [
        "", "project/s", "floor/s", "bare floor/s", "plain SQLModel/s", "of the floor", "goal", "", "of plain SQLModel",
        "goal", "", "CPU ms: project, floor",
    ]  # fmt: skip
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(_line(title, rounds) for title, rounds in measured.items())])


def _line(title: str, rounds: Rounds) -> str:
    per_second = " | ".join(
        f"{median(s.rate for s in rounds[name]):,.0f}" for name in ("project", "floor", "bare", "plain")
    )
    of_floor, of_plain = (_ratios(rounds["project"], rounds[name]) for name in ("floor", "plain"))
    least, times = GOALS[title]
    return (
        f"| {title} | {per_second} | {_spread(of_floor)} | ≥ {least:.2f} | {_met(median(of_floor) >= least)}"
        f" | {_spread(of_plain)} | ≥ {times} | {_met(median(of_plain) >= times)}"
        f" | {_cpu_ms(rounds['project']):.2f}, {_cpu_ms(rounds['floor']):.2f} |"
    )


def _ratios(ours: list[Sample], theirs: list[Sample]) -> list[float]:
    """Pair round by round: what else the machine does then weighs on both."""
    return [mine.rate / other.rate for mine, other in zip(ours, theirs, strict=True)]


def _spread(ratios: list[float]) -> str:
    return f"**{median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f})"


def _cpu_ms(samples: list[Sample]) -> float:
    return 1000 * median(s.cpu_seconds / s.requests for s in samples)


def _met(yes: bool) -> str:
    return "met" if yes else "**not met**"


def rest(depth: int, deep: list[Sample], first: list[Sample], locate_us: float, pss_mb: float) -> str:
    slower = median(_ratios(first, deep))
    lines = [
        (f"page {depth:,} by cursor, time against page 1", slower, DEEP_PAGE, "{:.2f}"),
        ("place to cell, one of 5,000 cells", locate_us, LOCATE_US, "{:.0f} µs"),
        ("memory of the worker (PSS)", pss_mb, PSS_MB, "{:.0f} MB"),
    ]
    rows = [
        f"| {what} | {form.format(found)} | ≤ {form.format(goal)} | {_met(found <= goal)} |"
        for what, found, goal, form in lines
    ]
    return "\n".join(["| | measured | goal | |", "|---|---|---|---|", *rows])
