"""Dates as people type them into sheets."""

from datetime import date

import polars as pl

_EPOCH = date(1899, 12, 30)
"""Day 0 of spreadsheet programs."""


def parsed(text: pl.Expr) -> pl.Expr:
    """Read 1954-03-08, 1954/3/8, 1954.3.8, 1954年3月8日, 19540308, and the day numbers of spreadsheet programs."""
    plain = text.str.normalize("NFKC").str.replace_all(r"\s+[0-9:]+$|T[0-9:.]+$|\s", "")
    parts = plain.str.extract_groups(r"^([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?$").struct
    spelt = pl.concat_str(
        parts.field("1"), parts.field("2").str.zfill(2), parts.field("3").str.zfill(2), ignore_nulls=False
    )
    solid = plain.str.replace(r"\.0$", "").str.extract(r"^([0-9]{8})$")
    number = plain.str.extract(r"^([0-9]{4,5})(?:\.0)?$").cast(pl.Int32, strict=False)
    counted = pl.when(number > 3000).then(pl.lit(_EPOCH) + pl.duration(days=number)).cast(pl.Date)
    return pl.coalesce(pl.coalesce(spelt, solid).str.to_date("%Y%m%d", strict=False), counted)
