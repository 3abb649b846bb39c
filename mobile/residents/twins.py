"""Two rows that may be one person, as a worker reads and decides them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from mobile.core import texts
from mobile.residents import effects, homes, merged
from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.links import LIKENESS_WORDS, DuplicateOut, DuplicateState, HomeFate, SettleIn, Sketch
from shared.residents import MergedRow, ResidentOut
from shared.sync import EntityKind
from shared.texts import _

_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two rows."""

    name: str
    door: str
    born: str
    phone: str
    number: str


@dataclass(frozen=True, slots=True)
class Twin:
    """A pair to decide; `stays` says which row is left when they are one person."""

    id: UUID
    title: str
    why: str
    first: Side
    second: Side
    stays: str


def waiting(store: Store) -> list[DuplicateOut]:
    """The open pairs of which both people are on this phone's lists, the surest first."""
    found = [pair for pair in store.entities.all(DuplicateOut) if pair.state is DuplicateState.open]
    mine = [pair for pair in found if all(store.entities.get(ResidentOut, one.id) for one in sides(pair))]
    return sorted(mine, key=lambda pair: (-pair.score, pair.received_at))


def shown(pair: DuplicateOut) -> Twin:
    names = list(dict.fromkeys(one.name for one in sides(pair)))
    return Twin(
        id=pair.id,
        title=_("、").join(names),
        why=_("；").join(LIKENESS_WORDS[reason] for reason in pair.reasons),
        first=_side(pair.first),
        second=_side(pair.second),
        stays=_stays(pair),
    )


def sides(pair: DuplicateOut) -> tuple[Sketch, Sketch]:
    return pair.first, pair.second


def kept(pair: DuplicateOut) -> Sketch:
    """The row that stays: the one with an identity number, as the server demands, else the one registered first."""
    return min(sides(pair), key=lambda one: (not one.id_on_file, one.received_at or _LATEST))


def decided(store: Store, pair: DuplicateOut, found: SettleIn) -> list[Effect]:
    """The pair is settled at once, and of one person one row is left on the lists."""
    state = DuplicateState.merged if found.same else DuplicateState.distinct
    settled = Effect(EntityKind.duplicate, pair.id, {"state": state.value})
    lost = next(one for one in sides(pair) if one.id != kept(pair).id)
    row = store.entities.get(ResidentOut, lost.id) if found.same else None
    return [settled, *(_merged(store, row, lost, kept(pair)) if row else [])]


def _merged(store: Store, row: ResidentOut, lost: Sketch, stays: Sketch) -> list[Effect]:
    """A household that is left empty goes from the lists too, and is read with the one of the row that stays."""
    taken_off = [*effects.take_off(store, row), _taken_in(store, row, stays)]
    if lost.home_fate is not HomeFate.folds or stays.household_id is None:
        return taken_off
    folded = [
        *homes.homes_of(store.entities, stays.household_id)[1:],
        *homes.homes_of(store.entities, row.household_id),
    ]
    return [
        *(effect for effect in taken_off if effect.kind is not EntityKind.household),
        Effect(EntityKind.household, row.household_id, None),
        Effect(EntityKind.household, stays.household_id, {"folded": [str(one) for one in folded]}),
    ]


def _taken_in(store: Store, row: ResidentOut, stays: Sketch) -> Effect:
    """Whoever stands by either row stands by the one that stays."""
    lost = MergedRow(id=row.id, household_id=row.household_id)
    rows = [*merged.into(store.entities, stays.id), lost, *merged.into(store.entities, row.id)]
    patch = {"merged": [as_json(one) for one in rows]}
    return Effect(EntityKind.resident, stays.id, patch, parent=stays.household_id)


def _side(one: Sketch) -> Side:
    return Side(
        name=one.name,
        door=one.door,
        born=_("{year}年{day}生").format(year=one.birth_date.year, day=texts.month_day(one.birth_date))
        if one.birth_date
        else _("没写出生日期"),
        phone=texts.phone_masked(one.phone) if one.phone else _("没写电话"),
        number=_("身份证已登记") if one.id_on_file else _("身份证没登记"),
    )


def _stays(pair: DuplicateOut) -> str:
    stays = kept(pair)
    why = _("登记了身份证") if stays.id_on_file else _("登记得早")
    return _("留下{door}的{name}（{why}），另一条并进来，以前记的都在。").format(
        door=stays.door, name=stays.name, why=why
    )
