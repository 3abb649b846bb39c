"""What a request is called on the phone, when it is due, and which steps are open to a worker."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from mobile.core.clock import local_day
from mobile.residents.rules import door_short
from shared.grid import CellOut
from shared.requests import (
    BY_OFFER,
    CATEGORIES,
    TRANSITIONS,
    RequestKind,
    RequestOut,
    RequestState,
    Urgency,
    owes_reason,
)
from shared.residents import HouseholdOut
from shared.texts import _

NO_NUMBER = _("待编号")
KIND_WORDS = {RequestKind.help: _("求助"), RequestKind.incident: _("事件"), RequestKind.matter: _("办件")}
CATEGORY_ICONS = {
    "escort_hospital": "first-aid-kit",
    "deliver_medicine": "pill",
    "errand": "shopping-bag",
    "meal": "bowl-food",
    "repair": "wrench",
    "housework": "broom",
    "phone_lesson": "device-mobile",
    "chat": "chats-circle",
    "electric_repair": "lightning",
    "street_lamp": "lamp",
    "rubbish": "trash",
    "manhole": "circle-half-tilt",
    "pipe_leak": "pipe",
    "fallen_tree": "tree",
    "noise": "speaker-high",
    "fire_hazard": "fire-extinguisher",
    "standing_water": "drop",
    "other_incident": "dots-three",
}
URGENCY_OPTIONS = [(Urgency.soon.value, _("一般"), ""), (Urgency.today.value, _("尽快"), "")]
DAYS = {Urgency.whenever: 7, Urgency.soon: 3, Urgency.today: 0, Urgency.danger: 0}
"""Days until a request is due. Calendar days, until the server counts working days and says so in the row."""

_s = RequestState
_STEP_WORDS: dict[tuple[RequestState, RequestState], tuple[str, str]] = {
    (_s.open, _s.handling): (_("我来办"), "hand-palm"),
    (_s.handling, _s.done): (_("办好了"), "check-circle"),
    (_s.serving, _s.done): (_("办好了"), "check-circle"),
    (_s.done, _s.closed): (_("确认办结"), "check-circle"),
    (_s.handling, _s.open): (_("转给别人"), "share-network"),
    (_s.taken, _s.open): (_("另外找人"), "users"),
    (_s.serving, _s.open): (_("另外找人"), "users"),
    (_s.done, _s.open): (_("没办好，重新找人"), "arrows-clockwise"),
    (_s.done, _s.handling): (_("没办好，接着办"), "arrows-clockwise"),
}
_ENDS = {_s.cancelled: (_("不用办了"), "x"), _s.rejected: (_("不予受理"), "prohibit")}
_ORDER = (_s.closed, _s.done, _s.handling, _s.open, _s.cancelled, _s.rejected)
_SAYS_WHAT_CAME_OF_IT = (_s.done, _s.closed)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that may be done next. `asks` is the question above the line to write in, '' when there is none."""

    to: str
    word: str
    icon: str
    asks: str
    must: bool


def options(kind: RequestKind) -> list[tuple[str, str, str]]:
    """The catalogue of a kind as tiles."""
    return [(code, one.title, CATEGORY_ICONS[code]) for code, one in CATEGORIES.items() if one.kind is kind]


def waits(request: RequestOut) -> bool:
    """Whether somebody still has to do something about it."""
    return request.state in TRANSITIONS[request.kind]


def due_on(request: RequestOut) -> date:
    """The day that was agreed for help, else some days after it was taken down."""
    if request.starts_at is not None:
        return local_day(request.starts_at)
    return local_day(request.received_at) + timedelta(days=DAYS[request.urgency])


def in_order(requests: Iterable[RequestOut]) -> list[RequestOut]:
    """The longest overdue first, and of one day the more urgent."""
    return sorted(requests, key=lambda one: (due_on(one), -int(one.urgency), one.received_at, one.id))


def steps(request: RequestOut) -> list[Step]:
    """What a worker may do next, the usual thing first. A volunteer's own yes is not among it."""
    following = TRANSITIONS[request.kind].get(request.state, frozenset())
    return [_step(request.state, to) for to in _ORDER if to in following and to not in BY_OFFER]


def _step(state: RequestState, to: RequestState) -> Step:
    word, icon = _STEP_WORDS.get((state, to)) or _ENDS[to]
    must = owes_reason(state, to)
    asks = _("为什么？会记在这件事里") if must else _("结果怎么样？可以不写") if to in _SAYS_WHAT_CAME_OF_IT else ""
    return Step(to.value, word, icon, asks, must)


def where(request: RequestOut, household: HouseholdOut | None, cells: Iterable[CellOut]) -> str:
    """何长顺家 3号楼2单元 302, or the words for a place, or at least its cell."""
    if household is not None:
        home = _("{head_name}家").format(head_name=household.head_name) if household.head_name else ""
        return f"{home} {door_short(household)}".strip()
    return request.place_note or next((cell.name for cell in cells if cell.code == request.area_code), _("本县"))


def who(request: RequestOut) -> str:
    """首问 张敏 · 经办 王芳, or 首问、经办 张敏."""
    if request.owner_name == request.handler_name:
        return _("首问、经办 {owner_name}").format(owner_name=request.owner_name)
    return _("首问 {owner_name} · 经办 {handler_name}").format(
        owner_name=request.owner_name, handler_name=request.handler_name
    )
