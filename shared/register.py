"""The register as dated history: periods, the six events that change them, and moves between cells."""

from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from shared.residents import Reason, Relation, Residency, ResidentIn, Sex
from shared.texts import _
from shared.types import (
    AreaCode,
    CellCode,
    CountyCode,
    Day,
    Name,
    Note,
    Phone,
    ShortText,
    Utc,
    WireIn,
    WireOut,
    example,
)


class EventKind(StrEnum):
    """The six dynamic events of the population register."""

    birth = "birth"
    death = "death"
    settle = "settle"
    float = "float"
    move_in = "move_in"
    move_out = "move_out"


EVENT_WORDS = {
    EventKind.birth: _("出生"),
    EventKind.death: _("死亡"),
    EventKind.settle: _("转为常住"),
    EventKind.float: _("转为流动"),
    EventKind.move_in: _("迁入"),
    EventKind.move_out: _("迁出"),
}


class Track(StrEnum):
    """What a period says something about. Care labels have a track each: `care:alone`."""

    residency = "residency"
    household = "household"
    relation = "relation"
    care = "care"


class MoveTo(WireIn):
    """Where somebody goes: a cell of this county, another county, or words when nobody knows more."""

    cell_code: CellCode | None = Field(default=None, description="去的网格（本县）")
    county_code: CountyCode | None = Field(default=None, description="去的县（外县）")
    leaves_county: bool = Field(default=False, description="离开本县，不知道去哪个县也算")
    words: ShortText = Field(default="", description="去哪里，说得出多少写多少")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.cell_code and (self.leaves_county or not self.cell_code.startswith(self.county_code or "")):
            raise ValueError("who leaves the county goes to none of its cells")
        return self


class BackIn(WireIn):
    """Where somebody lives who had moved away and is on file from then."""

    household_id: UUID = Field(description="回到哪一户")
    residency: Residency = Field(default=Residency.living, description="回来以后的人员状态")


class EventIn(WireIn):
    """One of the six events, as a worker writes it down.

    A birth and a move in bring the person with them; whoever had moved away and comes back is named, with `back`.
    """

    model_config = example(
        {
            "kind": "move_out",
            "on": "2026-11-20",
            "resident_ids": ["0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"],
            "to": {"cell_code": "610330100001002"},
            "note": "搬去女儿家",
        }
    )

    kind: EventKind = Field(description="变动种类")
    on: Day = Field(description="发生日期")
    resident_ids: list[UUID] = Field(default_factory=list, max_length=30, description="谁（迁出可以是一家人）")
    new_resident_id: UUID | None = Field(default=None, description="新登记的人的编号，由手机生成")
    new_resident: ResidentIn | None = Field(default=None, description="出生或迁入时新登记的人")
    back: BackIn | None = Field(
        default=None, description="迁出过的人迁回来，住进哪一户（写在册的编号，不写新登记的人）"
    )
    to: MoveTo | None = Field(default=None, description="迁出去哪里")
    note: Note = Field(default="", description="说明")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.back and self.kind is not EventKind.move_in:
            raise ValueError("only a move in brings somebody back")
        new = self.kind is EventKind.birth or (self.kind is EventKind.move_in and self.back is None)
        if new != (self.new_resident is not None) or new != (self.new_resident_id is not None):
            raise ValueError("a birth or a move in brings a new resident, and nothing else does")
        if not new and not self.resident_ids:
            raise ValueError("whom it is about is missing")
        if (self.kind is EventKind.move_out) != (self.to is not None):
            raise ValueError("a move out says where to, and nothing else does")
        return self


class EventOut(WireOut):
    """An event as stored. Events are never changed; a wrong one is withdrawn and written anew."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="发生时的网格编码")
    kind: EventKind = Field(description="变动种类")
    on: Day = Field(description="发生日期")
    resident_ids: list[UUID] = Field(description="谁")
    names: list[str] = Field(description="姓名")
    note: str = Field(description="说明")
    noted_by: str = Field(description="登记人")
    received_at: Utc = Field(description="服务器收到时间")
    withdrawn: bool = Field(default=False, description="是否已撤回")
    withdrawn_reason: str = Field(default="", description="为什么撤回")


class WithdrawIn(WireIn):
    """Why an event was a mistake."""

    model_config = example({"reason": "记错了人，是隔壁那一户"})

    reason: Reason = Field(description="撤回理由，会留下记录")


class PeriodCorrectIn(WireIn):
    """What really held in an interval of the past, and perhaps still does. It may not end in the future."""

    model_config = example(
        {
            "track": "residency",
            "value": "away",
            "from_day": "2026-03-01",
            "until_day": "2026-06-01",
            "reason": "春天在外打工，当时没有登记",
        }
    )

    track: Annotated[str, StringConstraints(pattern=r"^(residency|household|relation|care:[a-z_]{1,30})$")] = Field(
        description="哪一项：residency、household、relation、care:标签"
    )
    value: Annotated[str, StringConstraints(pattern=r"^[0-9a-z_-]{1,40}$")] | None = Field(
        default=None, description="值，关爱标签写 yes；空表示这段时间没有"
    )
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(default=None, description="到哪天止（不含）；空表示到现在")
    reason: Reason = Field(description="更正理由，会留下记录")


class PeriodOut(WireOut):
    """What held from one day until another."""

    track: str = Field(description="哪一项：residency、household、relation、care:独居代码")
    value: str = Field(description="值")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示现在仍是")
    area_code: AreaCode = Field(description="当时的网格编码")
    noted_by: str = Field(description="谁登记的")
    noted_at: Utc = Field(description="登记时间")


class PersonPast(WireOut):
    """What the feed tells staff about a person beside the row of today."""

    id: UUID = Field(description="居民编号")
    periods: list[PeriodOut] = Field(default_factory=list, description="先后各段")


class MoveState(StrEnum):
    """How far a move between two cells has come."""

    expected = "expected"
    arrived = "arrived"
    not_arrived = "not_arrived"
    left_county = "left_county"


MOVE_WORDS = {
    MoveState.expected: _("等对方核实"),
    MoveState.arrived: _("已到"),
    MoveState.not_arrived: _("没有来"),
    MoveState.left_county: _("去了外县"),
}


class Mover(WireOut):
    """A person on the move, as the receiving worker must know them to find them."""

    resident_id: UUID = Field(description="居民编号")
    name: str = Field(description="姓名")
    phone: str | None = Field(description="电话")


class MoveOut(WireOut):
    """An expected arrival in a cell, which its worker confirms at the door."""

    id: UUID = Field(description="编号（迁出事件的编号）")
    area_code: AreaCode = Field(description="要去的网格编码；去外县时为本县编码")
    from_area_code: AreaCode = Field(description="从哪个网格来")
    movers: list[Mover] = Field(description="谁")
    out_on: Day = Field(description="迁出日期")
    words: str = Field(description="去哪里，原话")
    state: MoveState = Field(description="进展")
    overdue: bool = Field(description="超过期限还没有核实")
    settled_on: Day | None = Field(description="核实日期")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class MoveForwardIn(WireIn):
    """Another cell that is to expect the people."""

    model_config = example({"cell_code": "610330100008003"})

    cell_code: CellCode = Field(description="改由哪个网格核实（本县）")


class MoveSettleIn(WireIn):
    """What the receiving worker found at the door."""

    model_config = example(
        {"arrived": True, "on": "2026-11-22", "household_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"}
    )

    arrived: bool = Field(description="到了没有")
    on: Day = Field(description="核实日期")
    household_id: UUID | None = Field(default=None, description="住进哪一户（到了必填）")
    residency: Residency = Field(default=Residency.living, description="到了以后的人员状态")
    note: Note = Field(default="", description="说明")


class CountsOut(WireOut):
    """How many people there were on a day, in an area."""

    as_at: Day = Field(description="哪一天")
    area_code: AreaCode = Field(description="区域编码")
    people: int = Field(description="在册人数")
    households: int = Field(description="户数")
    by_residency: dict[Residency, int] = Field(description="按人员状态")
    by_care: dict[str, int] = Field(description="按关爱标签")


HistoryItems = Annotated[list[PeriodOut], Field(description="先后各段")]


class HistoryOut(WireOut):
    """A person's periods and events."""

    periods: HistoryItems
    events: list[EventOut] = Field(description="变动，先后")


class HandoverPerson(WireOut):
    """A person as another county needs them to find them. Neither the identity number nor care labels leave."""

    resident_id: UUID = Field(description="居民编号")
    name: Name = Field(description="姓名")
    phone: Phone | None = Field(description="电话")
    sex: Sex = Field(description="性别")
    birth_date: Day | None = Field(description="出生日期")
    relation: Relation = Field(description="与户主关系")


class HandoverContent(WireOut):
    """What a hand-over document says."""

    move_id: UUID = Field(description="迁出编号")
    from_county: CountyCode = Field(description="从哪个县")
    from_area_code: AreaCode = Field(description="从哪个网格")
    to_county: CountyCode = Field(description="去哪个县")
    out_on: Day = Field(description="迁出日期")
    words: ShortText = Field(description="去哪里，原话")
    people: Annotated[list[HandoverPerson], Field(min_length=1, max_length=30, description="谁")]


class HandoverOut(WireOut):
    """A hand-over document: its text exactly as signed, and the Ed25519 signature of those bytes in base64."""

    payload: str = Field(description="移交单内容（JSON 文本），一个字都不能改")
    signature: str = Field(description="Ed25519 签名（base64）")


_TEXT = r"^[^\x00]*$"


class HandoverIn(WireIn):
    """A document of another county, and the cell that is to expect the people."""

    model_config = example({"payload": "{…}", "signature": "bWFkZSB1cA==", "cell_code": "610330100008003"})

    payload: Annotated[str, StringConstraints(max_length=20_000, pattern=_TEXT)] = Field(description="移交单内容，原样")
    signature: Annotated[str, StringConstraints(max_length=200, pattern=_TEXT)] = Field(description="签名（base64）")
    cell_code: CellCode | None = Field(default=None, description="交给哪个网格核实；空表示先放在县里")


class HandoverKeyOut(WireOut):
    """The public key that checks this county's documents."""

    county_code: CountyCode = Field(description="县")
    public_key: str = Field(description="Ed25519 公钥（base64）")


class TrustedCountyIn(WireIn):
    """The public key of another county, read out over the telephone or taken from its own page."""

    model_config = example({"public_key": "3q2+7w3q2+7w3q2+7w3q2+7w3q2+7w3q2+7w3q2+7w0="})

    public_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")] = Field(description="公钥（base64）")


class TrustedCountyOut(HandoverKeyOut):
    """A county whose documents are taken in."""

    entered_by: str = Field(description="谁录入的")
    entered_at: Utc = Field(description="什么时候录入的")
