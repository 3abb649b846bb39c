"""A week of 336 half hours as bits.

Packed form: uint64[n, 6]; half hour s is bit s % 64 of word s // 64, the last 48 bits are unused. Half hour 0 begins on
Monday at 00:00 local time. Six words test a pair of person and window without touching 336 booleans.
"""

import numpy as np
from numpy.typing import NDArray

SLOTS_PER_WEEK = 336
WEEK_WORDS = 6

Words = NDArray[np.uint64]
Ints = NDArray[np.int64]


def pack_week(free: NDArray[np.bool_]) -> Words:
    """Pack bool[n, 336], True where free, into uint64[n, 6]."""
    bits = np.zeros((len(free), WEEK_WORDS * 64), dtype=np.bool_)
    bits[:, :SLOTS_PER_WEEK] = free
    return np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def window(first: Ints, count: Ints) -> Words:
    """Bits of the half hours from `first` on, running over Sunday midnight into Monday; no bits where first is -1."""
    offset = (np.arange(SLOTS_PER_WEEK) - first[:, None]) % SLOTS_PER_WEEK
    return pack_week((offset < count[:, None]) & (first[:, None] >= 0))


def margin(first: Ints, count: Ints, each_side: int) -> Words:
    """The half hours just before and just after the window."""
    wide = window(np.where(first < 0, -1, (first - each_side) % SLOTS_PER_WEEK), count + 2 * each_side)
    return wide & ~window(first, count)


def half_hours(words: Words) -> Ints:
    """How many half hours are set in each row."""
    hours: Ints = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return hours
