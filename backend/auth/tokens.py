"""The only module that touches python-jose: fixed algorithm, required claims, a size cap, every failure a plain no.

The library on its own accepts tokens without exp or aud, takes any algorithm when none is named, and dies of a
recursion error on a nested header; all of it is closed here.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from time import time
from uuid import UUID, uuid4

from jose import jwt

from backend.core.errors import Refusal
from shared.errors import Code

ISSUER = "gridhood"
AUDIENCE = "gridhood-api"
LIFETIME = timedelta(minutes=15)
MAX_BYTES = 4096
REMEMBERED = 4096
_ALGORITHMS = ["HS256"]
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "sub", "aud", "iss", "jti")}
_REFUSED_HEADERS = frozenset({"crit", "jku", "x5u", "jwk", "x5c"})


def issue(key: bytes, county: str, account_id: UUID, now: datetime, device_id: UUID | None = None) -> str:
    """Make an access token. It names account and phone only: grants are looked up, so a change bites at once."""
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(account_id), "cty": county, "use": "access",
        "iat": int(now.timestamp()), "exp": int((now + LIFETIME).timestamp()), "jti": uuid4().hex,
    }  # fmt: skip
    if device_id is not None:
        claims["dev"] = str(device_id)
    token: str = jwt.encode(claims, key, algorithm=_ALGORITHMS[0])
    return token


@dataclass(frozen=True, slots=True)
class Signed:
    """What a valid token says, and until when (seconds since 1970)."""

    county: str
    account_id: UUID
    expires: int
    device_id: UUID | None = None


class Verifier:
    """Reads tokens and remembers those found good: a phone sends the same one for a quarter of an hour.

    Kept by hash, so that memory holds no live token. What an account may do is looked up elsewhere, each time.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._good: dict[bytes, Signed] = {}

    def read(self, token: str) -> Signed:
        digest = sha256(token.encode()).digest()
        signed = self._good.get(digest)
        if signed is None or signed.expires <= time():
            signed = read(self._key, token)
            if len(self._good) >= REMEMBERED:
                self._good.clear()
            self._good[digest] = signed
        return signed


def read(key: bytes, token: str) -> Signed:
    """Verify a token; anything but a valid access token is a 401."""
    if len(token) > MAX_BYTES:
        raise Refusal(Code.session_ended)
    try:
        claims = jwt.decode(token, key, _ALGORITHMS, options=_REQUIRED, audience=AUDIENCE, issuer=ISSUER)
        if claims["use"] != "access" or _REFUSED_HEADERS & jwt.get_unverified_header(token).keys():
            raise Refusal(Code.session_ended)
        device = UUID(claims["dev"]) if "dev" in claims else None
        return Signed(str(claims["cty"]), UUID(claims["sub"]), int(claims["exp"]), device)
    except Exception as error:  # also RecursionError: what a stranger sends must never become a server error
        raise Refusal(Code.session_ended) from error
