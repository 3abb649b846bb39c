"""Addresses under /m that are no page: an old bookmark, a form's address opened as a page."""

from fastapi import APIRouter, Request, Response

from backend.core.errors import Refusal
from backend.web import visitor
from backend.web.page import go_to
from backend.web.route import PageRoute
from shared.errors import Code

router = APIRouter(prefix="/m", route_class=PageRoute, include_in_schema=False)


@router.get("/{rest:path}")
async def nowhere(request: Request, rest: str) -> Response:
    if not rest:
        return go_to("/m")
    await visitor.known_visitor(request)  # whose name stands on the page
    raise Refusal(Code.not_found)
