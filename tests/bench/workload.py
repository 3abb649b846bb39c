"""What is asked of the servers, and what each answer must hold to count."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from urllib.parse import quote
from uuid import UUID

import orjson

from backend.auth import tokens
from shared.types import uuid7
from tests.bench.client import Job, request
from tests.bench.common import COUNTY, KEYS
from tests.bench.county import Home, Worker

BATCH = 100
PAGE = 50
_numbers = count(1)
_NOTE = "老人精神不错，血压药还有半个月，炉子和烟道看过了。"


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of request: how many connections, how many requests in a round, and how to make one."""

    title: str
    connections: int
    requests: int
    make: Callable[[Worker, str, random.Random], Job]
    visits: int = 0
    """Visits that one request stores."""

    def lines(self, workers: list[Worker], seed: int) -> list[list[Job]]:
        """Prepare a round, a line of jobs per connection. The seed makes it the same for every server but for ids."""
        chance = random.Random(seed)
        each = max(1, self.requests // self.connections)
        lines = []
        for worker in workers[: self.connections]:
            token = tokens.issue(KEYS.token, COUNTY, worker.account_id, datetime.now(UTC))
            lines.append([self.make(worker, token, chance) for _ in range(each)])
        return lines


def get_one(worker: Worker, token: str, chance: random.Random) -> Job:
    visit_id = chance.choice(worker.visits)
    return Job(request("GET", f"/api/v1/visits/{visit_id}", token), _holds(visit_id, worker))


def page_of(worker: Worker, token: str, chance: random.Random, cursor: str = "", first: UUID | None = None) -> Job:
    path = f"/api/v1/visits?area_code={worker.community}&limit={PAGE}"
    mark = f'"area_code":"{worker.community}'.encode()
    begins = f'{{"items":[{{"id":"{first}"'.encode() if first else b'{"items":[{"id":"'

    def is_right(answer: bytes) -> bool:
        return begins in answer and answer.count(b"," + mark) == PAGE and b'"next_cursor":"' in answer

    return Job(request("GET", path + (f"&cursor={quote(cursor)}" if cursor else ""), token), is_right)


def post_one(worker: Worker, token: str, chance: random.Random) -> Job:
    visit_id = uuid7()
    body = orjson.dumps(visit_to(chance.choice(worker.homes), chance))
    return Job(request("PUT", f"/api/v1/visits/{visit_id}", token, body), _holds(visit_id, worker))


def push_batch(worker: Worker, token: str, chance: random.Random, size: int = BATCH) -> Job:
    homes = chance.sample(worker.homes, size)
    body = {"device_id": worker.device_id, "operations": [_operation(worker, visit_to(h, chance)) for h in homes]}

    def is_right(answer: bytes) -> bool:
        return answer.count(b'"outcome":"applied"') == size

    return Job(request("POST", "/api/v1/sync/push", token, orjson.dumps(body)), is_right)


def visit_to(home: Home, chance: random.Random) -> dict[str, object]:
    """A visit with a fix some metres from the door, as a phone sends it."""
    fix = {"lon": home.lon + chance.uniform(-1e-4, 1e-4), "lat": home.lat + chance.uniform(-1e-4, 1e-4)}
    return {
        "household_id": str(home.id), "outcome": "seen", "visited_at": datetime.now(UTC).isoformat(), "note": _NOTE,
        "fix": {**fix, "crs": "wgs84", "accuracy_m": 12.0, "age_s": 2},
    }  # fmt: skip


def _operation(worker: Worker, fields: dict[str, object]) -> dict[str, object]:
    return {
        "op_id": uuid7(), "schema_version": 1, "kind": "visit.record", "entity_id": uuid7(),
        "author_id": worker.account_id, "device_id": worker.device_id, "device_seq": next(_numbers),
        "fields": fields, "made_at": fields["visited_at"],
    }  # fmt: skip


def _holds(visit_id: UUID, worker: Worker) -> Callable[[bytes], bool]:
    wanted = f'{{"id":"{visit_id}","area_code":"{worker.community}'.encode()
    return lambda answer: wanted in answer


def operations(*, quick: bool) -> list[Operation]:
    part = 4 if quick else 1
    return [
        Operation("get one", 8, 1600 // part, get_one),
        Operation(f"page of {PAGE}", 4, 480 // part, page_of),
        Operation("post", 8, 800 // part, post_one, visits=1),
        Operation(f"batch of {BATCH}", 4, 16 // part, push_batch, visits=BATCH),
    ]
