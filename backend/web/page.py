"""A page: a template filled in, sent with headers that let it load and post to nothing but this server."""

from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from backend.web import words
from shared.texts import _

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",  # a door and a phone number must not stay on a shared computer
    # Not no-referrer: browsers would then send "Origin: null" with a form, and nobody could tell whose it is.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_templates = Environment(
    loader=PackageLoader("backend.web"),
    extensions=["jinja2.ext.i18n"],
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# {% trans %} asks for `gettext`.
_templates.globals.update(words=words, _=_, gettext=_)


def page(template: str, status: int = 200, **shown: Any) -> Response:
    """Fill in a template. What it uses and is not given is a mistake, and not an empty place."""
    return HTMLResponse(_templates.get_template(template).render(shown), status, _HEADERS)


def go_to(path: str) -> Response:
    """Answer a form: the browser asks for the next page by itself, and reloading that sends nothing twice."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})
