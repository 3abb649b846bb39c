"""A slice from its file to what the database is given: checked, searchable, and with its numbers sealed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import polars as pl

from backend.core import sealing
from backend.core.settings import Keys
from backend.imports import checks, ids, sheets
from backend.imports.repeats import Repeats
from backend.imports.staging import STAGED
from backend.residents import search
from shared.imports import Column, Grade
from shared.sealed import SealedKind

_NULL = "\\N"


class Part(NamedTuple):
    """A slice ready for the database; `claims` are rows whose number contradicts the rest."""

    number: int
    rows: int
    staged: bytes
    keys: bytes
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
        keys = search_keys(good) if self.seal else b""
        return Part(number, rows, self._staged(good), keys, good, issues)

    def _check(self, number: int) -> tuple[int, pl.DataFrame, pl.DataFrame]:
        frame = pl.read_csv(sheets.slice_file(self.folder, number), infer_schema=False)
        good, issues, self.carry = checks.check(frame, self.columns, self.world, self.carry)
        again = self.repeats.find(good)
        good = good.join(again.select("row"), on="row", how="anti", maintain_order="left")
        return frame.height, good, pl.concat([issues, again]).sort("row", maintain_order=True)

    def _staged(self, good: pl.DataFrame) -> bytes:
        """Write the rows as CSV for COPY; text is quoted, so that a null can be told from an empty one."""
        made = good.with_columns(self._doors(good), *self._sealed(good))
        buffer = BytesIO()
        made.select(STAGED).write_csv(buffer, include_header=False, null_value=_NULL, quote_style="non_numeric")
        return buffer.getvalue()

    def _doors(self, good: pl.DataFrame) -> pl.Series:
        doors = good.select("compound", "building", "unit", "room")
        table = {door: ",".join(search.door_keys(*door)) for door in doors.unique().rows()}
        return pl.Series("door_keys", [table[door] for door in doors.rows()], dtype=pl.String)

    def _sealed(self, good: pl.DataFrame) -> list[pl.Series]:
        """Seal numbers and facts. A dry run makes the blind index alone, by which people are known."""
        seal = sealing.seal_many(self.keys, "id_number")
        names = ("data_key", "id_sealed", "id_index", *FACTS)
        made: dict[str, list[str | None]] = {name: [] for name in names}
        for row, number, *facts in good.select("row", "number", *FACTS).iter_rows():
            owner = ids.of_row(self.prefix, ids.Kind.resident, row)
            key, sealed = seal(owner, number) if number and self.seal else (None, None)
            index = sealing.blind_index(self.keys, self.county, number) if number else None
            found: list[bytes | None] = [None, None]
            if self.seal and any(facts):
                key = key or sealing.new_data_key(self.keys, UUID(owner))
                found = self._facts(key, owner, row, facts)
            for name, value in zip(names, (key, sealed, index, *found), strict=True):
                made[name].append(f"\\x{value.hex()}" if value else None)
        told = [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in FACTS]
        kinds = good.select(pl.concat_str(told, separator=",", ignore_nulls=True).alias("facts")).to_series()
        return [kinds, *(pl.Series(name, values, dtype=pl.String) for name, values in made.items())]

    def _facts(self, key: bytes, owner: str, row: int, facts: Sequence[str | None]) -> list[bytes | None]:
        """Seal what holds of a person, bound to the row that each will be: as `residents.sealed` does."""
        return [
            sealing.seal(self.keys, key, UUID(owner), f"{kind}|{fact_id(self.prefix, row, place)}", _content(fact))
            if fact
            else None
            for place, (kind, fact) in enumerate(zip(FACTS, facts, strict=True))
        ]


FACTS: Final = (SealedKind.disability.value, SealedKind.poverty.value)
"""Kinds of sealed facts that a sheet may bring, in the order of their ids."""


def fact_id(prefix: str, row: int, place: int) -> str:
    return ids.of_row(prefix, ids.Kind.fact, row * 16 + place)


def _content(fact: str) -> str:
    code, _, grade = fact.partition(":")
    return json.dumps({"code": code, "grade": int(grade) if grade else None})


def search_keys(good: pl.DataFrame) -> bytes:
    """Write (row, key) of the people as CSV, once each, in the order of the index that they go into."""
    people = good.select(pl.col("row").cast(pl.Int32), pl.col("area").rank("dense").alias("place"), "name", "phone")
    names = {name: ",".join(search.person_keys(name, None)) for name in people["name"].unique().to_list()}
    by_name = people.select("row", "place", _translated("name", names).str.split(",").alias("key")).explode("key")
    found = pl.concat([by_name, _phone_keys(people)]).filter(pl.col("key") != "").sort("place", "key", "row")
    again = (pl.col("key") == pl.col("key").shift()) & (pl.col("row") == pl.col("row").shift())
    buffer = BytesIO()
    found.filter(again.fill_null(False).not_()).select("row", "key").write_csv(buffer, include_header=False)
    return buffer.getvalue()


def _phone_keys(people: pl.DataFrame) -> pl.DataFrame:
    """The ends of a phone number, from four digits on: what `search.person_keys` makes of one."""
    digits = pl.col("phone").str.replace_all("[^0-9]", "").str.replace("^86([0-9]{11})$", "${1}")
    phones = people.select("row", "place", digits.alias("key"))
    longest = phones["key"].str.len_chars().max() or 0
    ends = [phones.with_columns(pl.col("key").str.slice(at)) for at in range(int(str(longest)) - 3)]
    return pl.concat([phones.head(0), *ends]).filter(pl.col("key").str.len_chars() > 3)


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
