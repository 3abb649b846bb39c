"""What may happen. A run is a list of these, so that hypothesis can shorten a failing one."""

from dataclasses import dataclass
from enum import StrEnum

from hypothesis import strategies as st

PHONES, DOORS, CELLS = 3, 4, 2


class Fate(StrEnum):
    """What becomes of one request."""

    arrives = "arrives"
    cut = "cut"
    answer_lost = "answer lost"
    doubled = "doubled"
    phone_dies_before = "phone dies before"
    phone_dies_after = "phone dies after"


@dataclass(frozen=True)
class Visit:
    """Somebody knocks at a door and writes it down; no network needed."""

    phone: int
    door: int


@dataclass(frozen=True)
class Edit:
    """Somebody changes the note of the person behind a door."""

    phone: int
    door: int


@dataclass(frozen=True)
class Sync:
    """A push and a pull whose requests meet these fates in turn, and then none. The phone may also die in the middle of
    its own writing: `dies_at` counts its SQLite statements."""

    phone: int
    fates: tuple[Fate, ...] = ()
    dies_at: int | None = None


@dataclass(frozen=True)
class Reopen:
    """The app is ended and started again."""

    phone: int


@dataclass(frozen=True)
class Overtaking:
    """A write at the desk is slow to commit; meanwhile one phone pushes and another pulls."""

    door: int
    writer: int
    reader: int


@dataclass(frozen=True)
class Backup:
    """The county is copied."""


@dataclass(frozen=True)
class Restore:
    """The county is as in its last copy, and in a new epoch."""


@dataclass(frozen=True)
class Grant:
    """The cell worker gets a cell, or loses it."""

    cell: int
    held: bool


Step = Visit | Edit | Sync | Reopen | Overtaking | Backup | Restore | Grant

_PHONE = st.integers(0, PHONES - 1)
_DOOR = st.integers(0, DOORS - 1)
_FATES = st.lists(st.sampled_from(Fate), max_size=4).map(tuple)

STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Visit, _PHONE, _DOOR),
    st.builds(Edit, _PHONE, _DOOR),
    st.builds(Sync, _PHONE),
    st.builds(Sync, _PHONE, _FATES),
    st.builds(Sync, _PHONE, _FATES, st.integers(1, 30)),
    st.builds(Reopen, _PHONE),
    st.builds(Overtaking, _DOOR, _PHONE, _PHONE),
    st.builds(Backup),
    st.builds(Restore),
    st.builds(Grant, st.integers(0, CELLS - 1), st.booleans()),
)
RUNS = st.lists(STEPS, min_size=6, max_size=24)
