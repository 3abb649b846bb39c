"""README's calls, run as printed against a server as `make run` starts it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.end_to_end.server import Server

ROOT = Path(__file__).parents[2]


def printed_lines() -> list[str]:
    block = (ROOT / "README.md").read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    return [line for line in block.splitlines() if line]


def test_the_nine_calls_answer_as_described(server: Server) -> None:
    setup, calls = printed_lines()[:3], printed_lines()[3:]
    # What differs from `make run` is where it runs.
    setup[0] = f"API={server.address}"
    accounts = f"{sys.executable} -m backend.cli demo accounts --data {server.folder}"
    setup[1] = setup[1].replace(".venv/bin/gridhood demo accounts", accounts)

    said = [_run([*setup, call]) for call in calls]
    ready, visits, located, cells, lamps, etag, stale, refused, changes = said
    first, second = lamps.strip().splitlines()

    assert len(calls) == 9
    assert json.loads(ready) == {"status": "ready"}
    assert {item["area_code"][:12] for item in json.loads(visits)["items"]} == {"610330100008"}
    assert json.loads(located)["cell_code"].startswith("610330100008")
    assert json.loads(cells)["type"] == "FeatureCollection"
    assert len(json.loads(cells)["features"]) == 6
    assert json.loads(first) == json.loads(second)
    assert json.loads(first)["number"]
    assert 'etag: "1"' in etag.lower()
    assert _problem(stale) == (412, "stale")
    assert _problem(refused) == (403, "area_not_allowed")
    assert len(json.loads(changes)["items"]) == 2


def _run(lines: list[str]) -> str:
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
    ).stdout


def _problem(text: str) -> tuple[Any, Any]:
    body = json.loads(text)
    return body["status"], body["code"]
