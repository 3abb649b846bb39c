"""Writing files of which half would be worse than none, and finding a name that is free."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Only the owner can read it. Written beside and renamed: half a key would lock the store for ever."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def free_name(wanted: Path) -> Path:
    """The path itself, or with a number when its name is taken."""
    path, number = wanted, 1
    while path.exists():
        number += 1
        path = wanted.with_stem(f"{wanted.stem} ({number})")
    return path
