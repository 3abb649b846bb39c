"""Identity numbers of a slice at once: what `shared.identifiers` says of one (GB 11643), in columns."""

from collections.abc import Callable
from typing import Final

import polars as pl

from shared.imports import Column, Grade
from shared.texts import _

_WEIGHTS: Final = tuple(2 ** (18 - place) % 11 for place in range(1, 18))
_CHECKS: Final = "10X98765432"
_ROUNDED: Final = r"^[0-9.]+E\+?[0-9]+$"


def check(frame: pl.DataFrame, note: Callable[..., None], put: Callable[..., None]) -> None:
    """Add `number` (eighteen characters or null) with the birth date and sex that it carries."""
    plain = pl.col("id_number").str.normalize("NFKC").str.replace_all(r"[\s'`’-]", "").str.to_uppercase()
    put(id_plain=plain)
    plain = pl.col("id_plain")
    old, new = plain.str.contains("^[0-9]{15}$"), plain.str.contains("^[0-9]{17}[0-9X]$")
    body = (
        pl.when(old).then(pl.concat_str(plain.str.slice(0, 6), pl.lit("19"), plain.str.slice(6)))
        .when(new).then(plain.str.slice(0, 17))
    )  # fmt: skip
    put(id_body=body)
    total = pl.sum_horizontal(
        pl.col("id_body").str.slice(at, 1).cast(pl.Int32) * weight for at, weight in enumerate(_WEIGHTS)
    )
    put(id_check=pl.lit(_CHECKS).str.slice(total % 11, 1))
    put(
        number=pl.when(pl.col("id_body").is_not_null()).then(pl.concat_str("id_body", "id_check")),
        id_birth=pl.col("id_body").str.slice(6, 8).str.to_date("%Y%m%d", strict=False),
    )
    shown = pl.concat_str(
        plain.str.slice(0, 3), pl.lit(_("…共")), plain.str.len_chars().cast(pl.String), pl.lit(_("位"))
    )
    rounded = plain.str.contains(_ROUNDED)
    said = {
        _("表格软件把身份证号改成了数字，末尾几位丢了。请把这一列设成文本，重新填。"): rounded,
        _("身份证号最后一位对不上，请对着证件再核一遍。"): new & (plain != pl.col("number")),
        _("身份证号里的出生日期不存在。"): (old | new) & pl.col("id_birth").is_null(),
    }  # fmt: skip
    odd = (plain != "") & ~old & ~new
    said[_("身份证号位数不对，应当是 18 位（旧号码 15 位）。")] = odd & plain.str.contains("^[0-9]+X?$")
    for words, where in said.items():
        note(Grade.refused, Column.id_number, where, words, shown)
    other = odd & ~rounded & ~plain.str.contains("^[0-9]+X?$|^#公式$")
    note(Grade.warned, Column.id_number, other, _("不是公民身份号码，没有记。"), shown)
    odd_sequence = pl.col("id_body").str.slice(16, 1).cast(pl.Int32) % 2 == 1
    put(id_sex=pl.when(odd_sequence).then(pl.lit("1")).when(odd_sequence.not_()).then(pl.lit("2")))
