"""The 54 workers in the proportions of the 2020 report, and which areas each answers for."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from backend.demo.ids import mint, phone_numbers, stream
from backend.demo.names import full
from backend.demo.records import Grant, Worker
from backend.demo.words.places import COMMUNITIES, Ground
from shared.auth import Role
from shared.residents import Sex

HEAD = "社区党支部书记、主任"
DEPUTY_SECRETARY = "副书记"
DEPUTY_DIRECTOR = "副主任"
FULL_TIME = "社区专职工作者"
ASSISTANT = "协管员"
_SOURCES = {FULL_TIME: "省招聘", ASSISTANT: "协管员"}
_ELECTED = "公推直选"
_CERTIFICATES = ("社会工作师",) * 5 + ("助理社会工作师",) * 9

# One row a community: deputy, full-time workers, assistants. 4 heads + 4 deputies + 19 + 27 = 54.
_TEAMS = ((DEPUTY_SECRETARY, 5, 7), (DEPUTY_DIRECTOR, 5, 6), (DEPUTY_SECRETARY, 5, 7), (DEPUTY_DIRECTOR, 4, 7))
_CELLS = 6


def hire(seed: int, founded: datetime) -> list[Worker]:
    """Return all workers, community by community, heads first."""
    rng = stream(seed, "staff")
    phones = phone_numbers(rng, 1)
    plan = [line for ground, team in zip(COMMUNITIES, _TEAMS, strict=True) for line in _team(ground, *team)]
    papers = _certificates(rng, [post for _, post, _ in plan])
    return [
        Worker(mint(rng, founded), code, _name(rng), next(phones), post, _SOURCES.get(post, _ELECTED), paper, grants)
        for (code, post, grants), paper in zip(plan, papers, strict=True)
    ]


def _team(ground: Ground, deputy: str, full_time: int, assistants: int) -> Iterator[tuple[str, str, tuple[Grant, ...]]]:
    whole = (Grant(Role.community_worker, ground.code),)
    yield ground.code, HEAD, whole
    yield ground.code, deputy, whole
    for index in range(full_time):
        # Fewer full-time workers than cells: the first ones hold the last cells as well.
        yield ground.code, FULL_TIME, _cells(ground, *range(index, _CELLS, full_time))
    for index in range(assistants):
        own = _cells(ground, index % _CELLS)
        yield ground.code, ASSISTANT, (*own, _stand_in(ground, index + 1)) if index in (1, 4) else own


def _cells(ground: Ground, *indices: int) -> tuple[Grant, ...]:
    return tuple(Grant(Role.grid_worker, f"{ground.code}{index + 1:03d}") for index in indices)


def _stand_in(ground: Ground, index: int) -> Grant:
    return Grant(Role.grid_worker, f"{ground.code}{index + 1:03d}", stand_in=True)


def _certificates(rng: Random, posts: list[str]) -> list[str | None]:
    """Spread the certificates over everybody but the assistants, who seldom sit the examination."""
    papers: list[str | None] = [None] * len(posts)
    able = [index for index, post in enumerate(posts) if post != ASSISTANT]
    for index, paper in zip(rng.sample(able, len(_CERTIFICATES)), _CERTIFICATES, strict=True):
        papers[index] = paper
    return papers


def _name(rng: Random) -> str:
    return full(rng, rng.choice((Sex.male, Sex.female, Sex.female)), rng.randint(1972, 1999))
