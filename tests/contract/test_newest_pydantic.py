"""`shared/` on the newest pydantic. Phone and server run on an older one, which the phone's build can make; the day
that changes, nothing may read differently.

The second environment lies in build/newest and is made once; remove the folder to look for a newer pydantic.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pydantic
import pytest

from tests.contract.test_imports import beyond, taken
from tests.contract.wire_reading import Documents, read_all, wire_models

ROOT = Path(__file__).parents[2]
NEWEST = ROOT / "build" / "newest"
# One text for each pattern of the wire types, tried in this order where a pattern asks for something.
TEXTS = (
    "1", "110101", "110101001", "110101001002", "110101001002003", "12600004417", "visit_record", "care:elder_alone",
    "11010119491231002X", "0" * 64, "A" * 43 + "=", "张敏",
)  # fmt: skip
FORMATS = {
    "uuid": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02",
    "date-time": "2026-11-23T10:42:00+08:00",
    "date": "2026-11-23",
}


LATER = {"until_day": "2027-11-23"}
"""What has to lie after its neighbour."""


@pytest.fixture(scope="module")
def newest() -> Path:
    """A Python with the newest pydantic. When it cannot be made, that is a failure and no reason to skip."""
    python, ready = NEWEST / "bin" / "python", NEWEST / "ready"
    if not ready.exists():
        shutil.rmtree(NEWEST, ignore_errors=True)
        venv.create(NEWEST, with_pip=False)
        install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        free = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
        subprocess.run([*install, "pydantic", "pytest"], check=True, env=free)
        ready.touch()
    return python


def ask(python: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *arguments], cwd=ROOT, input=given, capture_output=True, text=True)


def sample(schema: dict[str, Any], named: dict[str, Any], *, whole: bool) -> Any:
    """A document of a schema: with every field or with the least."""
    if "$ref" in schema:
        return sample(named[schema["$ref"].rpartition("/")[2]], named, whole=whole)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return sample(schema[choice][0 if whole else -1], named, whole=whole)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    return _plain(schema, named, whole)


def _plain(schema: dict[str, Any], named: dict[str, Any], whole: bool) -> Any:
    match schema.get("type"):
        case "object":
            fields = schema.get("properties", {})
            wanted = fields if whole else schema.get("required", [])
            return {name: LATER.get(name) or sample(fields[name], named, whole=whole) for name in wanted}
        case "array":
            return _list(schema, named, whole)
        case "string":
            return _text(schema)
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return True
    return None


def _list(schema: dict[str, Any], named: dict[str, Any], whole: bool) -> list[Any]:
    if "prefixItems" in schema:
        return [sample(item, named, whole=whole) for item in schema["prefixItems"]]
    count = max(schema.get("minItems", 0), int(whole))
    return [sample(schema.get("items", {}), named, whole=whole) for _ in range(count)]


def _text(schema: dict[str, Any]) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    fitting = [text for text in TEXTS if re.search(schema.get("pattern", ""), text)]
    return next(text for text in fitting if len(text) >= schema.get("minLength", 0))


def documents() -> Documents:
    """For every model: what its description shows, a whole and a least one, and one that is wrong everywhere."""
    made: Documents = {}
    for name, model in wire_models().items():
        schema = model.model_json_schema()
        named = schema.get("$defs", {})
        shown = schema.get("examples", [])
        whole, least = sample(schema, named, whole=True), sample(schema, named, whole=False)
        made[name] = [*shown, whole, least, {key: {"no": "such"} for key in whole}]
    return made


@pytest.fixture(scope="module")
def given() -> Documents:
    return documents()


@pytest.fixture(scope="module")
def here(given) -> dict[str, Any]:
    return json.loads(json.dumps(read_all(given)))


def test_every_wire_model_reads_writes_and_describes_itself_the_same(newest, given, here):
    there = ask(newest, "-m", "tests.contract.wire_reading", given=json.dumps(given))

    assert there.returncode == 0, there.stderr
    seen = json.loads(there.stdout)
    assert tuple(map(int, seen["pydantic"].split(".")[:2])) > tuple(map(int, pydantic.VERSION.split(".")[:2]))
    assert seen["written"] == here["written"]
    assert seen["described"] == here["described"]


def test_nearly_every_model_had_a_document_that_it_takes_and_one_that_it_refuses(here):
    """The control: refusing everything alike, or taking it, would prove little.

    A model with rules between its fields is only met when its description shows an example.
    """
    never = sorted(name for name, answers in here["written"].items() if not any(isinstance(a, str) for a in answers))
    refused = [name for name, answers in here["written"].items() if isinstance(answers[-1], list)]

    assert len(never) < len(here["written"]) * 0.03, never
    assert len(refused) > len(here["written"]) * 0.9


def only_shared(file: Path) -> bool:
    source = file.read_text(encoding="utf-8")
    return "shared" in {name.partition(".")[0] for name in taken(source)} and not beyond(
        source, {"shared", "pydantic", "pytest"}
    )


def test_the_rules_that_only_need_shared_hold(newest):
    files = [str(file.relative_to(ROOT)) for file in (ROOT / "tests" / "rules").glob("test_*.py") if only_shared(file)]

    run = ask(newest, "-m", "pytest", "--noconftest", "-c", os.devnull, "--rootdir", str(ROOT), "-q", *files)

    assert files
    assert run.returncode == 0, run.stdout + run.stderr
