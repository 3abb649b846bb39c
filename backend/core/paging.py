"""Lists by key: a page costs the same wherever it lies, and no row is skipped when others arrive."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from backend.core.errors import Refusal
from shared.errors import Code
from shared.types import to_utc

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A page of a list, newest first."""

    items: list[T] = Field(description="这一页的内容，新的在前")
    next_cursor: str | None = Field(description="下一页的游标；没有下一页时为空")


def json_of(value: Any) -> Response:
    """Answer with rows as they are. Their columns bear the wire model's names and types: building a model of each
    only to write it out again would cost three times the reading."""
    return Response(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z), media_type="application/json")


def page_of(rows: Sequence[asyncpg.Record], limit: int) -> Response:
    """Answer with a page of rows, of which one more than the limit was asked for."""
    items = [dict(row) for row in rows[:limit]]
    more = encode_cursor(items[-1]["received_at"], items[-1]["id"]) if len(rows) > limit else None
    return json_of({"items": items, "next_cursor": more})


class Listed(Protocol):
    """A row of a list: what its place is told by."""

    @property
    def id(self) -> UUID: ...

    @property
    def received_at(self) -> datetime: ...


Row = TypeVar("Row", bound=Listed)


def cut(found: Sequence[Row], limit: int) -> "Page[Row]":  # quoted: pydantic would ask what a row of any kind is
    """Make a page of wire models, of which one more than the limit was asked for."""
    items = list(found[:limit])
    more = encode_cursor(items[-1].received_at, items[-1].id) if len(found) > limit else None
    return Page(items=items, next_cursor=more)


@dataclass(frozen=True, slots=True)
class PageParams:
    """How many rows, and after which one (its time of receipt and id)."""

    limit: int
    after: tuple[datetime, UUID] | None


def encode_cursor(received_at: datetime, entity_id: UUID) -> str:
    return urlsafe_b64encode(f"{received_at.isoformat()}|{entity_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Read a cursor back; one from nowhere is refused."""
    try:
        moment, entity_id = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("naive time")
        return to_utc(at), UUID(entity_id)
    except (ValueError, OverflowError) as error:
        raise Refusal(Code.bad_cursor, pointer="/cursor") from error


async def page_params(
    limit: Annotated[int, Query(ge=1, le=200, description="每页条数")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="上一页给的 next_cursor")] = None,
) -> PageParams:
    return PageParams(limit, decode_cursor(cursor) if cursor else None)


Paging = Annotated[PageParams, Depends(page_params)]
