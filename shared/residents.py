"""Residents, households and doors on the wire."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

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
    """Relation to the head of the household, GB/T 4761 two-digit codes."""

    head = "02"
    spouse = "10"
    son = "20"
    daughter = "30"
    grandchild = "40"
    parent = "50"
    grandparent = "60"
    sibling = "70"
    other = "97"


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


RELATION_WORDS = {
    Relation.head: "户主",
    Relation.spouse: "配偶",
    Relation.son: "儿子",
    Relation.daughter: "女儿",
    Relation.grandchild: "孙辈",
    Relation.parent: "父母",
    Relation.grandparent: "祖父母",
    Relation.sibling: "兄弟姐妹",
    Relation.other: "其他",
}
RESIDENCY_WORDS = {
    Residency.registered: "户籍",
    Residency.living: "常住",
    Residency.floating: "流动",
    Residency.away: "外出",
}
CARE_WORDS = {
    Care.alone: "独居",
    Care.left_behind: "留守",
    Care.empty_nest: "空巢",
    Care.bereaved: "失独",
    Care.frail: "腿脚不便",
    Care.medication: "常服药",
    Care.discharged: "刚出院",
    Care.veteran: "退役军人",
    Care.minor_alone: "无人照看",
}

IdNumber = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{17}[0-9Xx]$")]

Reason = Annotated[ShortText, StringConstraints(min_length=4)]


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
    id_number: IdNumber | None = Field(default=None, description="公民身份号码（GB 11643），加密存放")
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
    note: str = Field(description="备注")
    id_on_file: bool = Field(description="身份号码已登记、已核对")
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
    """Who looked at an identity number, when and why: what a resident who asks is told."""

    id: UUID = Field(description="记录编号")
    at: Utc = Field(description="时间")
    account_name: str = Field(description="谁")
    look: IdLook = Field(description="查看号码，或与证件核对")
    reason: str = Field(description="理由；核对时为空")


class IdCheckIn(WireIn):
    """A number read from a card, to be compared with the one on file."""

    model_config = example({"id_number": "610388195403082713"})

    id_number: IdNumber = Field(description="证件上的号码")


class IdCheckOut(WireOut):
    """Whether it is the number on file."""

    matches: bool = Field(description="与登记的号码一致")
