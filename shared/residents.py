"""Residents, households and doors on the wire."""

import unicodedata
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.codes import ListName, name_of
from shared.texts import _
from shared.types import (
    AreaCode,
    CellCode,
    Day,
    Lat,
    Lon,
    Name,
    Note,
    Phone,
    Position,
    ShortText,
    Utc,
    WireIn,
    WireOut,
    example,
)


class Sex(StrEnum):
    """GB/T 2261.1."""

    unknown = "0"
    male = "1"
    female = "2"
    unstated = "9"


class Relation(StrEnum):
    """Relation to the head of the household: every two-digit code of GB/T 4761, whose names `codes` has."""

    self_ = "01"
    head = "02"
    spouse = "10"
    husband = "11"
    wife = "12"
    son = "20"
    only_son = "21"
    first_son = "22"
    second_son = "23"
    third_son = "24"
    fourth_son = "25"
    fifth_son = "26"
    adopted_or_step_son = "27"
    son_in_law = "28"
    other_son = "29"
    daughter = "30"
    only_daughter = "31"
    first_daughter = "32"
    second_daughter = "33"
    third_daughter = "34"
    fourth_daughter = "35"
    fifth_daughter = "36"
    adopted_or_step_daughter = "37"
    daughter_in_law = "38"
    other_daughter = "39"
    grandchild = "40"
    grandson = "41"
    granddaughter = "42"
    daughters_son = "43"
    daughters_daughter = "44"
    grandsons_wife = "45"
    granddaughters_husband = "46"
    great_grandson = "47"
    great_granddaughter = "48"
    other_grandchild = "49"
    parent = "50"
    father = "51"
    mother = "52"
    husbands_father = "53"
    husbands_mother = "54"
    wifes_father = "55"
    wifes_mother = "56"
    adoptive_or_step_father = "57"
    adoptive_or_step_mother = "58"
    other_parent = "59"
    grandparent = "60"
    fathers_father = "61"
    fathers_mother = "62"
    mothers_father = "63"
    mothers_mother = "64"
    spouses_grandparent = "65"
    great_grandfather = "66"
    great_grandmother = "67"
    spouses_great_grandparent = "68"
    other_grandparent = "69"
    sibling = "70"
    elder_brother = "71"
    elder_brothers_wife = "72"
    younger_brother = "73"
    younger_brothers_wife = "74"
    elder_sister = "75"
    elder_sisters_husband = "76"
    younger_sister = "77"
    younger_sisters_husband = "78"
    other_sibling = "79"
    others = "80"
    fathers_elder_brother = "81"
    fathers_elder_brothers_wife = "82"
    fathers_younger_brother = "83"
    fathers_younger_brothers_wife = "84"
    mothers_brother = "85"
    mothers_brothers_wife = "86"
    mothers_sisters_husband = "87"
    mothers_sister = "88"
    fathers_sisters_husband = "89"
    fathers_sister = "90"
    fathers_side_cousin = "91"
    mothers_side_cousin = "92"
    brothers_son = "93"
    brothers_daughter = "94"
    sisters_son = "95"
    sisters_daughter = "96"
    other = "97"
    unrelated = "99"


class Residency(StrEnum):
    """How a person lives here."""

    registered = "registered"
    living = "living"
    floating = "floating"
    away = "away"


class Care(StrEnum):
    """Why somebody should look in on a person. A need for care, not a medical record."""

    alone = "alone"
    left_behind = "left_behind"
    empty_nest = "empty_nest"
    bereaved = "bereaved"
    frail = "frail"
    medication = "medication"
    discharged = "discharged"
    veteran = "veteran"
    minor_alone = "minor_alone"
    needs_care = "needs_care"


_SPOKEN = {Relation.son: _("儿子"), Relation.daughter: _("女儿"), Relation.grandparent: _("祖父母")}
"""What people say where the standard's own word is not spoken."""

RELATION_WORDS = {relation: name_of(ListName.relation, relation) for relation in Relation} | _SPOKEN
RESIDENCY_WORDS = {
    Residency.registered: _("户籍"),
    Residency.living: _("常住"),
    Residency.floating: _("流动"),
    Residency.away: _("外出"),
}
CARE_WORDS = {
    Care.alone: _("独居"),
    Care.left_behind: _("留守"),
    Care.empty_nest: _("空巢"),
    Care.bereaved: _("失独"),
    Care.frail: _("腿脚不便"),
    Care.medication: _("常服药"),
    Care.discharged: _("刚出院"),
    Care.veteran: _("退役军人"),
    Care.minor_alone: _("无人照看"),
    Care.needs_care: _("需要照顾"),
}

IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([0-9]{15}|[0-9]{17}[0-9Xx])$")]

CodeText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,5}$")]
"""A code of one of the lists; that the list has it is for the service to say, which knows the day."""

Reason = Annotated[ShortText, StringConstraints(min_length=4)]


FORMULA_MARKS = "=+-@"
"""What a formula of a spreadsheet begins with, and no name."""

NOT_A_NAME = _("不像姓名：开头是等号、加号、减号或 @，或者一个字也没有。")


def is_name(text: str) -> bool:
    """Say whether this can be what somebody is called: 何长顺, 阿依古丽·买买提, O'Brien-Smith."""
    plain = unicodedata.normalize("NFKC", text)
    return plain[:1] not in FORMULA_MARKS and any(map(str.isalpha, plain))


class HouseholdIn(WireIn):
    """A household and the door it lives behind."""

    model_config = example(
        {
            "cell_code": "610330100008003",
            "compound": "杨家坪小区",
            "building": "3号楼",
            "unit": "2单元",
            "room": "302",
            "position": {"lon": 106.5214, "lat": 33.9112, "crs": "wgs84"},
        }
    )

    cell_code: CellCode = Field(description="所在网格编码")
    compound: ShortText = Field(default="", description="小区或院名")
    building: ShortText = Field(default="", description="楼号，如 3号楼")
    unit: ShortText = Field(default="", description="单元，如 2单元")
    room: ShortText = Field(default="", description="门牌，如 302")
    position: Position | None = Field(default=None, description="门的位置")


class HouseholdOut(WireOut):
    """A household: its door, who is there, and when it was last seen."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所在网格编码")
    compound: str = Field(description="小区或院名")
    building: str = Field(description="楼号")
    unit: str = Field(description="单元")
    room: str = Field(description="门牌")
    lon: Lon | None = Field(description="经度（WGS-84）")
    lat: Lat | None = Field(description="纬度（WGS-84）")
    head_name: str = Field(description="户主姓名")
    size: int = Field(description="人口数")
    care: list[Care] = Field(description="关爱标签（家中任一人）")
    last_visited_on: Day | None = Field(description="上次走访日期")
    last_seen_on: Day | None = Field(description="上次见到本人或家人的日期；“家中无人”不改变它")
    tries_since_seen: int = Field(description="之后去过几次没见到")
    due_on: Day | None = Field(description="该去的日期")
    due_reason: str = Field(description="为什么去，一句话")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class FoldedHomes(WireOut):
    """What the feed tells staff about a household beside its row: those folded into it, whose past is its own too.

    One of them that has a row of its own again stands for itself.
    """

    id: UUID = Field(description="户编号")
    folded: list[UUID] = Field(default_factory=list, description="并进这一户的各户")


class MergedRow(WireOut):
    """A row of the register that was merged into another one of the same person."""

    id: UUID = Field(description="并进来的那一条的编号")
    household_id: UUID = Field(description="那一条登记在哪一户，联系人等仍记在那里")


class MergedRows(WireOut):
    """What the feed tells staff about a person beside the row: those merged into it, whose past is theirs too."""

    id: UUID = Field(description="居民编号")
    merged: list[MergedRow] = Field(default_factory=list, description="并进这一条的各条")


class ResidentIn(WireIn):
    """A person to be put on the register."""

    model_config = example(
        {
            "household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
            "name": "何长顺",
            "sex": "1",
            "birth_date": "1954-03-08",
            "phone": "12600002706",
            "relation": "02",
            "residency": "living",
            "care": ["medication"],
            "note": "听力不太好",
        }
    )

    household_id: UUID = Field(description="户编号")
    name: Name = Field(description="姓名")
    sex: Sex = Field(default=Sex.unknown, description="性别（GB/T 2261.1）")
    birth_date: Day | None = Field(default=None, description="出生日期")
    phone: Phone | None = Field(default=None, description="电话")
    relation: Relation = Field(default=Relation.other, description="与户主关系（GB/T 4761）")
    residency: Residency = Field(default=Residency.living, description="人员状态")
    care: list[Care] = Field(default_factory=list, max_length=12, description="关爱标签")
    ethnicity: CodeText | None = Field(default=None, description="民族（GB/T 3304）")
    marital: CodeText | None = Field(default=None, description="婚姻状况（GB/T 2261.2）")
    education: CodeText | None = Field(default=None, description="学历（GB/T 4658）")
    employment: CodeText | None = Field(default=None, description="从业状况（GB/T 2261.4）")
    occupation: CodeText | None = Field(default=None, description="职业大类（GB/T 6565）")
    political: CodeText | None = Field(default=None, description="政治面貌（GB/T 4762），敏感，用得着时才问")
    registered_place: ShortText | None = Field(default=None, description="户籍地：区划代码，或照说的写")
    id_number: IdNumber | None = Field(
        default=None, description="公民身份号码（GB 11643），加密存放；15 位旧号码换算成 18 位"
    )
    note: Note = Field(default="", description="备注")


class ResidentPatch(WireIn):
    """Fields of a person to change; a field left out stays as it is."""

    model_config = example({"phone": "12600002706", "care": ["medication", "discharged"]})

    name: Name | None = Field(default=None, description="姓名")
    sex: Sex | None = Field(default=None, description="性别")
    birth_date: Day | None = Field(default=None, description="出生日期")
    phone: Phone | None = Field(default=None, description="电话")
    relation: Relation | None = Field(default=None, description="与户主关系")
    residency: Residency | None = Field(default=None, description="人员状态")
    care: list[Care] | None = Field(default=None, max_length=12, description="关爱标签")
    ethnicity: CodeText | None = Field(default=None, description="民族（GB/T 3304）")
    marital: CodeText | None = Field(default=None, description="婚姻状况（GB/T 2261.2）")
    education: CodeText | None = Field(default=None, description="学历（GB/T 4658）")
    employment: CodeText | None = Field(default=None, description="从业状况（GB/T 2261.4）")
    occupation: CodeText | None = Field(default=None, description="职业大类（GB/T 6565）")
    political: CodeText | None = Field(default=None, description="政治面貌（GB/T 4762），敏感，用得着时才问")
    registered_place: ShortText | None = Field(default=None, description="户籍地：区划代码，或照说的写")
    note: Note | None = Field(default=None, description="备注")


class ResidentOut(WireOut):
    """A person on the register. The identity number never leaves this way."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所在网格编码")
    household_id: UUID = Field(description="户编号")
    name: str = Field(description="姓名")
    sex: Sex = Field(description="性别（GB/T 2261.1）")
    birth_date: Day | None = Field(description="出生日期")
    phone: str | None = Field(description="电话")
    relation: Relation = Field(description="与户主关系")
    residency: Residency = Field(description="人员状态")
    care: list[Care] = Field(description="关爱标签")
    ethnicity: str | None = Field(default=None, description="民族（GB/T 3304）")
    marital: str | None = Field(default=None, description="婚姻状况（GB/T 2261.2）")
    education: str | None = Field(default=None, description="学历（GB/T 4658）")
    employment: str | None = Field(default=None, description="从业状况（GB/T 2261.4）")
    occupation: str | None = Field(default=None, description="职业大类（GB/T 6565）")
    political: str | None = Field(default=None, description="政治面貌（GB/T 4762），只有工作人员看得到")
    registered_place: str | None = Field(default=None, description="户籍地：区划代码，或照说的写")
    note: str = Field(description="备注")
    id_on_file: bool = Field(description="身份号码已登记、已核对")
    left_on: Day | None = Field(default=None, description="去世或迁出的日期；空表示在册")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class IdRevealIn(WireIn):
    """Why somebody must see an identity number; the reason is kept."""

    model_config = example({"reason": "办理高龄补贴，核对证件"})

    reason: Reason = Field(description="查看理由，会留下记录")


class IdPutIn(WireIn):
    """An identity number to be put on file, or in the place of a wrong one; the reason is kept."""

    model_config = example({"id_number": "610388195403082713", "reason": "本人拿证件来更正"})

    id_number: IdNumber = Field(description="证件上的号码（GB 11643），加密存放")
    reason: Reason = Field(description="理由，会留下记录")


class IdRevealOut(WireOut):
    """A revealed identity number, to be shown for at most fifteen minutes."""

    id_number: str = Field(description="公民身份号码")
    hide_at: Utc = Field(description="界面最晚隐藏时间")


class IdLook(StrEnum):
    """How somebody came near an identity number."""

    revealed = "revealed"
    checked = "checked"


class IdLookOut(WireOut):
    """Who looked at an identity number or a sealed fact, when and why: what a resident who asks is told."""

    id: UUID = Field(description="记录编号")
    at: Utc = Field(description="时间")
    account_name: str = Field(description="谁")
    look: IdLook = Field(description="查看，或与证件核对")
    what: str = Field(default="id_number", description="看了哪一项：身份号码，或一项加密信息")
    reason: str = Field(description="理由；核对时为空")


class IdCheckIn(WireIn):
    """A number read from a card, to be compared with the one on file."""

    model_config = example({"id_number": "610388195403082713"})

    id_number: IdNumber = Field(description="证件上的号码")


class IdCheckOut(WireOut):
    """Whether it is the number on file."""

    matches: bool = Field(description="与登记的号码一致")
