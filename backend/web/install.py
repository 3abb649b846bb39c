"""All pages of the room and what they load, put into the app."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from backend.web import elsewhere, helping, reporting, signing_in


def install(app: FastAPI) -> None:
    """Serve /m. Its pages are not part of the described interface: programs use the API."""
    app.mount("/m/static", StaticFiles(directory=Path(__file__).parent / "static"), name="m-static")
    for router in (signing_in.router, helping.router, reporting.router, elsewhere.router):  # which takes what is left
        app.router.routes.extend(router.routes)
