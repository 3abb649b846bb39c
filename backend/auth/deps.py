"""Who may call, said in a route's signature."""

import re
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer

from backend.auth.directory import Directory
from backend.auth.tokens import Verifier
from backend.core.db import begin
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from shared.auth import STAFF, Role
from shared.errors import Code

LEAVING = re.compile(r"/api/v1/(auth/me|sync/rescue|attachments/[^/]+/(status|chunks))")
_bearer = OAuth2PasswordBearer("/api/v1/auth/token", auto_error=False, description="登录后的访问令牌")
_api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="对接系统的密钥")


# Dependencies are coroutines even where nothing waits: a plain function would be sent to a thread, at 0.1 ms a call.


def keys_of(request: Request) -> Keys:
    keys: Keys = request.app.state.keys
    return keys


async def _app_keys(request: Request) -> Keys:
    return keys_of(request)


async def current_caller(
    request: Request,
    token: Annotated[str | None, Security(_bearer)],
    api_key: Annotated[str | None, Security(_api_key)],
) -> Caller:
    """Return who is calling, by token or by API key."""
    directory: Directory = request.app.state.directory
    if token:
        verifier: Verifier = request.app.state.verifier
        signed = verifier.read(token)
        if signed.device_id and await directory.is_shut_out(signed.county, signed.device_id):
            _leaving_only(request)
        caller = await directory.caller(signed.county, signed.account_id)
    elif api_key:
        caller = await directory.holder_of(api_key)
    else:
        raise Refusal(Code.not_signed_in)
    if caller is None:
        raise Refusal(Code.session_ended)
    request.state.caller = caller
    return caller


def _leaving_only(request: Request) -> None:
    """A phone that was shut out may still say whose it was, and hand in what it holds."""
    if not LEAVING.fullmatch(request.url.path):
        raise Refusal(Code.device_revoked)


async def caller_of(request: Request) -> Caller:
    """Return who is calling, for a route that must know before its dependencies are asked."""
    return await current_caller(request, await _bearer(request), await _api_key(request))


Anyone = Annotated[Caller, Depends(current_caller)]


class _Check(Protocol):
    async def __call__(self, caller: Anyone) -> Caller: ...


def _holding(*roles: Role) -> _Check:
    async def check(caller: Anyone) -> Caller:
        if not caller.holds(*roles):
            raise Refusal(Code.role_not_allowed)
        return caller

    return check


CurrentAdmin = Annotated[Caller, Depends(_holding(Role.county_admin))]
CurrentWorker = Annotated[Caller, Depends(_holding(*STAFF))]
CurrentCoordinator = Annotated[Caller, Depends(_holding(Role.county_admin, Role.community_worker))]
CurrentReader = Annotated[Caller, Depends(_holding(*STAFF, Role.auditor, Role.partner))]
CurrentStaffOrPartner = Annotated[Caller, Depends(_holding(*STAFF, Role.partner))]


async def _volunteer(caller: Anyone) -> Caller:
    if caller.volunteer_id is None or not caller.holds(Role.volunteer):
        raise Refusal(Code.role_not_allowed)
    return caller


CurrentVolunteer = Annotated[Caller, Depends(_volunteer)]


async def transaction(request: Request) -> Transaction:
    """The request's transaction, in the scope of the caller that stands before it in the signature.

    Not a dependency on the caller: the framework would walk that tree a second time.
    """
    caller: Caller = request.state.caller
    return await begin(request, caller)


Tx = Annotated[Transaction, Depends(transaction)]
AppKeys = Annotated[Keys, Depends(_app_keys)]


def volunteer_of(caller: Caller) -> UUID:
    """Return the volunteer behind a caller that `CurrentVolunteer` let in."""
    assert caller.volunteer_id is not None
    return caller.volunteer_id
