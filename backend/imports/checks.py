"""What a slice of a sheet says about people, column by column and never row by row.

Every column arrives as text. What is wrong with it becomes an issue: `refused` keeps the row out, `warned` lets it in
and asks somebody to look.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final, NamedTuple

import polars as pl

from backend.grid.geo import to_wgs84
from backend.grid.locate import CountyGrid
from backend.imports import dates, identities, words
from backend.imports.workbook import NO_VALUE
from shared.codes import ListName
from shared.imports import Column, Grade
from shared.residents import FORMULA_MARKS, NOT_A_NAME, Relation
from shared.sealed import POVERTY_WORDS
from shared.texts import _
from shared.types import Crs

CODED: Final = {
    Column.ethnicity: ListName.ethnicity,
    Column.marital: ListName.marital,
    Column.education: ListName.education,
    Column.political: ListName.political,
    Column.employment: ListName.employment,
    Column.occupation: ListName.occupation,
}
_LONGEST: Final = {
    Column.name: 60, Column.compound: 100, Column.building: 100, Column.unit: 100, Column.room: 100,
    Column.registered_place: 100, Column.note: 2000,
}  # fmt: skip
_TEXT = pl.String
_NO_RESULT: Final = _("这一格是公式，文件里没有它的结果。请打开表格重新保存，或改成数值。")

# A free address, as far as its end speaks of a door.
_ADDRESS: Final = (
    r"^(?P<compound>.*?)(?P<building>[0-9A-Za-z]+(?:号楼|栋|幢|#楼|座))?(?P<unit>[0-9一二三四五六]+单元)?"
    r"(?P<room>[0-9]{1,4}(?:-[0-9]{1,4})?)?(?:室|号|房)?$"
)


@dataclass(frozen=True, slots=True)
class World:
    """What a sheet is checked against; read once."""

    day: date
    cells: Mapping[str, str]
    """Code by what people write: the code itself, or the cell's name where only one bears it."""

    mine: Callable[[str], bool]
    """Whether the caller may import into a place."""

    default: str
    buildings: pl.DataFrame
    """compound, building, area: buildings that stand in one cell, as far as the register knows them."""

    grid: CountyGrid
    crs: Crs = Crs.wgs84


class Checked(NamedTuple):
    """Rows that may go on, what was found about all of them, and the last row's household for the next slice."""

    good: pl.DataFrame
    issues: pl.DataFrame
    carry: str


@dataclass
class _Slice:
    """A slice being checked."""

    frame: pl.DataFrame
    issues: list[pl.DataFrame] = field(default_factory=list)

    def note(self, grade: Grade, column: Column, where: pl.Expr, why: str, shown: pl.Expr | None = None) -> None:
        # Lazily: the whole frame would be copied for each of some fifty questions.
        found = (
            self.frame.lazy()
            .filter(where)
            .select(
                "row",
                pl.lit(grade.value).alias("grade"),
                pl.lit(column.value).alias("column"),
                pl.lit(why).alias("words"),
                (pl.col(f"raw:{column.value}") if shown is None else shown).str.slice(0, 60).alias("value"),
            )
            .collect()
        )
        if found.height:
            self.issues.append(found)

    def put(self, **made: pl.Expr) -> None:
        self.frame = self.frame.with_columns(**made)

    def meant(self, column: str, meaning: Callable[[str], str | None]) -> pl.Expr:
        """Translate a column through its distinct values; what has no meaning becomes null."""
        distinct = [value for value in self.frame[column].unique().to_list() if value]
        table = {value: found for value in distinct if (found := meaning(value)) is not None}
        return pl.col(column).replace_strict(table or {"\0": ""}, default=None, return_dtype=_TEXT)


def check(frame: pl.DataFrame, columns: Sequence[Column | None], world: World, carry: str = "") -> Checked:
    """Check a slice: a frame of `row` and one text column for each of the sheet's."""
    part = _Slice(_named(frame, columns))
    _formulas(part)
    _names(part)
    identities.check(part.frame, part.note, part.put)
    _births(part, world.day)
    _sexes(part, world.day)
    _words(part, world.day)
    _phones(part)
    _cares(part)
    _hardships(part, world.day)
    _doors(part)
    _lengths(part)
    _places(part, world)
    carry = _households(part, carry)
    issues = pl.concat(part.issues) if part.issues else EMPTY_ISSUES
    refused = issues.filter(pl.col("grade") == Grade.refused.value).select("row").unique()
    # As it was read, it was for the report; what goes on is copied several times.
    plain = part.frame.select(pl.exclude("^raw:.*$"))
    return Checked(plain.join(refused, on="row", how="anti", maintain_order="left"), issues, carry)


EMPTY_ISSUES: Final = pl.DataFrame(
    schema={"row": pl.Int64, "grade": _TEXT, "column": _TEXT, "words": _TEXT, "value": _TEXT}
)


def _named(frame: pl.DataFrame, columns: Sequence[Column | None]) -> pl.DataFrame:
    """Give the columns their names, twice: `raw:name` stays as it was read. A column that is not there is empty."""
    read = {column.value: f"c{at}" for at, column in enumerate(columns) if column and f"c{at}" in frame.columns}
    raw = [
        (pl.col(read[c.value]).fill_null("") if c.value in read else pl.lit("")).alias(f"raw:{c.value}") for c in Column
    ]
    plain = [pl.col(f"raw:{c.value}").alias(c.value) for c in Column]
    return frame.select(pl.col("row").cast(pl.Int64), *raw).with_columns(plain)


def _formulas(part: _Slice) -> None:
    for column in Column:
        if part.frame[column.value].str.starts_with(NO_VALUE).any():
            part.note(Grade.refused, column, pl.col(column.value) == NO_VALUE, _NO_RESULT)


def _names(part: _Slice) -> None:
    part.put(name=pl.col("name").str.replace_all(r"(\p{Han})\s+(\p{Han})", "$1$2").str.replace_all(r"\s+", " "))
    part.note(Grade.refused, Column.name, pl.col("name") == "", _("没有写姓名。"))
    part.note(Grade.refused, Column.name, pl.col("name").str.contains("[\ufffd]"), _("姓名里有乱码，原字已经丢了。"))
    part.note(Grade.refused, Column.name, pl.col("name").str.len_chars() > _LONGEST[Column.name], _("姓名太长了。"))
    typed = pl.col("name").str.normalize("NFKC")
    odd = typed.str.contains(f"^[{re.escape(FORMULA_MARKS)}]") | ~typed.str.contains(r"\p{L}")
    said_before = pl.col("name").is_in(["", NO_VALUE])
    part.note(Grade.refused, Column.name, odd & ~said_before, NOT_A_NAME)
    part.note(Grade.warned, Column.name, ~odd & typed.str.contains("[0-9]"), _("姓名里有数字，请核对。"))


def _births(part: _Slice, day: date) -> None:
    given = pl.col("birth_date")
    part.put(birth=dates.parsed(given))
    wrong = (given != "") & (pl.col("birth").is_null() | (pl.col("birth") > day) | (pl.col("birth") < date(1880, 1, 1)))
    known = pl.col("id_birth").is_not_null()
    part.note(Grade.refused, Column.birth_date, wrong & ~known, _("出生日期读不出来，请写成 1954-03-08 这样。"))
    part.note(Grade.warned, Column.birth_date, wrong & known, _("出生日期读不出来，按身份证号上的记。"))
    part.put(birth=pl.when(wrong | (given == "")).then(pl.col("id_birth")).otherwise(pl.col("birth")))
    part.note(
        Grade.warned,
        Column.birth_date,
        known & (pl.col("birth") != pl.col("id_birth")),
        _("和身份证号上的出生日期不一致。"),
    )


def _sexes(part: _Slice, day: date) -> None:
    part.put(sex_read=part.meant("sex", partial(words.coded, ListName.sex, day)))
    part.note(
        Grade.warned,
        Column.sex,
        (pl.col("sex") != "") & pl.col("sex_read").is_null(),
        _("性别读不出来，没有照写的记。"),
    )
    part.put(sex=pl.coalesce("sex_read", "id_sex", pl.lit("0")))
    differs = pl.col("sex_read").is_in(["1", "2"]) & (pl.col("sex_read") != pl.col("id_sex"))
    part.note(Grade.warned, Column.sex, differs, _("和身份证号上的性别不一致。"))


def _words(part: _Slice, day: date) -> None:
    for column, of in CODED.items():
        _word(part, column, partial(words.coded, of, day))
    _word(part, Column.relation, partial(words.relation, day))
    _word(part, Column.residency, words.residency)


def _word(part: _Slice, column: Column, meaning: Callable[[str], str | None]) -> None:
    part.put(read=part.meant(column.value, meaning))
    unknown = (pl.col(column.value) != "") & pl.col("read").is_null()
    part.note(Grade.warned, column, unknown, _("读不懂，没有记。"))
    part.put(**{column.value: pl.col("read")})


def _phones(part: _Slice) -> None:
    text = pl.col("phone").str.normalize("NFKC").str.replace(r"\.0$", "")
    first = text.str.extract(r"(\+?[0-9][0-9 -]{4,19})").str.strip_chars(" -")
    bare = first.str.replace_all("[ -]", "")
    whole = pl.when(bare.str.contains(r"^(\+?86)?1[0-9]{10}$")).then(bare.str.replace(r"^\+?86", "")).otherwise(first)
    part.put(phone_read=pl.when(bare.str.len_chars() >= 5).then(whole))
    shown = pl.concat_str(pl.col("phone").str.slice(0, 3), pl.lit("****"), pl.col("phone").str.tail(2))
    given = pl.col("phone") != ""
    lost = given & pl.col("phone_read").is_null()
    part.note(Grade.warned, Column.phone, lost, _("电话读不出来，没有记。"), shown)
    more = given & (text.str.extract_all("[0-9]{7,}").list.len() > 1)
    part.note(Grade.warned, Column.phone, more, _("写了不止一个电话，只记第一个。"), shown)
    part.put(phone=pl.col("phone_read"))


def _cares(part: _Slice) -> None:
    made = []
    for column in (c for c in Column if c.value.startswith("care:")):
        label = column.value.removeprefix("care:")
        part.put(read=part.meant(column.value, words.yes_or_no))
        unknown = (pl.col(column.value) != "") & pl.col("read").is_null()
        part.note(Grade.warned, column, unknown, _("请写“是”或“否”，没有记。"))
        part.put(**{column.value: pl.when(pl.col("read") == "yes").then(pl.lit(label))})
        made.append(column.value)
    part.put(read=part.meant("care", words.care))
    part.note(
        Grade.warned, Column.care, (pl.col("care") != "") & pl.col("read").is_null(), _("有读不懂的标签，没有记。")
    )
    part.put(care=pl.concat_str("read", *made, separator=",", ignore_nulls=True))
    part.put(care=pl.coalesce(part.meant("care", words.care_in_order), pl.lit("")))


def _hardships(part: _Slice, day: date) -> None:
    """Read what will be sealed. Nothing of it is shown in the report, and nothing half understood is stored."""
    nothing = pl.lit("")
    part.put(both=pl.concat_str("disability", "disability:grade", separator="|"))
    part.put(read=part.meant("both", partial(words.disability, day)))
    unclear = _("残疾写得不清楚。请写类别和等级，如 肢体二级；没有残疾就空着。")
    part.note(Grade.refused, Column.disability, pl.col("read").is_null(), unclear, nothing)
    part.put(disability=pl.when(pl.col("read") != "").then("read"))
    part.put(read=part.meant("poverty", words.poverty), dibao=part.meant("poverty:2", words.subsistence))
    unclear = _("困难类别读不懂。请写：{choices}；没有就空着。").format(choices=_("、").join(POVERTY_WORDS.values()))
    lost = (pl.col("poverty") != "") & pl.col("read").is_null()
    part.note(Grade.refused, Column.poverty, lost, unclear, nothing)
    lost = (pl.col("poverty:2") != "") & pl.col("dibao").is_null()
    part.note(Grade.refused, Column.subsistence, lost, _("请写“是”或“否”。"), nothing)
    said, too = (pl.when(pl.col(name) != "").then(name) for name in ("read", "dibao"))
    part.note(Grade.refused, Column.poverty, said != too, _("和“低保”一列不一致。"), nothing)
    part.put(poverty=pl.coalesce(said, too))


def _doors(part: _Slice) -> None:
    """Bring doors to one form, so that the same door is found again: 3 is 3号楼, 302室 is 302."""
    tidy = {
        c: pl.col(c).str.normalize("NFKC").str.replace_all(r"\s+", "") for c in ("building", "unit", "room", "address")
    }
    part.put(**tidy, compound=pl.col("compound").str.strip_chars())
    parsed = pl.col("address").str.extract_groups(_ADDRESS).struct
    empty = pl.all_horizontal(pl.col("compound", "building", "unit", "room") == "") & (pl.col("address") != "")
    part.put(**{c: pl.when(empty).then(parsed.field(c).fill_null("")).otherwise(pl.col(c)) for c in _DOOR})
    part.put(
        building=pl.col("building").str.replace(r"^([0-9]+)(\.0|#|号)?$", "${1}号楼"),
        unit=pl.col("unit").str.replace(r"^([0-9]+)(\.0)?$", "${1}单元"),
        room=pl.col("room").str.replace(r"(\.0|室|号|房)$", ""),
    )


_DOOR: Final = ("compound", "building", "unit", "room")


def _lengths(part: _Slice) -> None:
    for column, most in _LONGEST.items():
        text = pl.col(column.value)
        if column is not Column.name:
            part.note(
                Grade.warned, column, text.str.len_chars() > most, _("太长了，只留前 {most} 个字。").format(most=most)
            )
            part.put(**{column.value: text.str.slice(0, most)})


def _places(part: _Slice, world: World) -> None:
    """Find each row's cell: as written, else by position, else by its building, else the one chosen for the sheet."""
    part.put(area=part.meant("cell", lambda text: world.cells.get(words.plain_cell(text))))
    part.note(
        Grade.refused,
        Column.cell,
        (pl.col("cell") != "") & pl.col("area").is_null(),
        _("找不到这个网格，或者有同名的：请写 15 位网格编码。"),
    )
    outside = part.meant("area", lambda code: None if world.mine(code) else "outside")
    part.note(Grade.refused, Column.cell, outside.is_not_null(), _("这个网格不归您管。"))
    _positions(part, world)
    part.frame = part.frame.join(world.buildings, on=["compound", "building"], how="left", maintain_order="left")
    part.put(area=pl.coalesce("area", "area_at", "area_of_building"))
    outside = part.meant("area", lambda code: None if world.mine(code) else "outside")
    part.note(Grade.refused, Column.lon, (pl.col("cell") == "") & outside.is_not_null(), _("这个位置不归您管。"))
    part.put(placed=pl.col("area").is_not_null(), area=pl.col("area").fill_null(world.default))


def _positions(part: _Slice, world: World) -> None:
    part.put(lon=pl.col("lon").cast(pl.Float64, strict=False), lat=pl.col("lat").cast(pl.Float64, strict=False))
    given = pl.any_horizontal(pl.col("raw:lon", "raw:lat") != "")
    inside = pl.col("lon").is_between(70, 140) & pl.col("lat").is_between(3, 55)
    part.put(inside=given & inside.fill_null(False))
    part.note(Grade.warned, Column.lon, given & ~pl.col("inside"), _("经纬度读不出来或不在国内，没有记。"))
    rows = part.frame.filter("inside").select("row", "lon", "lat").rows()
    places = [to_wgs84(lon, lat, world.crs) for _, lon, lat in rows]
    cells = world.grid.find_many(places) if places else {}
    found = pl.DataFrame(
        [(row, *at, cells[at].code if at in cells else None) for (row, *_), at in zip(rows, places, strict=True)],
        schema={"row": pl.Int64, "lon": pl.Float64, "lat": pl.Float64, "area_at": _TEXT}, orient="row",
    )  # fmt: skip
    part.frame = part.frame.drop("lon", "lat").join(found, on="row", how="left", maintain_order="left")


def _households(part: _Slice, carry: str) -> str:
    """Say who lives together: by household number, else by door, else by its head; who has none of these and is no
    head belongs to the row before, as in sheets whose door is one merged cell."""
    head = pl.col("relation").is_in([Relation.head.value, Relation.self_.value])
    door = pl.concat_str("area", "compound", "building", "unit", "room", separator="|")
    of_head = pl.when(pl.col("head_name") != "").then("head_name").when(head).then("name")
    key = (
        pl.when(pl.col("household_no") != "").then(pl.concat_str(pl.lit("n|"), "household_no"))
        .when(pl.col("room") != "").then(pl.concat_str(pl.lit("d|"), door))
        .when(pl.col("address") != "").then(pl.concat_str(pl.lit("a|"), "area", "address"))
        .when(of_head.is_not_null()).then(pl.concat_str(pl.lit("h|"), "area", "compound", of_head))
    )  # fmt: skip
    part.put(hkey=key)
    alone = pl.concat_str(pl.lit("r|"), pl.col("row").cast(_TEXT))
    part.put(follows=pl.col("hkey").is_null() & pl.col("relation").is_not_null())
    part.put(hkey=pl.when("follows").then(None).otherwise(pl.coalesce("hkey", alone)))
    part.put(hkey=pl.coalesce(pl.col("hkey").forward_fill(), pl.lit(carry or None, dtype=_TEXT), alone))
    part.note(Grade.warned, Column.household_no, pl.col("follows"), _("没有写住址，按和上一行同一户记。"), pl.lit(""))
    lost = (pl.col("cell") == "") & ~pl.col("placed") & ~pl.col("follows")
    part.note(Grade.warned, Column.cell, lost, _("没有写网格，先放在导入时选的地方。"))
    last = part.frame["hkey"].tail(1).to_list()
    return last[0] if last else carry
