"""Doors and who lives behind them, who stands by whom, and two rows that may be one person."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.residents import IdNumber, Reason, Relation
from shared.texts import _
from shared.types import (
    AreaCode,
    CellCode,
    CommunityCode,
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


class Usage(StrEnum):
    """What a dwelling is used for. Nobody behind a door does not say that it is empty: somebody has to look."""

    unknown = "unknown"
    own_use = "own_use"
    rented = "rented"
    empty = "empty"
    commercial = "commercial"


class Tenure(StrEnum):
    """By what right a household lives behind a door."""

    unknown = "unknown"
    owner = "owner"
    tenant = "tenant"
    other = "other"


USAGE_WORDS = {
    Usage.unknown: _("不清楚"),
    Usage.own_use: _("自住"),
    Usage.rented: _("出租"),
    Usage.empty: _("空置"),
    Usage.commercial: _("商用"),
}
TENURE_WORDS = {
    Tenure.unknown: _("不清楚"),
    Tenure.owner: _("业主"),
    Tenure.tenant: _("租户"),
    Tenure.other: _("其他"),
}


class CompoundOut(WireOut):
    """A compound as far as the reader's area goes."""

    name: str = Field(description="小区或院名；空为没有院名的散户")
    community_code: CommunityCode = Field(description="所在社区编码")
    cell_codes: list[CellCode] = Field(description="跨哪些网格")
    buildings: int = Field(description="楼数")
    doors: int = Field(description="门数")
    empty_doors: int = Field(description="其中空置")
    households: int = Field(description="户数")
    people: int = Field(description="人数")


class BuildingOut(WireOut):
    """A building of a compound."""

    building: str = Field(description="楼号")
    units: list[str] = Field(description="单元")
    doors: int = Field(description="门数")
    empty_doors: int = Field(description="其中空置")
    households: int = Field(description="户数")
    people: int = Field(description="人数")


class DwellingIn(WireIn):
    """A door, with or without anybody behind it."""

    model_config = example(
        {
            "cell_code": "610330100008003",
            "compound": "杨家坪小区",
            "building": "3号楼",
            "unit": "2单元",
            "room": "401",
            "usage": "empty",
        }
    )

    cell_code: CellCode = Field(description="所在网格编码")
    compound: ShortText = Field(default="", description="小区或院名")
    building: ShortText = Field(default="", description="楼号")
    unit: ShortText = Field(default="", description="单元")
    room: ShortText = Field(default="", description="门牌")
    position: Position | None = Field(default=None, description="门的位置")
    usage: Usage = Field(default=Usage.unknown, description="用途")


class OccupantOut(WireOut):
    """A household that lives behind a door now."""

    household_id: UUID = Field(description="户编号")
    head_name: str = Field(description="户主姓名")
    size: int = Field(description="人口数")
    tenure: Tenure = Field(description="业主还是租户")
    from_day: Day | None = Field(description="从哪天起住；登记时没有说的为空")


class DwellingOut(WireOut):
    """A door and the households behind it now: none, one or several."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所在网格编码")
    compound: str = Field(description="小区或院名")
    building: str = Field(description="楼号")
    unit: str = Field(description="单元")
    room: str = Field(description="门牌")
    lon: Lon | None = Field(description="经度（WGS-84）")
    lat: Lat | None = Field(description="纬度（WGS-84）")
    usage: Usage = Field(description="用途")
    occupants: list[OccupantOut] = Field(description="现在住着哪几户")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class DoorMoveIn(WireIn):
    """A household goes to another door of its cell, or holds its door by another right from a day on."""

    model_config = example(
        {"dwelling_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01", "tenure": "tenant", "on": "2026-11-20"}
    )

    dwelling_id: UUID = Field(description="住进哪个门（同一网格）")
    tenure: Tenure = Field(description="业主还是租户")
    on: Day = Field(description="从哪天起")


class OccupancyOut(WireOut):
    """A time that a household lived behind a door."""

    id: UUID = Field(description="编号")
    household_id: UUID = Field(description="户编号")
    dwelling_id: UUID = Field(description="门编号")
    door: str = Field(description="门牌，连起来写")
    tenure: Tenure = Field(description="业主还是租户")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示现在仍是")


class HeadIn(WireIn):
    """Who is head from now on, and what everybody else is to them: asked for, never guessed."""

    model_config = example(
        {
            "head_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
            "relations": {"0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02": "10"},
            "on": "2026-11-20",
        }
    )

    head_id: UUID = Field(description="新户主")
    relations: dict[UUID, Relation] = Field(max_length=60, description="其他每一位与新户主的关系，一个都不能少")
    on: Day = Field(description="从哪天起")


class LinkKind(StrEnum):
    """How somebody stands by a person."""

    contact = "contact"
    guardian = "guardian"
    helper = "helper"


class HelperKind(StrEnum):
    """Whom a helper comes from."""

    worker = "worker"
    volunteer = "volunteer"
    member = "member"
    neighbour = "neighbour"


LINK_WORDS = {LinkKind.contact: _("联系人"), LinkKind.guardian: _("监护人"), LinkKind.helper: _("帮扶人")}
HELPER_WORDS = {
    HelperKind.worker: _("工作人员"),
    HelperKind.volunteer: _("志愿者"),
    HelperKind.member: _("单位成员"),
    HelperKind.neighbour: _("邻居"),
}


class StandIn(WireIn):
    """Who comes while the helper is away."""

    name: Name = Field(description="姓名")
    phone: Phone | None = Field(default=None, description="电话")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day = Field(description="到哪天止（不含）")


class ContactIn(WireIn):
    """Whom to call about a household; they need not be on the register."""

    model_config = example({"name": "何小梅", "phone": "12600002706", "relation": "女儿", "order": 1})

    name: Name = Field(description="姓名")
    phone: Phone | None = Field(default=None, description="电话")
    relation: ShortText = Field(default="", description="是什么人，如 女儿、对门邻居")
    order: Annotated[int, Field(ge=1, le=9)] = Field(default=1, description="先打给谁：1 最先")
    person_id: UUID | None = Field(default=None, description="在册的话，此人的居民编号")
    from_day: Day | None = Field(default=None, description="从哪天起（含），默认今天")
    until_day: Day | None = Field(default=None, description="到哪天止（不含）；空表示没有说")
    note: Note = Field(default="", description="备注")

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.from_day and self.until_day and self.until_day <= self.from_day:
            raise ValueError("it ends before it begins")
        return self


class LinkIn(ContactIn):
    """A contact, a guardian or a helper of one person."""

    model_config = example(
        {
            "kind": "helper",
            "helper": "neighbour",
            "name": "李秀兰",
            "phone": "12600003801",
            "relation": "对门邻居",
            "stand_in": {
                "name": "王建国",
                "phone": "12600003802",
                "from_day": "2026-12-01",
                "until_day": "2026-12-08",
            },
        }
    )

    kind: LinkKind = Field(description="联系人、监护人或帮扶人")
    helper: HelperKind | None = Field(default=None, description="帮扶人是哪一方的（只有帮扶人要填）")
    stand_in: StandIn | None = Field(default=None, description="帮扶人不在时谁来（只有帮扶人可填）")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        helps = self.kind is LinkKind.helper
        if helps != (self.helper is not None):
            raise ValueError("a helper comes from somewhere, and nobody else does")
        if self.stand_in is not None and not helps:
            raise ValueError("only a helper has a stand-in")
        return self


class PersonLinkIn(LinkIn):
    """A link as a phone sends it, with whom it is about."""

    resident_id: UUID = Field(description="关于谁")


class LinkPatch(WireIn):
    """Fields of a link to change; one left out stays as it is. Another kind would be another link."""

    model_config = example({"phone": "12600009999", "order": 2})

    name: Name | None = Field(default=None, description="姓名")
    phone: Phone | None = Field(default=None, description="电话")
    relation: ShortText | None = Field(default=None, description="是什么人，如 女儿、对门邻居")
    order: Annotated[int, Field(ge=1, le=9)] | None = Field(default=None, description="先打给谁：1 最先")
    helper: HelperKind | None = Field(default=None, description="帮扶人是哪一方的（只有帮扶人要填）")
    person_id: UUID | None = Field(default=None, description="在册的话，此人的居民编号")
    note: Note | None = Field(default=None, description="备注")
    stand_in: StandIn | None = Field(
        default=None, description="帮扶人不在时谁来（只有帮扶人可填），整个换掉；写明为空表示不用代了"
    )


class LinkEndIn(WireIn):
    """The day on which a link ends."""

    on: Day = Field(description="到哪天止（不含）")


class LinkOut(WireOut):
    """Somebody who stands by a person, or by a whole household. Entity kind `link` of the feed."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所在网格编码")
    household_id: UUID = Field(description="户编号")
    resident_id: UUID | None = Field(description="居民编号；空表示整户的联系人")
    kind: LinkKind = Field(description="联系人、监护人或帮扶人")
    helper: HelperKind | None = Field(description="帮扶人是哪一方的")
    name: str = Field(description="姓名")
    phone: str | None = Field(description="电话")
    relation: str = Field(description="是什么人")
    order: int = Field(description="先打给谁：1 最先")
    person_id: UUID | None = Field(description="此人自己的居民编号")
    stand_in_name: str | None = Field(description="替的人")
    stand_in_phone: str | None = Field(description="替的人的电话")
    stand_in_from: Day | None = Field(description="从哪天起替（含）")
    stand_in_until: Day | None = Field(description="替到哪天（不含）")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）")
    note: str = Field(description="备注")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


STAND_IN = {
    "name": "stand_in_name", "phone": "stand_in_phone", "from_day": "stand_in_from", "until_day": "stand_in_until",
}  # fmt: skip
"""The fields of a stand-in, and what a link calls them."""


def stand_in_of(link: LinkOut) -> dict[str, Any] | None:
    """Return a link's stand-in in the shape in which it is written."""
    return {name: getattr(link, column) for name, column in STAND_IN.items()} if link.stand_in_name else None


def link_fields(link: LinkOut) -> dict[str, Any]:
    """Return a link as JSON, with its stand-in also as an edit names it."""
    row = link.model_dump(mode="json")
    held = {name: row[column] for name, column in STAND_IN.items()}
    return row | {"stand_in": held if link.stand_in_name else None}


def as_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of an edit under the names that the link has them by."""
    plain = {name: value for name, value in fields.items() if name != "stand_in"}
    if "stand_in" not in fields:
        return plain
    stand_in = fields["stand_in"] or {}
    return plain | {column: stand_in.get(name) for name, column in STAND_IN.items()}


class Reach(NamedTuple):
    """Whom to call."""

    name: str
    phone: str | None


def holds_on(link: LinkOut, day: date) -> bool:
    return link.from_day <= day and (link.until_day is None or day < link.until_day)


def whom_to_call(link: LinkOut, day: date) -> Reach:
    """Return who answers for a link on a day: the stand-in while the helper is away."""
    away = link.stand_in_from and link.stand_in_until and link.stand_in_from <= day < link.stand_in_until
    if away and link.stand_in_name:
        return Reach(link.stand_in_name, link.stand_in_phone)
    return Reach(link.name, link.phone)


class Likeness(StrEnum):
    """Why two rows may be one person."""

    name_birth_door = "name_birth_door"
    name_birth = "name_birth"
    phone = "phone"
    by_hand = "by_hand"


LIKENESS_WORDS = {
    Likeness.name_birth_door: _("姓名读音、出生日期和门牌相同"),
    Likeness.name_birth: _("姓名和出生日期相同"),
    Likeness.phone: _("电话相同"),
    Likeness.by_hand: _("人工提出"),
}


class DuplicateState(StrEnum):
    """What a person has decided about a pair."""

    open = "open"
    merged = "merged"
    distinct = "distinct"


class HomeFate(StrEnum):
    """What becomes of a row's household when the row is merged into the other one of its pair."""

    shared = "shared"
    folds = "folds"
    folded = "folded"
    stays = "stays"


HOME_FATE_WORDS = {
    HomeFate.shared: _("两条登记在同一户，户不变。"),
    HomeFate.folds: _(
        "合并掉这一条，这一户就没有人了，会并到保留的那一户；走访、联系人、门牌在那一户里看，撤回合并就恢复。"
    ),
    HomeFate.folded: _("这一户没有人了，已经并到保留的那一户；撤回合并就恢复。"),
    HomeFate.stays: _("这一户还有别人，合并以后照旧。"),
}


class Sketch(WireOut):
    """A person of a pair. Of somebody in another area a worker reads name and door, and the rest is empty."""

    id: UUID = Field(description="居民编号")
    area_code: AreaCode = Field(description="所在网格编码")
    name: str = Field(description="姓名")
    door: str = Field(description="门牌，连起来写")
    in_scope: bool = Field(description="归您管；不归您管的只看得到姓名和门牌")
    household_id: UUID | None = Field(description="户编号")
    birth_date: Day | None = Field(description="出生日期")
    phone: str | None = Field(description="电话（中间几位不显示）")
    id_on_file: bool | None = Field(description="身份号码已登记")
    received_at: Utc | None = Field(description="登记时间")
    left_on: Day | None = Field(default=None, description="已经去世或迁出的，从哪天起不在册")
    home_fate: HomeFate | None = Field(
        default=None, description="合并掉这一条时，它的户怎样：同一户、会并到保留的那一户、已经并过去、还有别人照旧"
    )


class DuplicateOut(WireOut):
    """Two rows that may be one person, and what was decided."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="两人都在其中的最小区域")
    first: Sketch = Field(description="一条登记")
    second: Sketch = Field(description="另一条登记")
    reasons: list[Likeness] = Field(description="像在哪里")
    score: int = Field(description="把握，0 到 100")
    state: DuplicateState = Field(description="待核对、已合并或不是同一人")
    kept_id: UUID | None = Field(description="合并后保留哪一条")
    reason: str = Field(description="决定的理由")
    settled_by: str | None = Field(description="谁决定的")
    settled_at: Utc | None = Field(description="什么时候决定的")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="发现时间")


class SettleIn(WireIn):
    """One person or two, and why."""

    model_config = example(
        {"same": True, "keep": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01", "reason": "上门核过，是同一位老人"}
    )

    same: bool = Field(description="是不是同一个人")
    keep: UUID | None = Field(default=None, description="同一个人时保留哪一条")
    reason: Reason = Field(description="理由")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.same != (self.keep is not None):
            raise ValueError("one of the two is kept when they are the same, and only then")
        return self


class ProposeIn(WireIn):
    """Two rows of which somebody thinks that they are one person."""

    model_config = example(
        {
            "one": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01",
            "other": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02",
        }
    )

    one: UUID = Field(description="一条登记的居民编号")
    other: UUID = Field(description="另一条登记的居民编号")


class UndoIn(WireIn):
    """Why a decision is taken back."""

    model_config = example({"reason": "后来发现是父子同名"})

    reason: Reason = Field(description="理由")


class HolderIn(WireIn):
    """A number that was refused because it is registered already."""

    model_config = example({"id_number": "610388195403082713"})

    id_number: IdNumber = Field(description="证件上的号码")


class HolderOut(WireOut):
    """Who holds a number; nobody is an answer too."""

    who: Sketch | None = Field(description="登记了这个号码的人；没有就是空")
