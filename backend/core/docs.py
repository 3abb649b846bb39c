"""API docs that work on an intranet: the page loads nothing from outside."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from shared.errors import Problem

# Found and not imported: the package brings an HTTP client that nothing here needs.
_PACKAGE = find_spec("fastapi_offline")
assert _PACKAGE is not None
_ASSETS = Path(str(_PACKAGE.origin)).parent / "static"


def install(app: FastAPI) -> None:
    """Serve /docs with the assets of the fastapi-offline package; FastAPI's own page takes them from a CDN."""
    app.mount("/docs/assets", StaticFiles(directory=_ASSETS), name="docs-assets")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="邻格接口说明",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
        )

    app.openapi = lambda: _with_problems(app)  # type: ignore[method-assign]


def _with_problems(app: FastAPI) -> dict[str, Any]:
    """Describe the app with the refusals it really gives; FastAPI would promise its own validation errors."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        described = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs"), Problem=described)
        for model in app.state.described:
            _describe_too(schemas, model)
        for methods in document["paths"].values():
            for operation in methods.values():
                # FastAPI makes a summary of the function's name; the first sentence says it in Chinese.
                operation["summary"] = operation["description"].split("。")[0].splitlines()[0]
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = _PROBLEM
    return app.openapi_schema or {}


def _describe_too(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    """Describe a model that travels inside another, as the body of an operation does, under its own name."""
    described = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, found in {**described.pop("$defs", {}), model.__name__: described}.items():
        schemas.setdefault(name, found)


_PROBLEM = {
    "description": "不能照办：稳定的 code 和一句中文说明（RFC 9457）",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def describe(app: FastAPI) -> str:
    """Return the OpenAPI document as it is committed."""
    return json.dumps(app.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
