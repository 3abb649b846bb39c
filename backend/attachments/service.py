"""Receiving photos and giving them out. No connection is held while a file is written or a picture is decoded."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog

from backend.attachments import queries
from backend.attachments.store import GapInFile, Store
from backend.core.db import Database
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.transaction import Transaction
from backend.requests import photos as of_requests
from backend.visits import photos as of_visits
from shared.attachments import PhotoIn, PhotoState, UploadOut
from shared.errors import Code
from shared.texts import _

log = structlog.get_logger()

_ONE_AT_A_TIME = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photo")


class Kept(NamedTuple):
    """A photo that is in the folder, good or put aside. Of one that could not be opened no size is known: it says 1."""

    photo: PhotoIn
    state: PhotoState


async def add_chunk(
    database: Database, store: Store | None, worker: Caller, sha256: str, offset: int, chunk: bytes
) -> UploadOut:
    """Take a chunk of an announced photo. The last one is followed by the check, and then the photo stands.

    Also when the file has long been there: to know a hash is not to have the photo.
    """
    size, state = await _announced(database, worker, sha256, writing=True, sending=True)
    files, county = _require(store), worker.county_code
    if state is PhotoState.missing:
        state, received = await asyncio.to_thread(_take, files, county, sha256, offset, chunk, size)
        if state is PhotoState.missing:
            return UploadOut(sha256=sha256, size=size, received=received, state=state)
    await database.run(worker, lambda tx: _note(tx, worker, sha256, state))
    return UploadOut(sha256=sha256, size=size, received=size, state=state)


def _take(store: Store, county: str, sha256: str, offset: int, chunk: bytes, size: int) -> tuple[PhotoState, int]:
    """Store a chunk, and with the last one check the whole. Runs in a thread."""
    try:
        received = store.append(county, sha256, offset, chunk, size)
    except GapInFile as error:
        raise Refusal(Code.chunk_out_of_order, pointer="/offset") from error
    if received < size:
        return PhotoState.missing, received
    content = store.whole(county, sha256)
    if content is None:
        raise Refusal(Code.wrong_hash)
    return _keep(store, county, sha256, content).state, received


def _keep(store: Store, county: str, sha256: str, content: bytes) -> Kept:
    """Keep a photo made anew, or put it aside. Runs in a thread."""
    # Imported here: a process that receives no photo does not carry the codecs.
    from backend.attachments.pictures import BadPicture, remake

    try:
        made = remake(content)
    except BadPicture as error:
        log.warning("photo_quarantined", sha256=sha256, reason=str(error))
        store.quarantine(county, sha256, content)
        return Kept(PhotoIn(sha256=sha256, size=len(content), width=1, height=1), PhotoState.quarantined)
    store.keep(county, sha256, made.picture, made.thumbnail)
    return Kept(PhotoIn(sha256=sha256, size=len(content), width=made.width, height=made.height), PhotoState.stored)


async def take_whole(store: Store | None, county: str, content: bytes) -> Kept:
    """Take a photo that came in one piece, before anything announces it: what nothing announces nobody can read.

    One after another: anybody may send these, and each takes a hundred megabytes while it is decoded.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    return await asyncio.get_running_loop().run_in_executor(
        _ONE_AT_A_TIME, _keep, _require(store), county, sha256, content
    )


async def note_whole(tx: Transaction, reporter: Caller, kept: Sequence[Kept]) -> None:
    """Say of photos that came with their request in one piece what became of them."""
    for one in kept:
        await of_requests.set_own_state(tx, reporter, one.photo.sha256, one.state)


async def status(database: Database, store: Store | None, reader: Caller, sha256: str) -> UploadOut:
    """Say what is there of a photo that the reader sees announced."""
    size, state = await _announced(database, reader, sha256, sending=True)
    files, county = _require(store), reader.county_code
    received = await asyncio.to_thread(files.received, county, sha256) if state is PhotoState.missing else size
    return UploadOut(sha256=sha256, size=size, received=received, state=state)


async def read(database: Database, store: Store | None, reader: Caller, sha256: str, *, thumbnail: bool) -> bytes:
    """Return a photo of a visit or a request that the reader sees."""
    _unused, state = await _announced(database, reader, sha256)
    files, found = _require(store), None
    if state is PhotoState.stored:
        found = await asyncio.to_thread(files.read, reader.county_code, sha256, thumbnail=thumbnail)
    if found is None:
        raise Refusal(Code.not_found, _("照片还没有传完。"))
    return found


async def _announced(
    database: Database, caller: Caller, sha256: str, *, writing: bool = False, sending: bool = False
) -> tuple[int, PhotoState]:
    """Return the size of a photo that was announced in the caller's sight, and whether it came there; to write, in
    the caller's area, or by themselves wherever it was.

    Who sends it may have made the visit before its household went to another cell. They do not see it any more, and
    the photo would be lost with their phone.
    """

    async def look(tx: Transaction) -> tuple[int, PhotoState]:
        rows = await queries.announced(tx.conn, tx.county, sha256)
        mine = [row for row in rows if not writing or caller.may_write_in(row["area_code"])]
        mine = mine or await of_requests.own_announced(tx, caller, sha256)
        if sending and not mine:
            mine = await of_visits.own_announced(tx, caller, sha256)
        if not mine:
            raise Refusal(Code.area_not_allowed if rows else Code.not_found)
        come = next((row for row in mine if row["state"] != PhotoState.missing), mine[0])
        return int(come["size"]), PhotoState(come["state"])

    return await database.run(caller, look)


async def _note(tx: Transaction, worker: Caller, sha256: str, state: PhotoState) -> None:
    """Where the worker sees it announced, and where they did it themselves: in other areas others have to send it."""
    await queries.set_state(tx.conn, tx.county, sha256, state)
    await of_requests.set_own_state(tx, worker, sha256, state)
    await of_visits.set_own_state(tx, worker, sha256, state)


def _require(store: Store | None) -> Store:
    if store is None:
        raise Refusal(Code.busy, _("服务器没有存照片的文件夹。"))
    return store
