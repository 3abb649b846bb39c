"""The one plain sentence of a notice. It is read days later, so it names days and never says 明天."""

from collections.abc import Callable
from typing import Any

from mobile.core import texts
from mobile.core.clock import local_day
from mobile.inbox.notice import What
from mobile.inbox.rules import Eyes, News
from mobile.requests import rules as requests
from mobile.residents import homes, merged
from mobile.residents.rules import family_name
from mobile.store.outbox import Entry
from shared.conflicts import CHOICE_WORDS, ConflictOut
from shared.grid import CellOut
from shared.links import DuplicateOut
from shared.matching import OfferOut, TaskOut
from shared.register import MoveOut
from shared.requests import RequestOut
from shared.residents import ResidentOut
from shared.rounds import ALERT_WORDS, AlertOut
from shared.texts import _
from shared.visits import CORRECTION_WORDS, CorrectionOut, CorrectionState
from shared.volunteers import ServiceRecordOut


def sentence(eyes: Eyes, found: News) -> str:
    return _SENTENCES[found.what](eyes, found.before, found.after)


def about(eyes: Eyes, found: News) -> str:
    """The id of the page that a tap opens; '' when it is a whole list."""
    if isinstance(found.after, RequestOut):
        return str(found.after.id)
    if found.what is What.decided:
        person = getattr(found.after, "resident_id", None) or getattr(found.after, "entity_id", None)
        return str(person) if person and eyes.entities.get(ResidentOut, person) else ""
    return ""


def refused(entry: Entry) -> str:
    return _("被退回：{title}。{sentence}").format(title=entry.title, sentence=entry.sentence).rstrip(_("。")) + _("。")


def late(eyes: Eyes, request: RequestOut) -> str:
    return _("超期了：{title}，{where}").format(title=request.title, where=_where(eyes, request))


def _alert(_eyes: Eyes, _before: object, alert: AlertOut) -> str:
    first, last = texts.month_day(alert.from_day), texts.month_day(alert.last_day)
    days = first if first == last else _("{first}到{last}").format(first=first, last=last)
    return _("{alert}预警，{days}").format(alert=ALERT_WORDS[alert.kind], days=days) + (
        _("：{words}").format(words=alert.words) if alert.words else ""
    )


def _where(eyes: Eyes, request: RequestOut) -> str:
    home = homes.standing(eyes.entities, request.household_id) if request.household_id else None
    return requests.where(request, home, [] if home or request.place_note else eyes.entities.all(CellOut))


def _came(eyes: Eyes, _before: object, request: RequestOut) -> str:
    return _("来了一件{kind}：{title}，{where}").format(
        kind=requests.KIND_WORDS[request.kind], title=request.title, where=_where(eyes, request)
    )


def _danger(eyes: Eyes, _before: object, request: RequestOut) -> str:
    return _("急事：{title}，{where}").format(title=request.title, where=_where(eyes, request))


def _mine(_eyes: Eyes, before: RequestOut, request: RequestOut) -> str:
    return _("转给您办了：{title}，原来是{before}办").format(title=request.title, before=before.handler_name)


def _handed(_eyes: Eyes, before: RequestOut, request: RequestOut) -> str:
    return _("换了人办：{title}，从{before}转给{handler_name}").format(
        title=request.title, before=before.handler_name, handler_name=request.handler_name
    )


def _names(move: MoveOut) -> str:
    return _("、").join(mover.name for mover in move.movers)


def _move(_eyes: Eyes, _before: object, move: MoveOut) -> str:
    return _("{names}要搬来，等您上门核实").format(names=_names(move))


def _move_late(_eyes: Eyes, _before: object, move: MoveOut) -> str:
    return _("{names}要搬来，过了期限还没核实").format(names=_names(move))


def _about_whom(eyes: Eyes, one: CorrectionOut) -> str:
    person = merged.standing(eyes.entities, one.resident_id) if one.resident_id else None
    home = homes.standing(eyes.entities, one.household_id)
    return (
        _("{name}：").format(name=person.name)
        if person
        else _("{family}：").format(family=family_name(home))
        if home
        else ""
    )


def _doubt(eyes: Eyes, _before: object, one: CorrectionOut) -> str:
    return _("{about}{correction}，{noted_by}记的，等您核对").format(
        about=_about_whom(eyes, one), correction=CORRECTION_WORDS[one.what], noted_by=one.noted_by
    )


def _twin(_eyes: Eyes, _before: object, pair: DuplicateOut) -> str:
    names = _("、").join(dict.fromkeys((pair.first.name, pair.second.name)))
    return _("{names}可能登记重了，等您核对").format(names=names)


def _conflict(_eyes: Eyes, _before: object, one: ConflictOut) -> str:
    return _("{subject}：两边写的不一样，等您定").format(subject=one.subject or _("一条记录"))


def _decided(eyes: Eyes, _before: object, one: ConflictOut | CorrectionOut) -> str:
    if isinstance(one, CorrectionOut):
        word = _("已更正") if one.state is CorrectionState.done else _("不用改")
        return _("{about}{correction}，{settled_by}定了：{word}").format(
            about=_about_whom(eyes, one), correction=CORRECTION_WORDS[one.what], settled_by=one.settled_by, word=word
        )
    word = CHOICE_WORDS[one.choice] if one.choice else _("定了")
    return _("您记的{subject}，{settled_by}定了：{word}").format(
        subject=one.subject or _("一条记录"), settled_by=one.settled_by, word=word
    )


def _day_and_time(row: OfferOut | TaskOut) -> str:
    if row.starts_at is None:
        return _("时间您来定")
    return f"{texts.full_day(local_day(row.starts_at))} {texts.clock(row.starts_at)}"


def _offer(_eyes: Eyes, _before: object, offer: OfferOut) -> str:
    return _("有人找您：{title}，{day_and_time}，{place_label}").format(
        title=offer.title, day_and_time=_day_and_time(offer), place_label=offer.place_label
    )


def _recalled(_eyes: Eyes, _before: object, offer: OfferOut) -> str:
    return _("不用答复了：{title}的邀请收回了").format(title=offer.title)


def _changed(_eyes: Eyes, before: TaskOut, task: TaskOut) -> str:
    moved = (before.starts_at, before.ends_at) != (task.starts_at, task.ends_at)
    return _("有变动：{title}，").format(title=task.title) + (
        _("改到{day_and_time}").format(day_and_time=_day_and_time(task)) if moved else _("门牌或电话改了")
    )


def _cancelled(_eyes: Eyes, _before: object, task: TaskOut) -> str:
    return _("取消了：{title}，不用去了").format(title=task.title)


def _confirmed(_eyes: Eyes, _before: object, record: ServiceRecordOut) -> str:
    return _("双方都确认了：{title} {minutes}").format(title=record.title, minutes=texts.minutes(record.minutes))


def _unverified(_eyes: Eyes, _before: object, record: ServiceRecordOut) -> str:
    return _("待核实：{title} {minutes}，社区会再问一问").format(
        title=record.title, minutes=texts.minutes(record.minutes)
    )


_SENTENCES: dict[What, Callable[[Eyes, Any, Any], str]] = {
    What.alert: _alert,
    What.danger: _danger,
    What.came: _came,
    What.mine: _mine,
    What.handed: _handed,
    What.move: _move,
    What.move_late: _move_late,
    What.doubt: _doubt,
    What.twin: _twin,
    What.conflict: _conflict,
    What.decided: _decided,
    What.offer: _offer,
    What.recalled: _recalled,
    What.changed: _changed,
    What.cancelled: _cancelled,
    What.confirmed: _confirmed,
    What.unverified: _unverified,
}
