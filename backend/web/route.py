"""A route that answers with a page, also when the answer is no."""

from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.route import TxRoute
from backend.grid import queries as grid
from backend.web import visitor
from backend.web.page import go_to, page
from shared.errors import CATALOGUE, Code

_SIGN_IN_FIRST = frozenset({Code.not_signed_in, Code.session_ended})


class PageRoute(TxRoute):
    """A TxRoute for people: refusals in words, cookies kept up, and forms taken from this site's own pages only."""

    async def _transact(self, request: Request) -> Response:
        try:
            if request.method == "POST" and not _from_here(request):
                raise Refusal(Code.role_not_allowed)
            response = await super()._transact(request)
        except visitor.WhichCounty as unknown:
            response = await _choose(request, unknown.counties)
        except Refusal as no:
            response = _refused(request, no.code)
        except RequestValidationError:
            response = _refused(request, Code.malformed)
        visitor.hand_over(request, response)
        return response


def _from_here(request: Request) -> bool:
    """Say whether a form was on one of our pages. A form elsewhere could otherwise act for whoever is signed in."""
    came_from = request.headers.get("origin") or request.headers.get("referer") or ""
    return urlsplit(came_from).netloc == request.headers.get("host")


async def _choose(request: Request, codes: list[str]) -> Response:
    database: Database = request.app.state.database
    async with database.bare() as conn:
        named = await grid.names(conn, codes)
    return page("counties.html", 404, counties=sorted(named.items()), caller=None)


def _refused(request: Request, code: Code) -> Response:
    if code in _SIGN_IN_FIRST:
        return go_to("/m/sign-in")
    status, sentence = CATALOGUE[code]
    return page("refused.html", status, sentence=sentence, caller=getattr(request.state, "visitor", None))
