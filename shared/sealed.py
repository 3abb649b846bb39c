"""Sealed facts of a person, health, disability and poverty, and findings on the register."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.residents import CodeText, Reason
from shared.texts import _
from shared.types import AreaCode, Day, Utc, WireIn, WireOut, example


class SealedKind(StrEnum):
    """What is sealed about a person. A fact is always written by a person, never taken over from another row."""

    health = "health"
    disability = "disability"
    poverty = "poverty"


SEALED_WORDS = {
    SealedKind.health: _("健康状况"),
    SealedKind.disability: _("残疾"),
    SealedKind.poverty: _("困难类别"),
}

POVERTY_WORDS = {
    "1": _("特困供养"),
    "2": _("最低生活保障"),
    "3": _("最低生活保障边缘"),
    "4": _("刚性支出困难"),
    "5": _("防止返贫监测对象"),
    "6": _("脱贫户"),
}
"""Kinds of hardship as counties count them. A list of this project and no standard."""


class SealedIn(WireIn):
    """A sealed fact from a day on. It ends the one before it; the same day again puts a mistake right."""

    model_config = example(
        {"code": "64", "grade": 2, "from_day": "2026-03-01", "reason": "残疾人证年审，本人在场", "needs_care": True}
    )

    code: CodeText = Field(description="代码：健康（GB/T 2261.3）、残疾类别（61 到 69）、困难类别（1 到 6）")
    grade: Annotated[int, Field(ge=1, le=4)] | None = Field(default=None, description="残疾等级，一到四级")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(default=None, description="到哪天止（不含）；空表示还在")
    reason: Reason = Field(description="依据，会留下记录；不要写内容本身")
    needs_care: bool = Field(default=False, description="同时贴上“需要照顾”标签；网格员只看到标签，看不到原因")


class SealedFactOut(WireOut):
    """A sealed fact, opened."""

    code: str = Field(description="代码")
    name: str = Field(description="名称")
    grade: int | None = Field(description="残疾等级")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示还在")
    noted_by: str = Field(description="谁登记的")
    noted_at: Utc = Field(description="登记时间")


class SealedOut(WireOut):
    """The facts of one kind, newest first, to be shown for at most fifteen minutes."""

    kind: SealedKind = Field(description="种类")
    facts: list[SealedFactOut] = Field(description="各时间段的内容")
    hide_at: Utc = Field(description="界面最晚隐藏时间")


class SealedSpan(WireOut):
    """When a fact holds, without what it says."""

    kind: SealedKind = Field(description="种类")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示还在")


class SealedOnFile(WireOut):
    """That something is on file, since when and by whom; never what."""

    kind: SealedKind = Field(description="种类")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示还在")
    noted_by: str = Field(description="谁登记的")
    noted_at: Utc = Field(description="登记时间")


class FindingKind(StrEnum):
    """What does not fit together on the register."""

    sex_differs = "sex_differs"
    birth_differs = "birth_differs"
    old_number = "old_number"


FINDING_WORDS = {
    FindingKind.sex_differs: _("登记的性别与身份号码里的不一致。"),
    FindingKind.birth_differs: _("登记的出生日期与身份号码里的不一致。"),
    FindingKind.old_number: _("登记时给的是 15 位旧号码，已换算成 18 位，请对着新证件核对。"),
}


class FindingState(StrEnum):
    """Whether somebody has looked into a finding."""

    open = "open"
    settled = "settled"


class FindingOut(WireOut):
    """Something on the register that does not fit together. No refusal: a person settles it."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="所在网格编码")
    resident_id: UUID = Field(description="居民编号")
    resident_name: str = Field(description="姓名")
    kind: FindingKind = Field(description="种类")
    detail: str = Field(description="说明，不含号码")
    state: FindingState = Field(description="是否已处理")
    noted_by: str = Field(description="谁登记时发现的")
    received_at: Utc = Field(description="发现时间")
    settled_by: str | None = Field(description="谁处理的")
    settled_at: Utc | None = Field(description="处理时间")
    reason: str = Field(description="怎么处理的")


class SettleIn(WireIn):
    """How a finding was settled."""

    model_config = example({"reason": "对着身份证核过，出生日期已更正"})

    reason: Reason = Field(description="怎么处理的，会留下记录")
