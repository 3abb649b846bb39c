"""Rows of a sheet that stand in it twice, however far apart."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared.imports import Column, Grade
from shared.texts import _

_DOOR = ("name", "birth", "compound", "building", "unit", "room", "address", "household_no")
LONG: Final = 100_000
"""Keys. A run of so many is not sorted again."""


class Seen:
    """Keys of the rows so far, as sorted hashes: twelve bytes a row, and nothing of their content.

    They lie in runs, each less than half of the one before it, so that few are sorted again with a slice. A long
    one is left as it is: sorting takes three times the memory of what is sorted.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[NDArray[np.uint64], NDArray[np.int32]]] = []

    def first_rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return for each key the row that had it before, or 0."""
        found = np.zeros(len(keys), np.int32)
        for seen, rows in reversed(self._runs):
            at = np.minimum(np.searchsorted(seen, keys), len(seen) - 1)
            np.copyto(found, rows[at], where=seen[at] == keys)
        return found

    def add(self, keys: NDArray[np.uint64], rows: NDArray[np.int32]) -> None:
        while self._runs and len(self._runs[-1][0]) < min(2 * len(keys), LONG):
            seen, of = self._runs.pop()
            keys, rows = np.concatenate([seen, keys]), np.concatenate([of, rows])
        keys, first = np.unique(keys, return_index=True)
        if len(keys):
            self._runs.append((keys, rows[first]))


class Repeats:
    """Finds a person who is in the sheet twice: by identity number, and without one by name, birth date and door."""

    def __init__(self) -> None:
        self._numbers, self._people = Seen(), Seen()

    def find(self, good: pl.DataFrame) -> pl.DataFrame:
        """Return an issue for each row of a slice that repeats an earlier one, and remember the others."""
        hashes = good.select(
            "row",
            pl.col("number").hash().alias("by_number"),
            pl.concat_str(*(pl.col(c).cast(pl.String).fill_null("") for c in _DOOR), separator="|").hash().alias("who"),
            pl.col("number").is_not_null().alias("numbered"),
        )
        first = (
            pl.when("numbered")
            .then(pl.col("row").first().over("by_number"))
            .otherwise(pl.col("row").first().over("who"))
        )
        rows = hashes["row"].to_numpy().astype(np.int32)
        numbers, people = hashes["by_number"].to_numpy(), hashes["who"].to_numpy()
        numbered = hashes["numbered"].to_numpy()
        before = np.where(numbered, self._numbers.first_rows(numbers), self._people.first_rows(people))
        here = hashes.select(first).to_series().to_numpy()
        earlier = np.where(before > 0, before, np.where(here < rows, here, 0))
        self._numbers.add(numbers[numbered], rows[numbered])
        self._people.add(people, rows)
        return _issues(rows[earlier > 0], earlier[earlier > 0], numbered[earlier > 0])


def _issues(rows: NDArray[np.int32], earlier: NDArray[np.int32], numbered: NDArray[np.bool_]) -> pl.DataFrame:
    return pl.DataFrame({"row": rows, "first": earlier, "numbered": numbered}).select(
        pl.col("row").cast(pl.Int64),
        pl.lit(Grade.refused.value).alias("grade"),
        pl.when("numbered").then(pl.lit(Column.id_number.value)).otherwise(pl.lit(Column.name.value)).alias("column"),
        pl.format(_("和第 {} 行是同一个人。"), "first").alias("words"),
        pl.lit("").alias("value"),
    )
