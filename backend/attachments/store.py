"""Where photos lie: write-once files named by what was announced, and beginnings of those still coming."""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class GapInFile(Exception):
    """A chunk begins beyond what is there."""


class Store(Protocol):
    """What a place for photos must be able to do. A folder does it here; an object store could."""

    def received(self, county: str, name: str) -> int:
        """Return how many bytes of an unfinished photo are there."""
        ...

    def append(self, county: str, name: str, offset: int, chunk: bytes, size: int) -> int:
        """Add a chunk; what is there already is passed over. Return how many bytes there are then."""
        ...

    def whole(self, county: str, name: str) -> bytes | None:
        """Return an unfinished photo if it is what its name says; if not, drop it."""
        ...

    def keep(self, county: str, name: str, picture: bytes, thumbnail: bytes) -> None:
        """Store a checked photo for good, and forget what was received."""
        ...

    def quarantine(self, county: str, name: str, content: bytes) -> None:
        """Put aside what cannot be shown: it is kept for whoever looks into it, and never served."""
        ...

    def read(self, county: str, name: str, *, thumbnail: bool) -> bytes | None:
        """Return a stored photo, or its small picture."""
        ...


class Folder:
    """Photos in a folder. Several processes may share it: a file lock makes chunks of one photo wait in line."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def received(self, county: str, name: str) -> int:
        coming = self._coming(county, name)
        return coming.stat().st_size if coming.exists() else 0

    def append(self, county: str, name: str, offset: int, chunk: bytes, size: int) -> int:
        with self._locked(county, name) as descriptor:
            there = os.fstat(descriptor).st_size
            if offset > there:
                raise GapInFile
            fresh = chunk[there - offset :][: max(size - there, 0)]
            os.pwrite(descriptor, fresh, there)
            os.fsync(descriptor)
            return there + len(fresh)

    def whole(self, county: str, name: str) -> bytes | None:
        coming = self._coming(county, name)
        content = coming.read_bytes() if coming.exists() else b""
        if hashlib.sha256(content).hexdigest() == name:
            return content
        coming.unlink(missing_ok=True)
        return None

    def keep(self, county: str, name: str, picture: bytes, thumbnail: bytes) -> None:
        _write_once(self._picture(county, name), picture)
        _write_once(self._thumbnail(county, name), thumbnail)  # last: it says that both are there
        self._coming(county, name).unlink(missing_ok=True)

    def quarantine(self, county: str, name: str, content: bytes) -> None:
        _write_once(self._aside(county, name), content)
        self._coming(county, name).unlink(missing_ok=True)

    def read(self, county: str, name: str, *, thumbnail: bool) -> bytes | None:
        path = (self._thumbnail if thumbnail else self._picture)(county, name)
        return path.read_bytes() if path.exists() else None

    @contextmanager
    def _locked(self, county: str, name: str) -> Iterator[int]:
        coming = self._coming(county, name)
        _private(coming.parent)
        descriptor = os.open(coming, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _picture(self, county: str, name: str) -> Path:
        return self._root / county / "photos" / name[:2] / f"{name}.jpg"

    def _thumbnail(self, county: str, name: str) -> Path:
        return self._root / county / "photos" / name[:2] / f"{name}.small.jpg"

    def _coming(self, county: str, name: str) -> Path:
        return self._root / county / "coming" / name

    def _aside(self, county: str, name: str) -> Path:
        return self._root / county / "quarantine" / name


def _private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def _write_once(path: Path, content: bytes) -> None:
    """Write a file complete or not at all; what lies there already stays."""
    _private(path.parent)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
