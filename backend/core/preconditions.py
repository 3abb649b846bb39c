"""Versions on the wire: ETag is the quoted revision, If-Match says which one a change was made on."""

from typing import Annotated

from fastapi import Depends, Header

from backend.core.errors import Refusal
from shared.errors import Code


def etag(rev: int) -> str:
    return f'"{rev}"'


def _tags(header: str) -> frozenset[str]:
    """Read a list of tags. Weak ones count: a proxy that compresses a reply weakens its ETag on the way."""
    return frozenset(part.strip().removeprefix("W/") for part in header.split(","))


async def _if_match(
    value: Annotated[str | None, Header(alias="If-Match", max_length=200, description="所依据版本的 ETag")] = None,
) -> frozenset[str] | None:
    return None if value is None else _tags(value)


async def _if_none_match(
    value: Annotated[str | None, Header(alias="If-None-Match", max_length=200, description="手上版本的 ETag")] = None,
) -> frozenset[str]:
    return frozenset() if value is None else _tags(value)


IfMatch = Annotated[frozenset[str] | None, Depends(_if_match)]
IfNoneMatch = Annotated[frozenset[str], Depends(_if_none_match)]


def require(given: frozenset[str] | None, rev: int) -> None:
    """Refuse a change that does not say what it was made on, or was made on another revision."""
    if given is None:
        raise Refusal(Code.precondition_missing)
    if etag(rev) not in given:
        raise Refusal(Code.stale)
