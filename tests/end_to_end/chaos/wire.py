"""What the driver and its phone processes say to each other, and what lies in their folder."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

RECORD = 46
"""Bytes of one journal line: an operation id, a blank, a word of eight characters, a line's end."""


@dataclass(frozen=True)
class Held:
    """A phone that a process holds."""

    number: int
    me: dict[str, Any]
    tokens: dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What a phone process begins with."""

    folder: str
    server: str
    seed: int
    life: int
    burst: int
    """Most operations that are captured between two exchanges; three times as many go into one push."""
    quota: int
    """How many operations each phone captures, over all its lives, before it is told more."""
    phones: tuple[Held, ...]

    def encode(self) -> str:
        return json.dumps(asdict(self))


def decode(line: str) -> Task:
    values = json.loads(line)
    return Task(**{**values, "phones": tuple(Held(**one) for one in values["phones"])})


class Journal:
    """What a phone has captured, noted outside its store: this is what must not be lost.

    A line is written once the capture has returned. It survives a kill -9, like everything the kernel has been given.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._path = folder / f"{number}.journal"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, op_id: UUID, word: str) -> None:
        os.write(self._file, f"{op_id} {word:<8}\n".encode())

    def __len__(self) -> int:
        return os.fstat(self._file).st_size // RECORD

    def close(self) -> None:
        os.close(self._file)


def captured(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.journal")) // RECORD


def read_journal(folder: Path, number: int) -> dict[str, str]:
    """The word of every operation."""
    lines = (folder / f"{number}.journal").read_text().splitlines()
    return {line[:36]: line[37:].strip() for line in lines}
