"""A slice from its file to what the database is given: checked, searchable, and with its numbers sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from backend.core import sealing
from backend.core.settings import Keys
from backend.imports import checks, ids, sheets
from backend.imports.repeats import Repeats
from backend.imports.staging import STAGED
from backend.residents import search
from shared.imports import Column, Grade

_NULL = "\\N"


class Part(NamedTuple):
    """A slice ready for the database; `claims` are rows whose number contradicts the rest."""

    number: int
    rows: int
    staged: bytes
    good: pl.DataFrame
    issues: pl.DataFrame


@dataclass
class Preparing:
    """Prepares the slices of a sheet one after the other: what one ends with, the next begins with."""

    folder: Path
    prefix: str
    county: str
    columns: Sequence[Column | None]
    world: checks.World
    keys: Keys
    seal: bool
    repeats: Repeats = field(default_factory=Repeats)
    carry: str = ""

    def skip(self, number: int) -> None:
        """Pass over a slice that is settled, for what the next ones must know of it."""
        self._check(number)

    def part(self, number: int) -> Part:
        rows, good, issues = self._check(number)
        return Part(number, rows, self._staged(good), good, issues)

    def _check(self, number: int) -> tuple[int, pl.DataFrame, pl.DataFrame]:
        frame = pl.read_csv(sheets.slice_file(self.folder, number), infer_schema=False)
        good, issues, self.carry = checks.check(frame, self.columns, self.world, self.carry)
        again = self.repeats.find(good)
        good = good.join(again.select("row"), on="row", how="anti", maintain_order="left")
        return frame.height, good, pl.concat([issues, again]).sort("row", maintain_order=True)

    def _staged(self, good: pl.DataFrame) -> bytes:
        """Write the rows as CSV for COPY; text is quoted, so that a null can be told from an empty one."""
        made = good.with_columns(self._names(good), self._doors(good), *self._sealed(good))
        buffer = BytesIO()
        made.select(STAGED).write_csv(buffer, include_header=False, null_value=_NULL, quote_style="non_numeric")
        return buffer.getvalue()

    def _names(self, good: pl.DataFrame) -> pl.Expr:
        table = {name: ",".join(search.person_keys(name, None)) for name in good["name"].unique().to_list()}
        return _translated("name", table).alias("name_keys")

    def _doors(self, good: pl.DataFrame) -> pl.Series:
        doors = good.select("compound", "building", "unit", "room")
        table = {door: ",".join(search.door_keys(*door)) for door in doors.unique().rows()}
        return pl.Series("door_keys", [table[door] for door in doors.rows()], dtype=pl.String)

    def _sealed(self, good: pl.DataFrame) -> list[pl.Series]:
        seal = sealing.seal_many(self.keys, "id_number")
        keys: list[str | None] = []
        sealed: list[str | None] = []
        indexes: list[str | None] = []
        for row, number in good.select("row", "number").iter_rows():
            key, value = (
                seal(ids.of_row(self.prefix, ids.Kind.resident, row), number) if number and self.seal else (b"", b"")
            )
            index = sealing.blind_index(self.keys, self.county, number) if number else None
            keys.append(f"\\x{key.hex()}" if index and self.seal else None)
            sealed.append(f"\\x{value.hex()}" if index and self.seal else None)
            indexes.append(f"\\x{index.hex()}" if index else None)
        named: dict[str, Any] = {"data_key": keys, "id_sealed": sealed, "id_index": indexes}
        return [pl.Series(name, values, dtype=pl.String) for name, values in named.items()]


def _translated(column: str, table: dict[str, str]) -> pl.Expr:
    return pl.col(column).replace_strict(table or {"\0": ""}, default="", return_dtype=pl.String)


def refused_rows(issues: pl.DataFrame) -> pl.DataFrame:
    """Return the rows that stay out, each with all the reasons."""
    refused = issues.filter(pl.col("grade") == Grade.refused.value)
    return refused.group_by("row", maintain_order=True).agg(pl.col("words").unique(maintain_order=True).str.join(""))


def keep_refused(folder: Path, number: int, reasons: pl.DataFrame) -> None:
    """Keep the refused rows of a slice beside it, each with its reasons: the reject file is made of them."""
    file = sheets.refused_file(folder, number)
    file.unlink(missing_ok=True)
    if reasons.height:
        rows = pl.read_csv(sheets.slice_file(folder, number), infer_schema=False)
        rows = rows.with_columns(pl.col("row").cast(pl.Int64)).join(reasons, on="row", maintain_order="left")
        rows.drop("row").write_csv(file, include_header=False)
