"""A route that answers with a page, also when the answer is no."""

import asyncio
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.route import TxRoute
from backend.grid import queries as grid
from backend.web import visitor
from backend.web.page import go_to, page
from shared.errors import CATALOGUE, Code

READING_S = 180
"""For the photos of a report over a slow network."""
MOST_FIELDS, MOST_FILES, LONGEST_FIELD = 20, 10, 1 << 16

_SIGN_IN_FIRST = frozenset({Code.not_signed_in, Code.session_ended})


class PageRoute(TxRoute):
    """A TxRoute for people: refusals in words, cookies kept up, and forms taken from this site's own pages only."""

    async def _transact(self, request: Request) -> Response:
        if request.method == "POST" and not _from_here(request):
            return _refused(request, Code.role_not_allowed)
        try:
            await _read_form(request)
        except Refusal as no:
            return _refused(request, no.code)
        try:
            response = await super()._transact(request)
        except visitor.WhichCounty as unknown:
            response = await _choose(request, unknown.counties)
        except Refusal as no:
            response = await self.say_no(request, no.code)
        except RequestValidationError:
            response = await self.say_no(request, Code.malformed)
        finally:
            await request.close()  # the files that a form brought
        visitor.hand_over(request, response)
        return response

    async def say_no(self, request: Request, code: Code) -> Response:
        """Answer a refusal. A page with much to write on does it with what was written."""
        return _refused(request, code)


async def _read_form(request: Request) -> None:
    """Before the transaction and its deadline: photos take as long as the network does. Starlette remembers it."""
    try:
        async with asyncio.timeout(READING_S):
            await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES, max_part_size=LONGEST_FIELD)
    except TimeoutError as error:
        raise Refusal(Code.busy) from error
    except ClientDisconnect as error:
        raise Refusal(Code.malformed) from error  # which nobody reads any more
    except HTTPException as error:
        raise Refusal(Code.body_too_large if error.status_code == 413 else Code.malformed) from error


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
