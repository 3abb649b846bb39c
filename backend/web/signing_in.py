"""Signing in and out in a browser."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from backend.auth import service as auth
from backend.auth.deps import AppKeys
from backend.core.db import Db
from backend.core.errors import Refusal
from backend.web import visitor, words
from backend.web.page import go_to, page
from backend.web.route import PageRoute
from shared.auth import Role
from shared.errors import CATALOGUE
from shared.types import ShortText

router = APIRouter(prefix="/m", route_class=PageRoute, include_in_schema=False)


@router.get("")
async def start(request: Request) -> Response:
    """To where this visitor's work is."""
    caller = await visitor.known_visitor(request)
    if caller is None:
        return go_to("/m/sign-in")
    return go_to("/m/offers" if caller.holds(Role.volunteer) else "/m/report")


@router.get("/sign-in")
async def ask(request: Request, told: str = "") -> Response:
    """Who went back to it and is signed in is led on: the page would look as if they were not."""
    if await visitor.known_visitor(request):
        return go_to("/m")
    return page("sign_in.html", caller=None, username="", sentence="", told=words.TOLD.get(told, ""))


@router.post("/sign-in")
async def sign_in(
    request: Request,
    username: Annotated[ShortText, Form()],
    password: Annotated[str, Form(max_length=200)],
    database: Db,
    keys: AppKeys,
) -> Response:
    address = request.client.host if request.client else ""
    try:
        tokens = await auth.sign_in(database, keys, username, password, address)
    except Refusal as no:
        status, sentence = CATALOGUE[no.code]
        return page("sign_in.html", status, caller=None, username=username, sentence=sentence, told="")
    visitor.keep(request, tokens)
    return go_to("/m")


@router.post("/sign-out")
async def sign_out(request: Request, database: Db) -> Response:
    await auth.sign_out(database, request.cookies.get(visitor.REFRESH, ""))
    visitor.forget(request)
    return go_to("/m/sign-in?told=signed-out")
