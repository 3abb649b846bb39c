"""Kinds of household: who lives together, how old they are and what they are to the head."""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from shared.residents import Relation, Sex


class Member(NamedTuple):
    """Somebody of a household before name and number; `kin` carries the family's surname."""

    relation: Relation
    sex: Sex
    age: int
    kin: bool = True
    away: bool = False


def draw_family(rng: Random) -> tuple[str, list[Member]]:
    """Draw a kind of household and its members, the head first."""
    kind = rng.choices(_KINDS, _SHARES)[0]
    return kind, _DRAW[kind](rng)


def _sex(rng: Random, male: float = 0.5) -> Sex:
    return Sex.male if rng.random() < male else Sex.female


def _pair(rng: Random, age: int) -> list[Member]:
    """A head and the spouse; four heads in five are the husband."""
    sex = _sex(rng, 0.8)
    other = Sex.female if sex is Sex.male else Sex.male
    spouse = Member(Relation.spouse, other, max(22, age - rng.randint(-2, 5)), kin=False)
    return [Member(Relation.head, sex, age), spouse]


def _child(rng: Random, parent: int, kin: bool = True) -> Member:
    sex = _sex(rng, 0.52)
    relation = Relation.son if sex is Sex.male else Relation.daughter
    return Member(relation, sex, max(0, parent - rng.randint(23, 34)), kin)


def _parent(rng: Random, child: int, sex: Sex) -> Member:
    return Member(Relation.parent, sex, min(97, child + rng.randint(22, 31)), kin=sex is Sex.male)


def _alone(rng: Random) -> list[Member]:
    return [Member(Relation.head, _sex(rng, 0.38), int(rng.triangular(66, 97, 77)))]


def _old_couple(rng: Random) -> list[Member]:
    return _pair(rng, int(rng.triangular(61, 92, 71)))


def _single(rng: Random) -> list[Member]:
    return [Member(Relation.head, _sex(rng, 0.6), rng.randint(22, 59))]


def _couple(rng: Random) -> list[Member]:
    return _pair(rng, rng.choice((rng.randint(25, 34), rng.randint(46, 62))))


def _one_child(rng: Random) -> list[Member]:
    age = rng.randint(27, 54)
    pair = _pair(rng, age)
    return [*pair, _child(rng, age, pair[0].sex is Sex.male)]


def _two_children(rng: Random) -> list[Member]:
    age = rng.randint(29, 48)
    pair = _pair(rng, age)
    return [*pair, *(_child(rng, age, pair[0].sex is Sex.male) for _ in range(2))]


def _three_generations(rng: Random) -> list[Member]:
    young = rng.choice((_one_child, _two_children))(rng)
    head = young[0].age
    old = [_parent(rng, head, sex) for sex in rng.choice(((Sex.male, Sex.female), (Sex.female,), (Sex.male,)))]
    return [*young, *old]


def _left_behind(rng: Random) -> list[Member]:
    """Grandparents with a grandchild, the parents away for work."""
    age = rng.randint(56, 74)
    old = _pair(rng, age)[: rng.choice((1, 2, 2))]
    father = Member(Relation.son, Sex.male, max(24, age - rng.randint(23, 30)), away=True)
    child = Member(Relation.grandchild, _sex(rng), max(3, father.age - rng.randint(22, 28)))
    return [*old, father, child._replace(age=min(15, child.age))]


def _with_parent(rng: Random) -> list[Member]:
    head = Member(Relation.head, _sex(rng, 0.6), rng.randint(45, 64))
    return [head, _parent(rng, head.age, _sex(rng, 0.35))]


def _siblings(rng: Random) -> list[Member]:
    age = rng.randint(24, 40)
    return [Member(Relation.head, _sex(rng), age), Member(Relation.sibling, _sex(rng), age - rng.randint(2, 6))]


def _with_grandparent(rng: Random) -> list[Member]:
    head = Member(Relation.head, _sex(rng), rng.randint(20, 32))
    return [head, Member(Relation.grandparent, _sex(rng, 0.3), head.age + rng.randint(48, 58), kin=False)]


def _lodger(rng: Random) -> list[Member]:
    return [*_couple(rng), Member(Relation.other, _sex(rng), rng.randint(19, 45), kin=False)]


def _child_by_day(rng: Random) -> list[Member]:
    """A school child whose parent works elsewhere during the week."""
    parent = Member(Relation.head, _sex(rng, 0.6), rng.randint(37, 46), away=True)
    return [parent, _child(rng, parent.age)._replace(age=rng.randint(11, 15))]


# kind -> (share of households in percent, how to draw it)
_TABLE: dict[str, tuple[float, Callable[[Random], list[Member]]]] = {
    "alone": (8.5, _alone),
    "old_couple": (17.0, _old_couple),
    "single": (6.0, _single),
    "couple": (10.5, _couple),
    "one_child": (24.0, _one_child),
    "two_children": (12.0, _two_children),
    "three_generations": (11.0, _three_generations),
    "left_behind": (3.2, _left_behind),
    "with_parent": (3.0, _with_parent),
    "siblings": (1.2, _siblings),
    "with_grandparent": (1.0, _with_grandparent),
    "lodger": (2.2, _lodger),
    "child_by_day": (0.4, _child_by_day),
}
_KINDS = tuple(_TABLE)
_SHARES = tuple(share for share, _ in _TABLE.values())
_DRAW = {kind: draw for kind, (_, draw) in _TABLE.items()}
