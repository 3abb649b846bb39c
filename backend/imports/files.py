"""The files of a batch: the upload, its slices and its reject file, readable by the server alone."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson

from backend.core.errors import Refusal
from backend.core.http import UPLOAD_LIMIT
from backend.imports.sheets import REFUSED
from shared.errors import Code
from shared.texts import _

SILENT_S: Final = 30.0
"""An upload that sends nothing for so long is given up."""


def folder_of(data: Path, batch: UUID) -> Path:
    return data / str(batch)


def upload_in(folder: Path) -> Path:
    return folder / "upload"


async def receive(chunks: AsyncIterator[bytes], data: Path, batch: UUID) -> None:
    """Write what comes to disk as it comes; more than the largest size is refused, and nothing stays of it."""
    folder = folder_of(data, batch)
    await asyncio.to_thread(folder.mkdir, 0o700, True)
    try:
        await _receive(chunks, upload_in(folder))
    except BaseException:
        discard(folder)
        raise


async def _receive(chunks: AsyncIterator[bytes], target: Path) -> None:
    received = 0
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while (chunk := await asyncio.wait_for(anext(chunks, None), SILENT_S)) is not None:
            received += len(chunk)
            if received > UPLOAD_LIMIT:
                raise Refusal(Code.body_too_large)
            await asyncio.to_thread(file.write, chunk)
    if not received:
        raise Refusal(Code.malformed, _("没有收到文件内容。"))


def discard(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def discard_upload(folder: Path) -> None:
    """Remove what holds everybody's numbers once they are stored; the reject file stays for those who stayed out."""
    for file in folder.glob("*"):
        if not file.name.endswith(REFUSED):
            file.unlink(missing_ok=True)


def parsed(stored: str) -> list[dict[str, Any]]:
    """Read the columns of a batch as the database gives them."""
    found: list[dict[str, Any]] = orjson.loads(stored)
    return found
