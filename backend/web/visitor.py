"""Who is looking at a page: signed in by two cookies, which hold what a phone keeps in its store."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from backend.auth import service as auth
from backend.auth.deps import keys_of
from backend.auth.directory import Directory
from backend.auth.tokens import Verifier
from backend.core.daily import counties
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import Caller
from shared.auth import Role, TokenOut
from shared.errors import Code
from shared.texts import _

ACCESS, REFRESH = "gridhood_access", "gridhood_refresh"
EVERYBODY = UUID(int=1)
"""Whoever reports something without signing in: no account, no area, no volunteer."""


FREE_A_DAY = 30
"""Forms without an account from one address before each takes longer: many people may stand behind one address of a
mobile network."""


PICTURED_A_DAY = 10
"""Forms with photos among these: each photo takes disk and a second of the processor."""


class WhichCounty(Refusal):
    """Several counties share this server, and the address names none of them."""

    def __init__(self, counties: list[str]) -> None:
        super().__init__(Code.unknown_area)
        self.counties = counties


async def known_visitor(request: Request) -> Caller | None:
    """Return who is signed in, if anybody is. Asked again in the same request, the answer is the same."""
    if not hasattr(request.state, "visitor"):
        request.state.visitor = await _by_access(request) or await _by_refresh(request)
    caller: Caller | None = request.state.visitor
    return caller


async def _by_access(request: Request) -> Caller | None:
    token = request.cookies.get(ACCESS)
    return await _holder(request, token) if token else None


async def _holder(request: Request, token: str) -> Caller | None:
    directory: Directory = request.app.state.directory
    verifier: Verifier = request.app.state.verifier
    try:
        signed = verifier.read(token)
    except Refusal:
        return None
    return await directory.caller(signed.county, signed.account_id)


async def _by_refresh(request: Request) -> Caller | None:
    """Go on where the quarter of an hour has run out. The new pair of tokens leaves with the page."""
    token = request.cookies.get(REFRESH)
    if not token:
        return None
    database: Database = request.app.state.database
    try:
        fresh = await auth.refresh(database, keys_of(request), token)
    except Refusal:
        forget(request)
        return None
    keep(request, fresh)
    return await _holder(request, fresh.access_token)


def named(caller: Caller) -> Caller | None:
    """Return the caller if a page may greet them: everybody has no name."""
    return None if caller.account_id == EVERYBODY else caller


def keep(request: Request, tokens: TokenOut) -> None:
    """Sign the browser in with these tokens."""
    request.state.cookies = {ACCESS: tokens.access_token, REFRESH: tokens.refresh_token}


def forget(request: Request) -> None:
    request.state.cookies = {ACCESS: "", REFRESH: ""}


def hand_over(request: Request, response: Response) -> None:
    """Put into the reply what was kept or forgotten while it was made."""
    secure = request.url.scheme == "https"
    lasting = int(auth.REFRESH_LIFETIME.total_seconds())
    for name, value in getattr(request.state, "cookies", {}).items():
        response.set_cookie(
            name, value, max_age=lasting if value else 0, path="/m", secure=secure, httponly=True, samesite="lax"
        )


async def _signed_in(request: Request) -> Caller:
    caller = await known_visitor(request)
    if caller is None:
        raise Refusal(Code.not_signed_in)
    request.state.caller = caller
    return caller


async def visiting_volunteer(request: Request) -> Caller:
    caller = await _signed_in(request)
    if caller.volunteer_id is None or not caller.holds(Role.volunteer):
        raise Refusal(Code.role_not_allowed)
    return caller


def stranger(county: str) -> Caller:
    return Caller(EVERYBODY, _("群众"), county, ())


async def _reporter(request: Request) -> Caller:
    """Whoever is signed in, or everybody, in the county that the address names or the only one there is."""
    caller = await known_visitor(request)
    if caller is None:
        here = await counties(request.app.state.database)
        county = request.query_params.get("county", here[0] if len(here) == 1 else "")
        if county not in here:
            raise WhichCounty(here)
        caller = stranger(county)
    request.state.caller = caller
    return caller


async def _counted_reporter(request: Request) -> Caller:
    """Counted before the request's transaction begins: who waits for a second connection while holding one can hold
    up everybody."""
    caller = await _reporter(request)
    await _count(request, caller, "report", FREE_A_DAY)
    return caller


async def count_photos(request: Request, caller: Caller) -> None:
    """Count a form that brings photos, or refuse them."""
    await _count(request, caller, "photos", PICTURED_A_DAY)


async def _count(request: Request, caller: Caller, what: str, free: int) -> None:
    if caller.account_id == EVERYBODY and request.client:
        await auth.slow_down(request.app.state.database, f"{what}|{request.client.host}", free=free)


VisitingVolunteer = Annotated[Caller, Depends(visiting_volunteer)]
Reporter = Annotated[Caller, Depends(_reporter)]
CountedReporter = Annotated[Caller, Depends(_counted_reporter)]
