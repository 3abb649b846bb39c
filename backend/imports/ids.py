"""Ids of what a batch makes. They begin with the first half of the batch's own id and go on with what they number.

So a row has the same id however often a slice is begun anew, a batch is a range of every primary key, and rows arrive
in the order of the index.
"""

from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """The digit that says what is numbered."""

    resident = "1"
    household = "2"
    dwelling = "3"
    issue = "4"
    period = "5"
    fact = "6"


def prefix_of(batch: UUID) -> str:
    """Return the hex digits that every id of the batch begins with, the variant's included."""
    return f"{batch.hex[:16]}8"


def of_row(prefix: str, kind: Kind, row: int) -> str:
    """Return the id of a numbered thing as text."""
    digits = f"{prefix}{kind}{row:014x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def range_of(batch: UUID, kind: Kind) -> tuple[UUID, UUID]:
    """Return the first and the last id of a kind."""
    start = prefix_of(batch) + kind
    return UUID(start + "0" * 14), UUID(start + "f" * 14)


def row_of(made: UUID) -> int:
    """Return the number that an id carries."""
    return int(made.hex[18:], 16)
