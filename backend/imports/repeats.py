"""Rows of a sheet that stand in it twice, however far apart."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared.imports import Column, Grade

_DOOR = ("name", "birth", "compound", "building", "unit", "room", "address", "household_no")


class Seen:
    """Keys of the rows so far, as sorted hashes: twelve bytes a row, and nothing of their content."""

    def __init__(self) -> None:
        self._keys: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._rows: NDArray[np.int32] = np.empty(0, np.int32)

    def first_rows(self, keys: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Return for each key the row that had it before, or 0."""
        if not len(self._keys):
            return np.zeros(len(keys), np.int32)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._rows[at], 0).astype(np.int32)

    def add(self, keys: NDArray[np.uint64], rows: NDArray[np.int32]) -> None:
        keys, rows = np.concatenate([self._keys, keys]), np.concatenate([self._rows, rows])
        self._keys, first = np.unique(keys, return_index=True)
        self._rows = rows[first]


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
        pl.format("和第 {} 行是同一个人。", "first").alias("words"),
        pl.lit("").alias("value"),
    )
