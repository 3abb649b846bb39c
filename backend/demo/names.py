"""Names for people who do not exist."""

from random import Random

from backend.demo.words.people import FEMALE, MALE, RARE, SURNAMES
from shared.residents import Sex

_SURNAMES, _WEIGHTS = tuple(SURNAMES), tuple(SURNAMES.values())
_ONE_CHARACTER = 0.16
_RARE = 0.012


def surname(rng: Random) -> str:
    """Draw a surname by how common it is."""
    return rng.choices(_SURNAMES, _WEIGHTS)[0]


def given(rng: Random, sex: Sex, born: int) -> str:
    """Draw a given name as parents of that year chose it."""
    eras = MALE if sex is Sex.male else FEMALE
    _, first, second, single = next(era for era in eras if born < era[0])
    if rng.random() < _RARE:
        return rng.choice(("", rng.choice(first))) + rng.choice(RARE)
    if rng.random() < _ONE_CHARACTER:
        return rng.choice(single)
    head = rng.choice(first)
    return head + rng.choice(second.replace(head, ""))


def full(rng: Random, sex: Sex, born: int) -> str:
    """Draw surname and given name."""
    return surname(rng) + given(rng, sex, born)
