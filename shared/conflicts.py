"""What a person decides: operations that could not be applied as they came, on the wire."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import Field

from shared.register import EventKind
from shared.sync import OperationKind
from shared.texts import _
from shared.types import AreaCode, Note, Utc, WireIn, WireOut, example


class ConflictState(StrEnum):
    """Whether somebody has decided."""

    open = "open"
    settled = "settled"


class ConflictChoice(StrEnum):
    """What somebody may decide."""

    mine = "mine"
    theirs = "theirs"
    both = "both"
    unsure = "unsure"


CHOICE_WORDS = {
    ConflictChoice.mine: _("用晚到的"),
    ConflictChoice.theirs: _("留现在的"),
    ConflictChoice.both: _("两边都留"),
    ConflictChoice.unsure: _("我定不了"),
}


def for_coordinators(kind: str | None, fields: Mapping[str, Any]) -> bool:
    """Whether only the community or the county may decide: an identity number, or that somebody has died.

    Poverty class and disability grade cannot be written without network at all.
    """
    if kind == OperationKind.register_event:
        return fields.get("kind") == EventKind.death or bool((fields.get("new_resident") or {}).get("id_number"))
    return bool(fields.get("id_number"))


class ConflictSide(WireOut):
    """Who wrote one of the two values, and when."""

    name: str = Field(description="谁")
    at: Utc | None = Field(description="什么时候（手机上的时间，或服务器收到的时间）；不知道则为空")


class ConflictField(WireOut):
    """One field with its values. Identity numbers are never among them."""

    field: str = Field(description="哪一项")
    base: Any = Field(default=None, description="改之前手机上的值")
    mine: Any = Field(default=None, description="晚到的值")
    theirs: Any = Field(default=None, description="现在登记的值")
    overtaken: bool = Field(description="两边都改了这一项")


def mark_of(device_id: UUID) -> UUID:
    """By which a phone knows what it has sent itself. Its id is told to nobody else: with it somebody could sign in on
    that phone in name, and hand in what its users never wrote."""
    return uuid5(device_id, "conflict")


class ConflictOut(WireOut):
    """An operation that waits for a person, or has been decided. Values go 90 days after the decision."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="归哪里核对")
    kind: str = Field(description="操作种类，如 resident.edit；读不出时为空")
    entity_id: UUID | None = Field(description="对象编号")
    op_id: UUID = Field(description="原来那条操作的编号")
    device_id: UUID = Field(description="哪部手机送来的：由手机编号算出的记号，只有这部手机自己认得")
    code: str = Field(description="为什么没有直接办的代码")
    sentence: str = Field(description="为什么没有直接办，一句话")
    subject: str = Field(description="谁或哪一户")
    fields: list[ConflictField] = Field(description="逐项的值")
    mine: ConflictSide = Field(description="晚到的是谁写的")
    theirs: ConflictSide | None = Field(description="现在的值是谁写的")
    rescued: bool = Field(description="来自停用的手机或授权已结束的人")
    choices: list[ConflictChoice] = Field(description="可以怎么定")
    state: ConflictState = Field(description="定了没有")
    choice: ConflictChoice | None = Field(description="怎么定的")
    note: str = Field(description="说明")
    settled_by: str = Field(description="谁定的")
    settled_at: Utc | None = Field(description="什么时候定的")
    rev: int = Field(description="修订号")
    received_at: Utc = Field(description="服务器收到时间")


class ConflictSettleIn(WireIn):
    """What is to stand."""

    model_config = example({"choice": "theirs", "note": "打电话问过本人"})

    choice: ConflictChoice = Field(description="用晚到的、留现在的、两边都留，或我定不了")
    note: Note = Field(default="", description="说明")
