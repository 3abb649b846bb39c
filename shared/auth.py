"""Accounts, grants and tokens on the wire."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import Field

from shared.texts import _
from shared.types import AreaCode, CountyCode, Name, ShortText, Utc, WireIn, WireOut, example


class Role(StrEnum):
    """What a grant lets its holder do inside its area."""

    county_admin = "county_admin"
    community_worker = "community_worker"
    grid_worker = "grid_worker"
    volunteer = "volunteer"
    auditor = "auditor"
    partner = "partner"


STAFF: Final = frozenset({Role.county_admin, Role.community_worker, Role.grid_worker})
"""Roles that work in an area and may write there."""

ROLE_WORDS = {
    Role.county_admin: _("县级管理员"),
    Role.community_worker: _("社区工作者"),
    Role.grid_worker: _("网格员"),
    Role.volunteer: _("志愿者"),
    Role.auditor: _("审计员"),
    Role.partner: _("对接系统"),
}


class GrantOut(WireOut):
    """One role in one area."""

    role: Role = Field(description="角色")
    area_code: AreaCode = Field(description="区域编码")


class TokenOut(WireOut):
    """An access token with the refresh token that follows it."""

    access_token: str = Field(description="访问令牌")
    token_type: str = Field(default="bearer", description="令牌类型")
    expires_in: int = Field(description="有效秒数")
    refresh_token: str = Field(description="续期令牌，用一次换一个新的")


class RefreshIn(WireIn):
    """A refresh token to be exchanged."""

    model_config = example({"refresh_token": "r5mS0c1xw3Tq2oYk9bVd7eHnJzLfGuPa4iXtE6sC8yM"})

    refresh_token: str = Field(min_length=20, max_length=200, description="续期令牌")


class MeOut(WireOut):
    """Who is signed in."""

    account_id: UUID = Field(description="账号编号")
    username: str = Field(description="登录名")
    display_name: str = Field(description="姓名")
    county_code: CountyCode = Field(description="县编码")
    county_name: str = Field(description="县名")
    volunteer_id: UUID | None = Field(default=None, description="志愿者编号（不是志愿者则为空）")
    grants: list[GrantOut] = Field(description="授权")


class DeviceIn(WireIn):
    """A phone that its user signed in on."""

    model_config = example({"name": "张敏的手机"})

    name: ShortText = Field(default="", description="手机名称")


class DeviceOut(WireOut):
    """A registered phone."""

    id: UUID = Field(description="设备编号，由手机生成")
    name: str = Field(description="手机名称")
    settled_seq: int = Field(description="服务器已处理到的手机序号")
    registered_at: Utc = Field(description="登记时间")


class DeviceUseOut(DeviceOut):
    """A registered phone as an administrator sees it."""

    users: list[str] = Field(description="谁在上面登录过")
    revoked_at: Utc | None = Field(description="停用时间；空表示在用")


class DeviceRevokeIn(WireIn):
    """Why a phone is shut out, or let in again; the reason is kept."""

    model_config = example({"reason": "手机在集市上丢了"})

    reason: ShortText = Field(min_length=2, description="理由，会留下记录")


class ApiKeyIn(WireIn):
    """A key for another system."""

    model_config = example({"name": "县民政局", "area_code": "610330"})

    name: Name = Field(description="对接系统名称")
    area_code: AreaCode = Field(description="可读区域编码")


class ApiKeyOut(WireOut):
    """A stored key; the secret itself is shown once, at creation."""

    id: UUID = Field(description="编号")
    name: str = Field(description="对接系统名称")
    area_code: AreaCode = Field(description="可读区域编码")
    created_at: Utc = Field(description="建立时间")
    key: str | None = Field(default=None, description="密钥，只在建立时显示一次")
