"""Imports obey the rooms: layers by import-linter (pyproject), and what a pure module may take at all."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_ERROR, EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[2]

MAY_TAKE: dict[str, set[str]] = {
    "shared/**/*.py": {"pydantic", "pydantic_core", "shared"},
    "backend/*/rules.py": {"shared"},
    "backend/matching/engine/**/*.py": {"numpy", "scipy", "shared", "backend.matching.engine"},
}
"""Besides the standard library."""


def test_the_rooms_import_downward_only():
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize(
    ("kind", "breach"),
    [
        ("layers", 'layers = ["backend.core", "backend.auth"]'),
        ("independence", 'modules = ["backend.auth", "backend.core"]'),
        ("forbidden", 'source_modules = ["backend.auth"]\nforbidden_modules = ["jose"]'),
    ],
)
def test_a_rule_that_the_code_breaks_is_reported(tmp_path, kind, breach):
    config = tmp_path / "pyproject.toml"
    config.write_text(
        "[tool.importlinter]\nroot_packages = ['backend']\ninclude_external_packages = true\n"
        f"[[tool.importlinter.contracts]]\nname = 'broken'\ntype = '{kind}'\n{breach}\n"
    )

    assert lint_imports(str(config), no_cache=True) == EXIT_STATUS_ERROR


def taken(source: str) -> Iterator[str]:
    """Yield every module that a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def beyond(source: str, allowed: set[str]) -> list[str]:
    """Return the imports that are neither of the standard library nor below an allowed module."""
    fine = (*(f"{name}." for name in allowed),)
    return [
        name
        for name in taken(source)
        if name.partition(".")[0] not in sys.stdlib_module_names and not f"{name}.".startswith(fine)
    ]


@pytest.mark.parametrize("pattern", MAY_TAKE)
def test_pure_modules_take_only_what_they_may(pattern):
    files = list(ROOT.glob(pattern))
    found = {file.name: beyond(file.read_text(encoding="utf-8"), MAY_TAKE[pattern]) for file in files}

    assert files
    assert not any(found.values()), found


def test_the_look_at_imports_finds_a_database_inside_a_function():
    source = "import json, shared.visits\ndef f():\n    import asyncpg\n    from backend.core import db\n"

    assert beyond(source, {"shared"}) == ["asyncpg", "backend.core.db"]
