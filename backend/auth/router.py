"""Signing in and out, phones, and keys for other systems."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response

from backend.auth import service as auth
from backend.auth.deps import Anyone, AppKeys, CurrentAdmin, Tx
from backend.core.db import Db
from backend.core.route import TxRoute
from shared.auth import (
    ApiKeyIn,
    ApiKeyOut,
    DeviceIn,
    DeviceOut,
    DeviceRevokeIn,
    DeviceUseOut,
    MeOut,
    RefreshIn,
    TokenOut,
)
from shared.types import ShortText

router = APIRouter(prefix="/api/v1", tags=["登录"], route_class=TxRoute)


@router.post("/auth/token")
async def sign_in(
    request: Request,
    username: Annotated[ShortText, Form(description="登录名")],
    password: Annotated[str, Form(max_length=200, description="密码")],
    database: Db,
    keys: AppKeys,
    device_id: Annotated[UUID | None, Form(description="这部手机的编号：停用它，它的令牌也停用")] = None,
    grant_type: Annotated[Literal["password"], Form(description="OAuth2 授权方式，只有 password")] = "password",
) -> TokenOut:
    """用账号密码登录，得到访问令牌（15 分钟）和续期令牌。"""
    address = request.client.host if request.client else ""
    return await auth.sign_in(database, keys, username, password, address, device_id)


@router.post("/auth/refresh")
async def refresh(body: RefreshIn, database: Db, keys: AppKeys) -> TokenOut:
    """用续期令牌换新的一对。没收到答复可以原样再送；新的用过以后再用旧的，整串作废。"""
    return await auth.refresh(database, keys, body.refresh_token)


@router.post("/auth/sign-out", status_code=204)
async def sign_out(body: RefreshIn, database: Db) -> Response:
    """退出登录：这一串续期令牌作废。"""
    await auth.sign_out(database, body.refresh_token)
    return Response(status_code=204)


@router.get("/auth/me")
async def me(_caller: Anyone, tx: Tx) -> MeOut:
    """我是谁，有哪些授权。"""
    return await auth.me(tx)


@router.put("/devices/{device_id}")
async def use_device(device_id: UUID, body: DeviceIn, _caller: Anyone, tx: Tx) -> DeviceOut:
    """登记这部手机，并记下我在上面登录过。"""
    return await auth.use_device(tx, device_id, body)


@router.get("/devices")
async def list_devices(
    _admin: CurrentAdmin,
    tx: Tx,
    account_id: Annotated[UUID | None, Query(description="只看这个账号登录过的手机")] = None,
) -> list[DeviceUseOut]:
    """列出登记过的手机：谁在用，停用了没有。后登记的在前，最多 500 部。"""
    return await auth.devices(tx, account_id)


@router.post("/devices/{device_id}/revoke")
async def revoke_device(device_id: UUID, body: DeviceRevokeIn, _admin: CurrentAdmin, tx: Tx) -> DeviceUseOut:
    """停用一部手机：它再连上时把没送出的交给社区核对，然后清空。"""
    return await auth.revoke_device(tx, device_id, body.reason)


@router.post("/devices/{device_id}/restore")
async def restore_device(device_id: UUID, body: DeviceRevokeIn, _admin: CurrentAdmin, tx: Tx) -> DeviceUseOut:
    """恢复一部停用的手机。"""
    return await auth.restore_device(tx, device_id, body.reason)


@router.post("/api-keys", status_code=201)
async def make_api_key(body: ApiKeyIn, admin: CurrentAdmin, tx: Tx) -> ApiKeyOut:
    """给别的系统建一个密钥，只显示这一次。"""
    return await auth.make_api_key(tx, admin, body)


@router.delete("/api-keys/{key_id}", status_code=204)
async def revoke_api_key(key_id: UUID, _admin: CurrentAdmin, tx: Tx) -> Response:
    """停用一个密钥，马上生效。"""
    await auth.revoke_api_key(tx, key_id)
    return Response(status_code=204)
