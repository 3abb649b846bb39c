"""The network of one phone: every request meets its fate."""

from collections import deque
from collections.abc import Iterable

import httpx

from tests.sync.model.steps import Fate


class PhoneDied(BaseException):
    """Not an Exception: a phone that dies handles nothing any more."""


class Line(httpx.AsyncBaseTransport):
    """Carries requests to the county's app, or does not."""

    def __init__(self, county: httpx.AsyncBaseTransport) -> None:
        self._county = county
        self.fates: deque[Fate] = deque()

    def meets(self, fates: Iterable[Fate]) -> None:
        self.fates = deque(fates)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fate = self.fates.popleft() if self.fates else Fate.arrives
        if fate is Fate.cut:
            raise httpx.ConnectError("no network")
        if fate is Fate.phone_dies_before:
            raise PhoneDied
        if fate is Fate.doubled:
            await self._answer(request)
        response = await self._answer(request)
        if fate is Fate.answer_lost:
            raise httpx.ReadError("cut off")
        if fate is Fate.phone_dies_after:
            raise PhoneDied
        return response

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """Have the whole answer: what is lost or drowned out later was done all the same."""
        response = await self._county.handle_async_request(request)
        await response.aread()
        return response
