"""What can have happened, and where a tap on it leads."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.texts import _

KEPT = timedelta(days=30)
MOST = 200
"""More than anybody reads; the oldest go first."""


class What(StrEnum):
    """Something that concerns a worker or a volunteer."""

    alert = "alert"
    danger = "danger"
    came = "came"
    mine = "mine"
    handed = "handed"
    late = "late"
    move = "move"
    move_late = "move_late"
    doubt = "doubt"
    twin = "twin"
    conflict = "conflict"
    refused = "refused"
    returned = "returned"
    decided = "decided"
    offer = "offer"
    recalled = "recalled"
    changed = "changed"
    cancelled = "cancelled"
    confirmed = "confirmed"
    unverified = "unverified"


@dataclass(frozen=True, slots=True)
class Way:
    """`route` shows the thing itself, `whole` the list it stands in; `many` is said instead of a row for each."""

    icon: str
    whole: str
    many: str
    route: str = ""
    asks: str = ""


_REQUEST = ("request", "request_id")
WAYS: dict[What, Way] = {
    What.alert: Way("warning", "today", _("有 {} 个预警")),
    What.danger: Way("warning", "todo", _("有 {} 件急事"), *_REQUEST),
    What.came: Way("list-checks", "todo", _("新来 {} 件待办"), *_REQUEST),
    What.mine: Way("hand-palm", "todo", _("有 {} 件转给您办"), *_REQUEST),
    What.handed: Way("share-network", "todo", _("有 {} 件换了人办"), *_REQUEST),
    What.late: Way("clock", "todo", _("有 {} 件待办超期了"), *_REQUEST),
    What.move: Way("truck", "check", _("有 {} 起搬来的等您核实")),
    What.move_late: Way("truck", "check", _("有 {} 起搬来的过了期限还没核实")),
    What.doubt: Way("scales", "check", _("有 {} 处登记等您核对")),
    What.twin: Way("users", "check", _("有 {} 对可能登记重了")),
    What.conflict: Way("scales", "check", _("有 {} 条两边不一样，等您定")),
    What.refused: Way("arrow-u-up-left", "sync", _("被退回 {} 条")),
    What.returned: Way("arrow-u-up-left", "check", _("没有收下 {} 条")),
    What.decided: Way("check-circle", "check", _("有 {} 条已经定了"), "person", "resident_id"),
    What.offer: Way("hand-heart", "offers", _("有 {} 位邻居找您帮忙")),
    What.recalled: Way("x", "offers", _("有 {} 个邀请收回了")),
    What.changed: Way("calendar-blank", "tasks", _("有 {} 件任务变了")),
    What.cancelled: Way("prohibit", "tasks", _("有 {} 件任务取消了")),
    What.confirmed: Way("check-circle", "hours", _("有 {} 次服务双方都确认了")),
    What.unverified: Way("question", "hours", _("有 {} 次服务还没核实")),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry as it is kept. `key` is the same for the same news, however often it comes."""

    key: str
    what: What
    at: datetime
    text: str
    about: str = ""
    count: int = 1
    read: bool = False

    def as_kept(self) -> dict[str, Any]:
        return {**asdict(self), "what": self.what.value, "at": self.at.isoformat()}


def as_notice(kept: dict[str, Any]) -> Notice:
    return Notice(**{**kept, "what": What(kept["what"]), "at": datetime.fromisoformat(kept["at"])})


def in_time(notices: Iterable[Notice], now: datetime) -> list[Notice]:
    """Those that are still kept, newest first."""
    young = [notice for notice in notices if now - notice.at < KEPT]
    return sorted(young, key=lambda notice: notice.at, reverse=True)[:MOST]
