"""Run by test_texts in a process of its own, in the language that its environment names: a refusal and a page."""

import asyncio
import json
import re
import sys

import httpx

from backend.core.settings import Settings
from backend.main import build
from tests.conftest import KEYS


async def read(database_url: str) -> dict[str, list[str]]:
    app = build(Settings(database_url, KEYS, work=False))
    at_it = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")
    async with app.router.lifespan_context(app), at_it as client:
        refusal = await client.get("/api/v1/visits")
        page = await client.get("/m/sign-in")
    return {"refusal": [refusal.json()["title"]], "page": [re.sub(r"<[^>]*>", "", page.text)]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(read(sys.argv[1]))) + "\n")
