"""Code lists as they go over the wire: made once a process, with a tag that changes when their content does."""

from functools import lru_cache
from hashlib import sha256

from fastapi.responses import Response
from pydantic import TypeAdapter

from shared.codes import CodeListHead, ListName, code_list, code_lists

_HEADS = TypeAdapter(list[CodeListHead])


def of_heads(known: frozenset[str]) -> Response:
    return _page(_heads(), known)


def of_list(name: ListName, known: frozenset[str]) -> Response:
    return _page(_list(name), known)


@lru_cache(maxsize=1)
def _heads() -> bytes:
    heads = [CodeListHead.model_validate(dict(every)) for every in code_lists()]
    return _HEADS.dump_json(heads)


@lru_cache(maxsize=16)
def _list(name: ListName) -> bytes:
    return code_list(name).model_dump_json().encode()


def _page(content: bytes, known: frozenset[str]) -> Response:
    tag = f'"{sha256(content).hexdigest()[:20]}"'
    if tag in known:
        return Response(status_code=304, headers={"ETag": tag})
    return Response(content, media_type="application/json", headers={"ETag": tag})
