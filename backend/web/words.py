"""How the pages say times and kinds."""

from datetime import date, datetime, timedelta

from backend.core.clock import COUNTY_ZONE, county_day
from shared.matching import DECLINE_WORDS, TaskState
from shared.requests import CATEGORIES, RequestKind
from shared.texts import _

WEEKDAYS = _("一 二 三 四 五 六 日").split()
TOLD = {
    "accepted": _("谢谢您！门牌和电话在下面。"),
    "declined": _("好的，这次不打扰您。不影响以后。"),
    "checked-in": _("已签到。"),
    "checked-out": _("已签退，谢谢您！时长等对方确认。"),
    "not-then": _("这个时间不对：要在签到以后、现在以前。请再填一次。"),
    "late": _("已告诉对方您会晚一点。"),
    "handed-back": _("好的，马上再去问别人。"),
    "signed-out": _("已退出登录。"),
}
"""What a page says about the form that was just sent. By name, so that nobody can put words into a link."""

TASK_STATES = {
    TaskState.accepted: _("已答应"),
    TaskState.serving: _("正在服务"),
    TaskState.finished: _("已完成"),
    TaskState.handed_back: _("已交回"),
    TaskState.cancelled: _("已取消"),
}
DECLINE = DECLINE_WORDS
INCIDENTS = {code: category for code, category in CATEGORIES.items() if category.kind is RequestKind.incident}


def when(start: datetime | None, end: datetime | None, today: date) -> str:
    """Say a stretch of time as people do: 明天 上午 9:00–11:00."""
    if start is None:
        return _("时间商量着来")
    begins = start.astimezone(COUNTY_ZONE)
    said = f"{_day(begins.date(), today)} {_half(begins.hour)} {begins:%-H:%M}"
    return said if end is None else f"{said}–{end.astimezone(COUNTY_ZONE):%-H:%M}"


def clock(moment: datetime, today: date) -> str:
    said = f"{moment.astimezone(COUNTY_ZONE):%-H:%M}"
    return said if county_day(moment) == today else f"{_day(county_day(moment), today)} {said}"


def forgot_to_leave(checked_in: datetime, today: date) -> bool:
    """Whoever signed in on an earlier day has hardly been there all night."""
    return county_day(checked_in) < today


def field_time(moment: datetime, minutes: int = 0) -> str:
    """A moment, or so many minutes after it, as a browser's own field of date and time takes it."""
    return f"{moment.astimezone(COUNTY_ZONE) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M}"


def _day(day: date, today: date) -> str:
    near = {today: _("今天"), today + timedelta(days=1): _("明天"), today + timedelta(days=2): _("后天")}
    return near.get(
        day, _("{month}月{day}日 周{weekday}").format(month=day.month, day=day.day, weekday=WEEKDAYS[day.weekday()])
    )


def _half(hour: int) -> str:
    for until, word in ((6, _("凌晨")), (11, _("上午")), (13, _("中午")), (18, _("下午"))):
        if hour < until:
            return word
    return _("晚上")
