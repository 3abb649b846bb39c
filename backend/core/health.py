"""Is it alive, is it ready, how is it doing."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from backend.core.db import Db
from backend.core.schema import NEWEST

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def alive() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok")


@router.get("/readyz")
async def ready(database: Db) -> JSONResponse:
    """The database answers and has the schema of this release."""
    try:
        async with database.bare() as conn:
            found = await conn.fetchval("SELECT version_num FROM alembic_version", timeout=3)
    except Exception:  # whatever is wrong, the answer is "not ready"
        found = None
    state = "ready" if found == NEWEST else "not ready"
    return JSONResponse({"status": state}, 200 if state == "ready" else 503)


@router.get("/metrics")
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
