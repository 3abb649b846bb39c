"""Tokens from strangers: whatever is sent, the answer is 401 and never a server error."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256, sha512
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jose import jwt

from backend.auth import tokens
from backend.core.clock import system_clock
from backend.core.errors import Refusal
from shared.types import uuid7
from tests.conftest import KEYS
from tests.factories import COUNTY, Person


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


def encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


def signed(head: bytes, claims: dict[str, Any], key: bytes, digest: Any = sha256) -> str:
    """Sign by hand, so that no library refuses to write what a stranger would send."""
    body = encoded(head) + b"." + encoded(json.dumps(claims).encode())
    return (body + b"." + encoded(hmac.digest(key, body, digest))).decode()


def claims_of(person: Person, **changed: Any) -> dict[str, Any]:
    """Return the claims of a good token with some changed; None leaves one out."""
    good = jwt.get_unverified_claims(tokens.issue(KEYS.token, COUNTY, person.account_id, system_clock()))
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


HEAD = b'{"alg":"HS256","typ":"JWT"}'


def with_header(**more: Any) -> bytes:
    return json.dumps({"alg": "HS256", "typ": "JWT", **more}).encode()


def public_key_files() -> dict[str, bytes]:
    """Return public keys as a stranger may know them, each usable as if it were a shared secret."""
    keys = {"ec": ec.generate_private_key(ec.SECP256R1()), "rsa": rsa.generate_private_key(65537, 2048)}
    return {
        f"{name} {form} as a secret": key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        for name, key in keys.items()
        for form, encoding in {"DER": Encoding.DER, "PEM": Encoding.PEM}.items()
    }


def hostile(person: Person) -> dict[str, str]:
    """Return every token that must be refused, by what is wrong with it."""
    good, now = claims_of(person), int(system_clock().timestamp())
    fine = signed(HEAD, good, KEYS.token)
    nested = b'{"alg":"HS256","x":' + b"[" * 2000 + b"]" * 2000 + b"}"
    return {
        **{name: signed(HEAD, good, key) for name, key in public_key_files().items()},
        **{f"without {name}": signed(HEAD, claims_of(person, **{name: None}), KEYS.token) for name in good},
        **{f"{name} is null": signed(HEAD, {**good, name: None}, KEYS.token) for name in good},
        **{f"{name} is a list": signed(HEAD, {**good, name: [[]]}, KEYS.token) for name in good},
        "no signature": signed(b'{"alg":"none"}', good, b"").rpartition(".")[0] + ".",
        "none in capitals": signed(b'{"alg":"NONE"}', good, b"").rpartition(".")[0] + ".",
        "signed by a stranger": signed(HEAD, good, b"x" * 32),
        "empty key": signed(HEAD, good, b""),
        "another algorithm": signed(b'{"alg":"HS512"}', good, KEYS.token, sha512),
        "no algorithm": signed(b"{}", good, KEYS.token),
        "an algorithm that is a list": signed(b'{"alg":["HS256"]}', good, KEYS.token),
        "expired": signed(HEAD, {**good, "exp": now - 1}, KEYS.token),
        "expires never": signed(HEAD, {**good, "exp": float("inf")}, KEYS.token),
        "expires in words": signed(HEAD, {**good, "exp": "tomorrow"}, KEYS.token),
        "for somebody else": signed(HEAD, {**good, "aud": "another-api"}, KEYS.token),
        "from somebody else": signed(HEAD, {**good, "iss": "another-issuer"}, KEYS.token),
        "for refreshing": signed(HEAD, {**good, "use": "refresh"}, KEYS.token),
        "of nobody": signed(HEAD, {**good, "sub": str(uuid7())}, KEYS.token),
        "of another county": signed(HEAD, {**good, "cty": "610331"}, KEYS.token),
        **{
            f"header {name}": signed(with_header(**{name: "x"}), good, KEYS.token)
            for name in ("jku", "x5u", "jwk", "x5c")
        },
        "header crit": signed(with_header(crit=["b64"], b64=False), good, KEYS.token),
        "header 2,000 deep": signed(nested, good, KEYS.token),
        "claims 2,000 deep": f"{encoded(HEAD).decode()}.{encoded(b'[' * 2000).decode()}.x",
        "a header that is a list": signed(b"[]", good, KEYS.token),
        "a header that is not JSON": signed(b"\xff\xfe", good, KEYS.token),
        "20 MB": signed(HEAD, {**good, "pad": "x" * 15_000_000}, KEYS.token),
        "over 4 KB": signed(HEAD, {**good, "pad": "x" * 4096}, KEYS.token),
        "truncated": fine[:-5],
        "half": fine[: len(fine) // 2],
        "no parts": "abc",
        "only dots": "..",
        "five parts": "a.b.c.d.e",
        "garbage": "\xff\xfe\x00\x01é",
        "empty": " ",
    }


async def test_every_hostile_token_is_refused_with_a_problem_and_no_server_error(running, make):
    worker = await make.worker()
    stranger = running.client()

    answers = {
        name: await stranger.get("/api/v1/auth/me", headers=[(b"Authorization", b"Bearer " + token.encode("latin-1"))])
        for name, token in hostile(worker).items()
    }

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code != 401} == {}
    assert {answer.headers["content-type"] for answer in answers.values()} == {"application/problem+json"}
    assert {answer.json()["code"] for answer in answers.values()} <= {"session_ended", "not_signed_in"}


async def test_the_token_that_they_are_made_from_is_good(running, make):
    """The control: unchanged claims, signed by the same hand, are let in."""
    worker = await make.worker()
    token = signed(HEAD, claims_of(worker), KEYS.token)

    answer = await running.client(Authorization=f"Bearer {token}").get("/api/v1/auth/me")

    assert answer.json()["account_id"] == str(worker.account_id)


def test_the_library_alone_would_let_some_of_them_in():
    """The control: why there is a wrapper. An omitted algorithm, exp and aud pass; a nested header is no JWTError."""
    der = public_key_files()["ec DER as a secret"]
    forged = signed(HEAD, {"sub": "stranger"}, der)

    assert jwt.decode(forged, der, None, audience=tokens.AUDIENCE) == {"sub": "stranger"}
    with pytest.raises(Refusal):
        tokens.read(der, forged)


async def test_another_scheme_or_an_unknown_key_is_refused(running):
    stranger = running.client()
    strange = [
        *((b"Authorization", value) for value in (b"Basic dTpw", b"bearer", b"Bearer", b"Token x", b"Bearer a b c")),
        *((b"X-API-Key", value) for value in (b"gh_x", b"x" * 100_000, b"\xff", b"' OR 1=1 --", b"")),
    ]

    answers = [await stranger.get("/api/v1/auth/me", headers=[header]) for header in strange]

    assert [answer.status_code for answer in answers] == [401] * len(strange)


def test_a_token_says_who_and_nothing_of_what_they_may():
    token = tokens.issue(KEYS.token, COUNTY, uuid7(), system_clock())

    assert set(jwt.get_unverified_claims(token)) == {"iss", "aud", "sub", "cty", "use", "iat", "exp", "jti"}


def test_a_token_lives_for_a_quarter_of_an_hour():
    issued = system_clock()
    claims = jwt.get_unverified_claims(tokens.issue(KEYS.token, COUNTY, uuid7(), issued))

    assert timedelta(seconds=claims["exp"] - claims["iat"]) == timedelta(minutes=15)
