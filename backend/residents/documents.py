"""Hand-over documents between counties, which share no database: a text, and an Ed25519 signature of its bytes."""

import hmac
from base64 import b64decode, b64encode
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from backend.core.clock import county_day
from backend.core.errors import Refusal
from backend.core.scope import Caller
from backend.core.settings import Keys
from backend.core.transaction import Transaction
from backend.grid import queries as grid_queries
from backend.residents import move_queries as queries
from backend.residents import moves
from shared.errors import Code
from shared.register import (
    HandoverContent,
    HandoverIn,
    HandoverKeyOut,
    HandoverOut,
    MoveOut,
    MoveState,
    TrustedCountyOut,
)
from shared.texts import _
from shared.types import is_within


def _signer(keys: Keys, county: str) -> Ed25519PrivateKey:
    """A key of each county's own, so that one of two on a server cannot speak for the other."""
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(keys.handover, county.encode(), "sha256"))


def public_key(keys: Keys, county: str) -> HandoverKeyOut:
    raw = _signer(keys, county).public_key().public_bytes_raw()
    return HandoverKeyOut(county_code=county, public_key=b64encode(raw).decode())


async def write(tx: Transaction, keys: Keys, worker: Caller, move_id: UUID) -> HandoverOut:
    """Sign what another county must know of people who go there. Asked again, the document is the same."""
    move = await queries.whole(tx.conn, tx.county, move_id)
    if move is None:
        raise Refusal(Code.not_found)
    if not worker.may_write_in(move["from_area_code"]):
        raise Refusal(Code.area_not_allowed)
    if move["state"] != MoveState.left_county:
        raise Refusal(Code.step_not_allowed, _("只有迁往外县的才开移交单。"))
    if move["to_county_code"] is None:
        raise Refusal(Code.step_not_allowed, _("不知道去了哪个县，开不了移交单。"))
    content = HandoverContent(
        move_id=move_id, from_county=tx.county, from_area_code=move["from_area_code"],
        to_county=move["to_county_code"], out_on=move["out_on"], words=move["words"], people=move["movers"],
    )  # fmt: skip
    tx.audit("move.document", "move", move_id, move["from_area_code"], to=move["to_county_code"])
    return signed(keys, tx.county, content)


def signed(keys: Keys, county: str, content: HandoverContent) -> HandoverOut:
    payload = content.model_dump_json()
    return HandoverOut(payload=payload, signature=b64encode(_signer(keys, county).sign(payload.encode())).decode())


async def take_in(tx: Transaction, worker: Caller, body: HandoverIn) -> MoveOut:
    """Expect the people of another county's document. The same document again answers with what is stored."""
    content = await _checked(tx, body)
    area = body.cell_code or tx.county
    if not worker.may_write_in(area):
        raise Refusal(Code.area_not_allowed, pointer="/cell_code")
    if body.cell_code and await grid_queries.cell_rev(tx.conn, tx.county, area) is None:
        raise Refusal(Code.unknown_area, pointer="/cell_code")
    known = (await queries.by_ids(tx.conn, tx.county, [content.move_id])).get(content.move_id)
    if known is None:
        await moves.take_in(tx, content, area)
    elif known.from_area_code != content.from_area_code:
        raise Refusal(Code.id_taken)
    return await moves.get(tx, content.move_id)


async def _checked(tx: Transaction, body: HandoverIn) -> HandoverContent:
    try:
        content = HandoverContent.model_validate_json(body.payload)
    except ValidationError as error:
        raise Refusal(Code.malformed, pointer="/payload") from error
    key = await queries.key_of(tx.conn, tx.county, content.from_county)
    if key is None:
        raise Refusal(Code.county_not_trusted, pointer="/payload")
    try:
        Ed25519PublicKey.from_public_bytes(b64decode(key)).verify(
            b64decode(body.signature, validate=True), body.payload.encode()
        )
    except (InvalidSignature, ValueError) as error:
        raise Refusal(Code.bad_signature, pointer="/signature") from error
    if content.to_county != tx.county:
        raise Refusal(Code.area_not_allowed, _("这份移交单是给别的县的。"), pointer="/payload")
    if not is_within(content.from_area_code, content.from_county):
        # A move from a cell of ours would count its people as known here, and register nobody.
        raise Refusal(Code.malformed, _("移交单里迁出的网格不在开单的县。"), pointer="/payload")
    if content.out_on > county_day(tx.now):
        raise Refusal(Code.in_the_future, _("移交单里的迁出日期还没有到。"), pointer="/payload")
    return content


async def trust(tx: Transaction, admin: Caller, county: str, key: str) -> TrustedCountyOut:
    """Believe the documents of another county from now on, or by a new key."""
    if county == tx.county:
        raise Refusal(Code.step_not_allowed, _("本县不用录入自己的公钥。"))
    await queries.trust(tx.conn, tx.county, county, key, admin.name, tx.now)
    tx.audit("county.trusted", "county", UUID(int=0), tx.county, other=county)
    return next(one for one in await queries.trusted(tx.conn, tx.county) if one.county_code == county)
