"""Dates, times and numbers as neighbours say them. Pure: the caller passes `now`. Everything is Shanghai time."""

from datetime import date, datetime, timedelta, timezone

from shared.texts import _

# No time zone data needed on the phone: the whole country has kept this one offset since 1992.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_WEEKDAYS = _("一 二 三 四 五 六 日").split()
_NEAR_DAYS = {-2: _("前天"), -1: _("昨天"), 0: _("今天"), 1: _("明天"), 2: _("后天")}


def local(moment: datetime) -> datetime:
    """A stored moment, which has a zone, on the clock people here look at."""
    return moment.astimezone(SHANGHAI)


def weekday(day: date) -> str:
    return _("周{weekday}").format(weekday=_WEEKDAYS[day.weekday()])


def month_day(day: date) -> str:
    """11月23日"""
    return _("{month}月{day}日").format(month=day.month, day=day.day)


def full_day(day: date) -> str:
    """11月23日 周一"""
    return f"{month_day(day)} {weekday(day)}"


def day_word(day: date, today: date) -> str:
    """明天, or 11月30日 when no word is near enough; another year is named."""
    near = _NEAR_DAYS.get((day - today).days)
    if near:
        return near
    return month_day(day) if day.year == today.year else _("{year}年{day}").format(year=day.year, day=month_day(day))


def clock(moment: datetime) -> str:
    """9:03: no leading zero, as people write it."""
    at = local(moment)
    return f"{at.hour}:{at.minute:02d}"


def part_of_day(moment: datetime) -> str:
    hour = local(moment).hour
    for end, word in ((6, _("凌晨")), (11, _("上午")), (13, _("中午")), (18, _("下午"))):
        if hour < end:
            return word
    return _("晚上")


def when(moment: datetime, now: datetime) -> str:
    """今天 10:31, 昨天 15:20, 11月18日 9:05."""
    return f"{day_word(local(moment).date(), local(now).date())} {clock(moment)}"


def photos(count: int) -> str:
    """看照片（2 张）; '' when there are none."""
    return _("看照片（{count} 张）").format(count=count) if count else ""


def slot(start: datetime, end: datetime, now: datetime) -> str:
    """明天 上午 9:00–11:00"""
    day = day_word(local(start).date(), local(now).date())
    return f"{day} {part_of_day(start)} {clock(start)}–{clock(end)}"


def slot_large(start: datetime, end: datetime) -> str:
    """上午 9 点到 11 点, for 大字版, where 明天 周二 stands above it."""
    return (
        _("{part} {start}到 {end}").format(part=part_of_day(start), start=_o_clock(start), end=_o_clock(end)).rstrip()
    )


def _o_clock(moment: datetime) -> str:
    at = local(moment)
    return (
        _("{hour} 点").format(hour=at.hour)
        if not at.minute
        else _("{hour} 点 {minute} 分").format(hour=at.hour, minute=at.minute)
    )


def due(day: date, today: date) -> str:
    """超期 2 天, 今天到期, 明天到期, 11月30日到期."""
    late = (today - day).days
    return _("超期 {late} 天").format(late=late) if late > 0 else _("{day}到期").format(day=day_word(day, today))


def due_kind(day: date, today: date) -> str:
    """The kind of Tag that says it."""
    return "over" if day < today else "due" if day == today else "later"


def days_unseen(last: date | None, today: date) -> str:
    """32 天没见到本人; someone never seen is not someone seen long ago."""
    if last is None:
        return _("还没见过本人")
    days = (today - last).days
    return _("今天见过本人") if days <= 0 else _("{days} 天没见到本人").format(days=days)


def ago(moment: datetime, now: datetime) -> str:
    """刚刚, 5 分钟前, 3 小时前, 昨天 15:20."""
    passed = now - moment
    if passed < timedelta(minutes=1):
        return _("刚刚")
    if passed < timedelta(hours=1):
        return _("{minutes} 分钟前").format(minutes=passed // timedelta(minutes=1))
    if local(moment).date() == local(now).date():
        return _("{hours} 小时前").format(hours=passed // timedelta(hours=1))
    return when(moment, now)


def about(metres: float) -> str:
    """离您 600 米左右: rounded so that no door can be told from it."""
    if metres < 100:
        return _("离您不到 100 米")
    if metres < 950:
        return _("离您 {metres} 米左右").format(metres=round(metres / 100) * 100)
    return _("离您 {kilometres} 公里左右").format(kilometres=_short(metres / 1000))


def distance(metres: float) -> str:
    """12 米, 850 米, 1.2 公里."""
    return (
        _("{metres} 米").format(metres=round(metres))
        if metres < 1000
        else _("{kilometres} 公里").format(kilometres=_short(metres / 1000))
    )


def walk(minutes_on_foot: float) -> str:
    return _("走路 {minutes} 分钟").format(minutes=max(1, round(minutes_on_foot)))


def minutes(total: int) -> str:
    """1 小时 52 分, 2 小时, 35 分."""
    hours, rest = divmod(total, 60)
    parts = [_("{hours} 小时").format(hours=hours)] if hours else []
    if rest or not hours:
        parts.append(_("{rest} 分").format(rest=rest))
    return " ".join(parts)


def roughly(total: int) -> str:
    """大约 2 小时, 大约 1 个半小时, 大约 40 分钟."""
    halves = round(total / 30)
    if halves < 2:
        return _("大约 {total} 分钟").format(total=total)
    if halves % 2 == 0:
        return _("大约 {hours} 小时").format(hours=halves // 2)
    return _("大约 {hours} 个半小时").format(hours=halves // 2)


def age(born: date, today: date) -> str:
    """81 岁; below two the months count."""
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return _("{years} 岁").format(years=months // 12) if months >= 24 else _("{months} 个月").format(months=months)


def phone(number: str) -> str:
    """126 0000 4417"""
    return f"{number[:3]} {number[3:7]} {number[7:]}" if len(number) == 11 else number


def phone_masked(number: str) -> str:
    """126 **** 2706"""
    return f"{number[:3]} **** {number[7:]}" if len(number) == 11 else number


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
