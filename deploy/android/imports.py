"""What the staged app imports, and from where."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Not in the phone's Python 3.14 as python-for-android builds it: bionic has no semaphores between processes, and the
# standard library is packed without these folders.
ABSENT = {"multiprocessing", "tkinter", "ensurepip", "idlelib", "lib2to3", "test"}
PROVIDED = {"jnius": "pyjnius", "PIL": "pillow", "et_xmlfile": "et-xmlfile"}
"""Imported names that differ from the package's."""
BUILD_ONLY = {"fontTools": Path("mobile/core/fonts.py")}
"""Imported inside a function that makes the fonts, which the package brings ready."""
OURS = ("mobile", "shared")


class Import(NamedTuple):
    file: Path
    module: str
    at_start: bool
    """At the top of its module, so that the app does not start without it."""

    @property
    def root(self) -> str:
        return self.module.partition(".")[0]


def imports_of(folder: Path) -> list[Import]:
    return [
        Import(path.relative_to(folder), module, at_start)
        for path in sorted(folder.rglob("*.py"))
        for module, at_start in _imports(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _imports(node: ast.AST, at_start: bool = True) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, at_start) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((f"{child.module}.{alias.name}", at_start) for alias in child.names)
        else:
            yield from _imports(child, at_start and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def problems(folder: Path, packages: set[str]) -> list[str]:
    """What a phone with only these packages (and Python) would not find."""
    return [
        f"{found.file}: {found.module} {why}" for found in imports_of(folder) if (why := _why(found, folder, packages))
    ]


def _why(found: Import, folder: Path, packages: set[str]) -> str:
    if found.root == "backend":
        return "belongs to the server"
    if found.root in OURS:
        return "is not in the package" if found.at_start and not _staged(found.module, folder) else ""
    if found.root in ABSENT or found.module == "concurrent.futures.ProcessPoolExecutor":
        return "is missing in the phone's Python" if found.at_start else ""
    if found.root in sys.stdlib_module_names:
        return ""
    if BUILD_ONLY.get(found.root) == found.file and not found.at_start:
        return ""
    package = PROVIDED.get(found.root, found.root).lower().replace("_", "-")
    return "" if package in packages else "is in no requirement of buildozer.spec"


def _staged(module: str, folder: Path) -> bool:
    """Say whether a module is there, or one that has a thing of this name."""
    path = folder.joinpath(*module.split("."))
    if any(at.exists() for at in (path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py"))):
        return True
    package = path.parent / "__init__.py"
    return package.exists() and re.search(rf"\b{path.name}\b", package.read_text(encoding="utf-8")) is not None
