"""What the register has seen of late: who came, was born, died and left, who stands by whom, who is there twice.

Nobody it takes up was named in a visit or a request, so that no past call was made on somebody who had died before it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

from backend.demo.ids import at, mint, stream
from backend.demo.names import full, given
from backend.demo.records import Duty, Event, Link, Request, Resident, Visit, Worker
from backend.demo.staff import FULL_TIME
from shared.auth import Role
from shared.duties import DutyRole
from shared.links import HelperKind, LinkKind
from shared.register import EventKind
from shared.residents import Care, Relation, Residency, Sex

_BIRTHS, _DEATHS, _MOVE_INS = (80, 41, 12), (66, 19), (71, 34, 9)
# The last one is overdue: an arrival is looked into within fifteen days.
_MOVE_OUTS = (3, 6, 23)
_TWINS = 3
_GUARDIANS, _HELPERS = 8, 8


class Register:
    """Draws from the people whom nothing has happened to yet."""

    def __init__(
        self,
        seed: int,
        today: date,
        residents: Iterable[Resident],
        visits: Iterable[Visit],
        requests: Iterable[Request],
    ) -> None:
        self.rng, self.today = stream(seed, "register"), today
        named = {one.resident_id for one in visits} | {one.resident_id for one in requests}
        self.everybody = list(residents)
        self._free = [one for one in self.everybody if one.id not in named and one.residency is not Residency.away]
        self._taken: set[UUID] = set()

    def age(self, one: Resident) -> int:
        return (self.today - one.birth_date).days // 365

    def draw(self, count: int, fits: Callable[[Resident], bool]) -> list[Resident]:
        """Return people of different households, none of whom was drawn before."""
        able = [one for one in self._free if one.household_id not in self._taken and fits(one)]
        self.rng.shuffle(able)
        drawn = list({one.household_id: one for one in able}.values())[:count]
        self._taken |= {one.household_id for one in drawn}
        return drawn


def happen(register: Register, workers: list[Worker]) -> list[Event]:
    """Return the events of the last months, oldest first; each is noted on its day by the cell's own worker."""
    return sorted(_happened(register, workers), key=lambda event: event.noted_at)


def _happened(register: Register, workers: list[Worker]) -> Iterator[Event]:
    def young(one: Resident) -> bool:
        return one.relation is Relation.spouse and 22 <= register.age(one) <= 38

    def old(one: Resident) -> bool:
        return one.relation is not Relation.head and register.age(one) >= 75 and not one.care

    def grown(one: Resident) -> bool:
        return one.relation in (Relation.son, Relation.daughter) and 19 <= register.age(one) <= 40

    plan = (
        (EventKind.birth, _BIRTHS, young),
        (EventKind.death, _DEATHS, old),
        (EventKind.move_in, _MOVE_INS, young),
        (EventKind.move_out, _MOVE_OUTS, grown),
    )
    for kind, days, fits in plan:
        for ago, person in zip(days, register.draw(len(days), fits), strict=True):
            yield _event(register, kind, register.today - timedelta(days=ago), person, workers)


def _event(register: Register, kind: EventKind, day: date, person: Resident, workers: list[Worker]) -> Event:
    moment = at(day, register.rng.randrange(880, 1060))
    newcomer = _NEWCOMERS[kind](register.rng, person, moment) if kind in _NEWCOMERS else None
    return Event(
        id=mint(register.rng, moment), kind=kind, on=day, noted_at=moment,
        worker_id=in_charge(workers, person.area_code).id, resident_id=person.id, newcomer=newcomer,
        to_cell=_elsewhere(register, person.area_code) if kind is EventKind.move_out else None,
    )  # fmt: skip


def _elsewhere(register: Register, cell: str) -> str:
    return register.rng.choice(sorted({one.area_code for one in register.everybody} - {cell}))


def _baby(rng: Random, parent: Resident, moment: datetime) -> Resident:
    sex = rng.choice((Sex.male, Sex.female))
    return replace(
        parent, id=mint(rng, moment), name=parent.name[:1] + given(rng, sex, moment.year), sex=sex,
        birth_date=moment.date(), phone=None, care=(), id_number="",
        relation=Relation.son if sex is Sex.male else Relation.daughter,
    )  # fmt: skip


def _lodger(rng: Random, host: Resident, moment: datetime) -> Resident:
    sex, born = (
        rng.choice((Sex.male, Sex.female)),
        date(rng.randint(1985, 2004), rng.randint(1, 12), rng.randint(1, 28)),
    )
    return replace(
        host, id=mint(rng, moment), name=full(rng, sex, born.year), sex=sex, birth_date=born, phone=None, care=(),
        id_number="", relation=Relation.other, residency=Residency.floating,
    )  # fmt: skip


_NEWCOMERS = {EventKind.birth: _baby, EventKind.move_in: _lodger}


def repeat(register: Register, founded: datetime) -> list[Resident]:
    """Return people who are registered a second time, behind another door of their community, without a number."""
    rng = register.rng
    twice = register.draw(_TWINS, lambda one: one.phone is not None and register.age(one) >= 60)
    return [
        replace(
            one, id=mint(rng, founded), household_id=home.household_id, area_code=home.area_code, id_number="", care=(),
            relation=Relation.other,
        )
        for one in twice
        for home in register.draw(1, lambda other, own=one.area_code[:12]: other.area_code.startswith(own))  # type: ignore[misc]
    ]  # fmt: skip


def link(register: Register) -> list[Link]:
    """Return guardians of children who live with their grandparents, and neighbours who help old people."""
    heads = {one.household_id: one for one in register.everybody if one.relation is Relation.head}
    minors = [one for one in register.everybody if Care.left_behind in one.care][:_GUARDIANS]
    alone = [one for one in register.everybody if Care.alone in one.care and register.age(one) >= 80][:_HELPERS]
    since = register.today - timedelta(days=90)
    return [
        *(_link(register, one, heads[one.household_id], LinkKind.guardian, "祖父母", since) for one in minors),
        *(_link(register, one, _neighbour(register, one), LinkKind.helper, "邻居", since) for one in alone),
    ]


def _neighbour(register: Register, one: Resident) -> Resident:
    near = [
        other for other in register.everybody
        if other.area_code == one.area_code and other.household_id != one.household_id and other.phone
        and 30 <= register.age(other) <= 65
    ]  # fmt: skip
    return register.rng.choice(near)


def _link(register: Register, one: Resident, by: Resident, kind: LinkKind, relation: str, since: date) -> Link:
    helper = HelperKind.neighbour if kind is LinkKind.helper else None
    return Link(mint(register.rng, at(since, 600)), one.id, by.id, kind, helper, by.name, by.phone, relation, since)


def assign(seed: int, founded: datetime, cells: Iterable[str], workers: list[Worker]) -> list[Duty]:
    """Return who answers for each cell; in every third one somebody is informed and somebody serves as well."""
    rng, since = stream(seed, "duties"), founded.date()
    duties = []
    for index, cell in enumerate(cells):
        team = [in_charge(workers, cell), *([] if index % 3 else _others(workers, cell))]
        duties += [
            Duty(mint(rng, founded), cell, role, worker.id, since) for role, worker in zip(DutyRole, team, strict=False)
        ]
    return duties


def in_charge(workers: list[Worker], cell: str) -> Worker:
    """Return the full-time worker who holds a cell in their own right."""
    return next(worker for worker in workers if worker.post == FULL_TIME and _holds(worker, cell))


def _others(workers: list[Worker], cell: str) -> tuple[Worker, Worker]:
    assistant = next(worker for worker in workers if worker.post != FULL_TIME and _holds(worker, cell))
    return assistant, next(worker for worker in workers if worker.grants[0].area_code == cell[:12])


def _holds(worker: Worker, cell: str) -> bool:
    return any(
        grant.role is Role.grid_worker and grant.area_code == cell and not grant.stand_in for grant in worker.grants
    )
