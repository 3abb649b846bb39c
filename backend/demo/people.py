"""Residents: households as they are in a small county town, with many old people."""

from datetime import date, datetime, timedelta
from random import Random

from backend.demo.care import care_of
from backend.demo.families import Member, draw_family
from backend.demo.ids import IdNumbers, mint, phone_numbers, stream
from backend.demo.names import given, surname
from backend.demo.records import Household, Resident
from shared.residents import Residency

_RENTING = 0.08
_REGISTERED_ELSEWHERE = 0.13
_PHONE_FROM = 12


def settle(seed: int, today: date, households: list[Household], founded: datetime) -> list[Resident]:
    """Fill every household with people."""
    office = _Office(seed, today, founded)
    return [resident for household in households for resident in office.register(household)]


class _Office:
    """Registers one household after another and never gives two people the same number."""

    def __init__(self, seed: int, today: date, founded: datetime) -> None:
        self._rng, self._today, self._founded = stream(seed, "people"), today, founded
        self._ids, self._phones = IdNumbers(self._rng), phone_numbers(self._rng, 0)

    def register(self, household: Household) -> list[Resident]:
        rng = self._rng
        family, members = draw_family(rng)
        stay = _stay(rng) if family != "left_behind" else Residency.registered
        name = surname(rng)
        return [self._person(household, family, member, name, stay) for member in members]

    def _person(self, home: Household, family: str, member: Member, name: str, stay: Residency) -> Resident:
        rng, born = self._rng, self._birthday(member.age)
        return Resident(
            id=mint(rng, self._founded),
            area_code=home.area_code,
            household_id=home.id,
            name=(name if member.kin else surname(rng)) + given(rng, member.sex, born.year),
            sex=member.sex,
            birth_date=born,
            phone=next(self._phones) if self._has_phone(member.age) else None,
            relation=member.relation,
            residency=Residency.away if member.away else stay,
            care=care_of(rng, family, member),
            id_number=self._ids.new(born, member.sex),
        )

    def _birthday(self, age: int) -> date:
        """Return a day on which somebody of that age was born: at most one day short of the next birthday."""
        return self._today - timedelta(days=int((age + self._rng.uniform(0.01, 0.99)) * 365.2425))

    def _has_phone(self, age: int) -> bool:
        return age >= _PHONE_FROM and self._rng.random() < (0.97 if age < 70 else 0.8)


def _stay(rng: Random) -> Residency:
    kinds = (Residency.floating, Residency.living, Residency.registered)
    return rng.choices(kinds, (_RENTING, _REGISTERED_ELSEWHERE, 1 - _RENTING - _REGISTERED_ELSEWHERE))[0]
