"""Who answers for a cell and its households, leaving a post, and what nobody answers for."""

from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from shared.texts import _
from shared.types import AreaCode, CellCode, Day, ShortText, Utc, WireIn, WireOut, example


class DutyRole(StrEnum):
    """The three named roles of a cell (有人管事、有人知情、有人服务)."""

    in_charge = "in_charge"
    informed = "informed"
    serving = "serving"


DUTY_WORDS = {DutyRole.in_charge: _("管事"), DutyRole.informed: _("知情"), DutyRole.serving: _("服务")}


class StandIn(WireIn):
    """Who stands in, and when."""

    account_id: UUID = Field(description="代班人的账号")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day = Field(description="到哪天止（不含）")


class DutyIn(WireIn):
    """Somebody's role in a cell. It gives no rights: whoever is named must hold a grant covering the cell by then."""

    model_config = example({
        "role": "in_charge", "account_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01", "from_day": "2026-12-01",
        "stand_in": {"account_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e02", "from_day": "2026-12-10",
                     "until_day": "2026-12-20"},
    })  # fmt: skip

    role: DutyRole = Field(description="管事、知情或服务")
    account_id: UUID = Field(description="谁的账号")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(default=None, description="到哪天止（不含）；空表示一直")
    stand_in: StandIn | None = Field(default=None, description="代班人")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.until_day and self.until_day < self.from_day:
            raise ValueError("it ends before it begins")
        if self.stand_in and self.stand_in.until_day <= self.stand_in.from_day:
            raise ValueError("the stand-in ends before beginning")
        return self


class StandInOut(WireOut):
    """Who stands in."""

    account_id: UUID | None = Field(description="账号（对接系统看不到）")
    name: str = Field(description="姓名")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day = Field(description="到哪天止（不含）")


class DutyOut(WireOut):
    """Somebody's role in a cell."""

    id: UUID = Field(description="编号")
    cell_code: CellCode = Field(description="网格编码")
    role: DutyRole = Field(description="管事、知情或服务")
    account_id: UUID | None = Field(description="账号（对接系统看不到）")
    name: str = Field(description="姓名")
    from_day: Day = Field(description="从哪天起（含）")
    until_day: Day | None = Field(description="到哪天止（不含）；空表示一直")
    stand_in: StandInOut | None = Field(description="代班人")
    rev: int = Field(description="修订号")


class HouseholdListIn(WireIn):
    """All households of a cell that one worker looks after (分片包户)."""

    model_config = example({"household_ids": ["0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01"]})

    household_ids: list[UUID] = Field(max_length=2000, description="包哪些户")


class HouseholdListOut(WireOut):
    """Who looks after which households of a cell."""

    account_id: UUID = Field(description="谁的账号")
    name: str = Field(description="姓名")
    household_ids: list[UUID] = Field(description="包哪些户")


class CellDutiesOut(WireOut):
    """Everybody who answers for a cell on a day."""

    cell_code: CellCode = Field(description="网格编码")
    day: Day = Field(description="哪一天")
    duties: list[DutyOut] = Field(description="三种角色")
    households: list[HouseholdListOut] = Field(description="分片包户（对接系统看不到）")


class CellTeam(WireOut):
    """What the feed tells staff about a cell beside its row: who answers for it today and from later days on."""

    id: UUID = Field(description="网格的编号")
    code: CellCode = Field(description="网格编码")
    name: str = Field(description="网格名称")
    duties: list[DutyOut] = Field(default_factory=list, description="三种角色，今天和以后的")
    looked_after: list[HouseholdListOut] = Field(default_factory=list, description="分片包户")


class HandOverIn(WireIn):
    """Somebody leaves a post, and somebody else takes it on."""

    model_config = example({
        "to_account_id": "0199c3a2-7b1e-7c44-9d55-3f0a6b2c8e01", "on": "2026-12-01", "reason": "调往县民政局"
    })  # fmt: skip

    to_account_id: UUID = Field(description="接手人的账号")
    on: Day = Field(description="离岗日期，今天或以前")
    reason: ShortText = Field(min_length=1, description="原因")


class LeftOpen(WireOut):
    """Something the successor could not take on: no grant covers it."""

    kind: str = Field(description="种类：request、duty、households")
    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="区域编码")
    words: str = Field(description="是什么")


class HandOverOut(WireOut):
    """What was handed over, what ended, and what stays open."""

    requests: list[UUID] = Field(description="转给接手人的求助和事件")
    owned: list[UUID] = Field(description="首问责任人改为接手人的")
    duties: list[UUID] = Field(description="转给接手人的角色（新编号）")
    households: int = Field(description="转给接手人的包户数")
    grants_ended: int = Field(description="收回的授权数")
    devices_revoked: list[UUID] = Field(description="停用的手机")
    still_open: list[LeftOpen] = Field(description="还没有人接的")


class RequestGap(WireOut):
    """An open request that nobody answers for, or that lies in no cell."""

    id: UUID = Field(description="编号")
    number: str = Field(description="受理编号")
    area_code: AreaCode = Field(description="区域编码")
    received_at: Utc = Field(description="收到时间")


class HouseholdGap(WireOut):
    """A household that lies in no cell, or in one that was closed."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="区域编码")
    head_name: str = Field(description="户主")


class CellGap(WireOut):
    """A cell that nobody is in charge of."""

    code: CellCode = Field(description="网格编码")
    name: str = Field(description="网格名称")


class DutyGap(WireOut):
    """A role that has run out without anybody after, or whose holder has no grant there any more."""

    id: UUID = Field(description="编号")
    cell_code: CellCode = Field(description="网格编码")
    role: DutyRole = Field(description="管事、知情或服务")
    name: str = Field(description="姓名")
    until_day: Day | None = Field(description="到哪天止（不含）")


class PlanGap(WireOut):
    """A plan whose day has come and that could not be applied."""

    id: UUID = Field(description="编号")
    community_code: str = Field(description="社区编码")
    effective_on: Day = Field(description="生效日期")


class MoveGap(WireOut):
    """People who are on their way to no cell that could look whether they have come."""

    id: UUID = Field(description="编号")
    area_code: AreaCode = Field(description="区域编码")
    names: list[str] = Field(description="谁")
    words: str = Field(description="去哪里，原话")
    out_on: Day = Field(description="迁出日期")
    received_at: Utc = Field(description="收到时间")


class GapsOut(WireOut):
    """What nobody answers for, at most a thousand of each."""

    requests_without_cell: list[RequestGap] = Field(description="没有网格的未办结事项")
    requests_without_person: list[RequestGap] = Field(description="没有经办人的未办结事项")
    households_without_cell: list[HouseholdGap] = Field(description="没有网格的户")
    cells_without_in_charge: list[CellGap] = Field(description="没有人管事的网格")
    duties_expired: list[DutyGap] = Field(description="过期或没有授权的角色")
    plans_overdue: list[PlanGap] = Field(description="到期没能生效的方案")
    moves_without_cell: list[MoveGap] = Field(description="没有网格去核实的迁入")
