"""What may lie in the repository, and what must never be written into it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TOP = {
    "pyproject.toml", "backend", "mobile", "shared", "deploy", "tests", "openapi", "README.md", "Makefile", "LICENSE",
    "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md",
}  # fmt: skip
LOCKS = {
    "poetry.lock", "uv.lock", "Pipfile.lock", "pdm.lock", "pixi.lock", "pylock.toml", "package-lock.json", "yarn.lock",
    "pnpm-lock.yaml", "npm-shrinkwrap.json", "requirements.txt",
}  # fmt: skip

# Written in pieces, so that this file does not hold what it forbids.
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|Users)/" + r"\w")
REGISTRY_HOST = re.compile(
    r"\b(?:files\.pythonhosted|pypi|registry\.npmjs|conda\.anaconda|proxy\.golang)" + r"\.(?:org|com)\b"
)
DOWNLOAD = re.compile(r"^\s*(?:--)?(?:extra-)?index-url\b", re.MULTILINE)


def tracked() -> list[Path]:
    """Return the files that are in the repository, or would be after the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def text_of(file: Path) -> str:
    content = file.read_bytes()
    return "" if b"\0" in content[:8192] else content.decode("utf-8", errors="replace")


@pytest.mark.parametrize("forbidden", [MACHINE_PATH, REGISTRY_HOST, DOWNLOAD], ids=["paths", "hosts", "indexes"])
def test_no_file_names_a_machine_or_where_packages_come_from(forbidden):
    found = {str(file.relative_to(ROOT)): hit[0] for file in tracked() if (hit := forbidden.search(text_of(file)))}

    assert found == {}


@pytest.mark.parametrize(
    ("forbidden", "line"),
    [
        (MACHINE_PATH, "data = '/" + "root/gridhood'"),
        (MACHINE_PATH, "cd /" + "Users/zhang/gridhood"),
        (REGISTRY_HOST, "https://" + "pypi" + ".org/simple"),
        (DOWNLOAD, "--index" + "-url somewhere"),
    ],
)
def test_such_a_line_would_be_found(forbidden, line):
    assert forbidden.search(f"first\n{line}\n")


def test_no_lock_file_records_download_addresses():
    assert [file.name for file in tracked() if file.name in LOCKS] == []


def test_the_top_level_is_closed():
    top = {file.relative_to(ROOT).parts[0] for file in tracked()}

    assert {name for name in top if not name.startswith(".")} - TOP == set()


def test_no_key_or_database_of_a_running_server_is_kept():
    suspicious = [f for f in tracked() if f.suffix in {".key", ".pem", ".sqlite", ".db"} or f.name.startswith(".env")]

    assert suspicious == []
