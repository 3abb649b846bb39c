"""Exactly once: the ledger answers a repeat with the first answer and refuses a reuse."""

import asyncpg
import pytest
from pydantic import BaseModel

from backend.core import operations
from backend.core.errors import Refusal
from backend.core.operations import Remembered, applied, fingerprint
from backend.core.scope import Caller
from shared.auth import Role
from shared.errors import Code
from shared.sync import Outcome
from shared.types import Utc, uuid7
from tests.factories import CELL, COUNTY

KEY = bytes(range(100, 132))
BODY = {"note": "说腿疼", "phone": "13800000000", "at": "2026-11-23T10:00:00+08:00"}


class Body(BaseModel):
    note: str
    phone: str
    at: Utc


@pytest.fixture
def database_url(shared_url: str) -> str:
    return shared_url


def worker() -> Caller:
    return Caller(uuid7(), "张敏", COUNTY, ((Role.grid_worker, CELL),))


class Asking:
    """An account that asks for one thing to be done."""

    def __init__(self, database, caller: Caller) -> None:
        self.database, self.caller, self.done = database, caller, 0

    async def ask(self, entity, body=BODY) -> Remembered | None:
        op_id, content = (
            operations.of_put("visit", entity),
            fingerprint(KEY, "visit", entity, Body.model_validate(body)),
        )

        async def work(tx) -> Remembered | None:
            known = await operations.repeated(tx, op_id, content, Code.id_taken)
            if known is None:
                self.done += 1
                tx.settled(applied(op_id, "visit", entity, content, rev=1))
            return known

        return await self.database.run(self.caller, work)


async def test_the_same_request_again_gets_the_first_answer_and_is_not_done_again(database):
    asking, visit = Asking(database, worker()), uuid7()

    first, repeat = await asking.ask(visit), await asking.ask(visit)

    assert first is None
    assert (repeat.entity_id, repeat.outcome, repeat.rev) == (visit, Outcome.applied, 1)
    assert asking.done == 1


async def test_the_order_of_fields_and_the_zone_of_a_time_make_no_other_content(database):
    asking, visit = Asking(database, worker()), uuid7()

    await asking.ask(visit)
    repeat = await asking.ask(visit, {**dict(reversed(BODY.items())), "at": "2026-11-23T02:00:00Z"})

    assert repeat is not None
    assert asking.done == 1


async def test_the_same_id_with_other_content_is_refused(database):
    asking, visit = Asking(database, worker()), uuid7()
    await asking.ask(visit)

    with pytest.raises(Refusal) as refused:
        await asking.ask(visit, {**BODY, "note": "很好"})

    assert refused.value.code is Code.id_taken
    assert asking.done == 1


async def test_another_accounts_operation_is_invisible_and_its_id_taken(database):
    visit = uuid7()
    first, other = Asking(database, worker()), Asking(database, worker())
    await first.ask(visit)

    seen = await database.run(other.caller, lambda tx: operations.remembered(tx, [operations.of_put("visit", visit)]))
    with pytest.raises(Refusal) as refused:
        await other.ask(visit)

    assert seen == {}
    assert refused.value.code is Code.id_taken


async def test_a_key_belongs_to_its_account_and_address():
    one, other = uuid7(), uuid7()
    ids = {
        operations.of_key(one, "/api/v1/requests", "a"),
        operations.of_key(one, "/api/v1/requests", "b"),
        operations.of_key(one, "/api/v1/visits", "a"),
        operations.of_key(other, "/api/v1/requests", "a"),
    }

    assert len(ids) == 4
    assert operations.of_key(one, "/api/v1/requests", "a") in ids


async def test_the_ledger_keeps_a_keyed_hash_and_no_words(database, database_url):
    visit = uuid7()
    await Asking(database, worker()).ask(visit)
    owner = await asyncpg.connect(database_url)
    row = await owner.fetchrow(
        "SELECT content_hmac, operation::text AS whole FROM operation WHERE entity_id = $1", visit
    )
    await owner.close()

    assert len(row["content_hmac"]) == 32
    assert not any(value in row["whole"] for value in BODY.values())


def test_the_fingerprint_needs_the_countys_key():
    """Without a key, whoever sees the ledger could try all phone numbers."""
    visit, body = uuid7(), Body.model_validate(BODY)

    assert fingerprint(KEY, "visit", visit, body) != fingerprint(bytes(32), "visit", visit, body)
    assert fingerprint(KEY, "visit", visit, body) != fingerprint(KEY, "visit", uuid7(), body)
    assert fingerprint(KEY, "visit", visit, body) != fingerprint(KEY, "request", visit, body)
