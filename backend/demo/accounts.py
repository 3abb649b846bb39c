"""The twelve who can sign in. Their passwords are demo words, printed for everybody."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from backend.demo.ids import mint, stream
from backend.demo.records import Account, Grant, Volunteer, Worker
from backend.demo.staff import HEAD
from backend.demo.words.places import COMMUNITIES, COUNTY
from shared.auth import Role

_PASSWORD = "linge-2026-{}"
# The cell after which the grid worker of each community is named; the holder of 新民街 01 looks after a second one.
_CELL_OF = {"xinjianlu": 2, "xinminjie": 1, "yangjiaping": 3, "longkou": 4}
_VOLUNTEERS = {"volunteer1": "610330100008", "volunteer2": "610330100001"}


def open_accounts(seed: int, workers: list[Worker], volunteers: list[Volunteer], founded: datetime) -> list[Account]:
    """Return the accounts: county, communities, cells, volunteers, auditor."""
    rng = stream(seed, "accounts")
    heads = [(g.login, _head(workers, g.code)) for g in COMMUNITIES]
    cells = [(g.login, _CELL_OF[g.login], g.code) for g in COMMUNITIES]
    holders = [(f"{login}{cell:02d}", _holder(workers, f"{code}{cell:03d}")) for login, cell, code in cells]
    return [
        _open("admin", mint(rng, founded), "县级管理员", (Grant(Role.county_admin, COUNTY),)),
        *(_for_worker(login, worker) for login, worker in heads + holders),
        *(_for_volunteer(login, mint(rng, founded), _first(volunteers, code)) for login, code in _VOLUNTEERS.items()),
        _open("auditor", mint(rng, founded), "审计员", (Grant(Role.auditor, COUNTY),)),
    ]


def _head(workers: list[Worker], community: str) -> Worker:
    return next(worker for worker in workers if worker.community_code == community and worker.post == HEAD)


def _holder(workers: list[Worker], cell: str) -> Worker:
    """Return the first worker who holds the cell in their own right: a full-time one."""
    return next(worker for worker in workers if Grant(Role.grid_worker, cell) in worker.grants)


def _first(volunteers: list[Volunteer], community: str) -> Volunteer:
    return next(volunteer for volunteer in volunteers if volunteer.community_code == community)


def _open(username: str, account_id: UUID, name: str, grants: tuple[Grant, ...]) -> Account:
    return Account(account_id, username, _PASSWORD.format(username), name, grants)


def _for_worker(username: str, worker: Worker) -> Account:
    """Open an account under the worker's own id, which is what visits and requests name."""
    return replace(_open(username, worker.id, worker.name, worker.grants), worker_id=worker.id)


def _for_volunteer(username: str, account_id: UUID, volunteer: Volunteer) -> Account:
    """Open a volunteer's account; the grant opens no rows of the community, it only says where they registered."""
    grants = (Grant(Role.volunteer, volunteer.community_code),)
    return replace(_open(username, account_id, volunteer.name, grants), volunteer_id=volunteer.id)
