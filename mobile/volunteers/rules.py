"""A volunteer's week, quiet hours and skills in words. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from shared.texts import _
from shared.volunteers import (
    CERTIFICATES,
    SKILL_STATE_WORDS,
    SKILL_WORDS,
    EvidenceOut,
    Skill,
    SkillState,
    Slot,
    merged,
)

WEEKDAYS = {day: _("周{word}").format(word=word) for day, word in enumerate(_("一 二 三 四 五 六 日").split(), start=1)}
PARTS: dict[str, tuple[str, int, int]] = {
    "morning": (_("上午"), 6 * 60, 12 * 60),
    "afternoon": (_("下午"), 12 * 60, 18 * 60),
    "evening": (_("晚上"), 18 * 60, 22 * 60),
}
"""What is tapped: word, first and last minute. Finer hours, such as those a worker wrote down, stay until tapped."""

PART_OPTIONS = [(part, word, "") for part, (word, _from, _until) in PARTS.items()]
SKILL_ICONS = {
    Skill.escort: "first-aid-kit",
    Skill.medicine: "pill",
    Skill.errand: "shopping-bag",
    Skill.meal: "bowl-food",
    Skill.repair: "wrench",
    Skill.housework: "broom",
    Skill.digital: "device-mobile",
    Skill.chat: "chats-circle",
    Skill.electric: "lightning",
}
STATE_LOOKS = {
    SkillState.said: ("grey", "user"),
    SkillState.checked: ("ok", "check-circle"),
    SkillState.expired: ("over", "warning"),
}
Span = tuple[int, int]


def key(weekday: int, part: str) -> str:
    """A part of a day as one word, fit for a draft."""
    return f"{weekday}-{part}"


def spans(slots: Iterable[Slot], weekday: int, part: str) -> list[Span]:
    """The free stretches of one part of a day."""
    _word, start, end = PARTS[part]
    cut = [(max(s.from_minute, start), min(s.until_minute, end)) for s in slots if s.weekday == weekday]
    return sorted((a, b) for a, b in cut if a < b)


def is_whole(found: Sequence[Span], part: str) -> bool:
    return sum(b - a for a, b in found) == PARTS[part][2] - PARTS[part][1]


def hours(found: Iterable[Span]) -> str:
    """9:00–11:00"""
    return _("、").join(f"{minute_word(a)}–{minute_word(b)}" for a, b in found)


def minute_word(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


def week_with(slots: Sequence[Slot], on: Collection[str], off: Collection[str]) -> list[Slot]:
    """The week after tapping: whole parts on or off; what was not tapped stays as it was to the minute."""
    week: list[Slot] = []
    for weekday in WEEKDAYS:
        parts = {part: key(weekday, part) for part in PARTS}
        if not any(name in on or name in off for name in parts.values()):
            week += [slot for slot in slots if slot.weekday == weekday]
            continue
        for part, name in parts.items():
            kept = [PARTS[part][1:]] if name in on else [] if name in off else spans(slots, weekday, part)
            week += [Slot(weekday=weekday, from_minute=a, until_minute=b) for a, b in kept]
    return merged(week)


def week_line(slots: Sequence[Slot]) -> str:
    days = len({slot.weekday for slot in slots})
    return _("一周 {days} 天有空").format(days=days) if days else _("还没有说")


def quiet_short(quiet_from: int, quiet_until: int) -> str:
    """21:30–7:30, for the end of a row."""
    return _("没有设") if quiet_from == quiet_until else f"{minute_word(quiet_from)}–{minute_word(quiet_until)}"


def quiet_line(quiet_from: int, quiet_until: int) -> str:
    until = " " if quiet_from < quiet_until else _("第二天 ")
    return _("{start} 到{until}{end}").format(start=minute_word(quiet_from), until=until, end=minute_word(quiet_until))


@dataclass(frozen=True, slots=True)
class SkillLine:
    """A skill, what shows it, and what that is worth."""

    skill: str
    title: str
    sub: str
    word: str
    kind: str
    icon: str


def skill_line(skill: Skill, shown: EvidenceOut | None, today: date) -> SkillLine:
    state = shown.state(today) if shown else SkillState.said
    kind, icon = STATE_LOOKS[state]
    return SkillLine(skill.value, SKILL_WORDS[skill], _evidence_words(skill, shown, state), SKILL_STATE_WORDS[state],
                     kind, icon)  # fmt: skip


def _evidence_words(skill: Skill, shown: EvidenceOut | None, state: SkillState) -> str:
    until = _("到 {day}").format(day=day_text(shown.valid_until)) if shown and shown.valid_until else ""
    words = [shown.note if shown else "", until]
    if skill in CERTIFICATES and state is not SkillState.checked:
        words.append(_("把{certificate}拿到社区看过，才会来问您").format(certificate=CERTIFICATES[skill]))
    return _("，").join(word for word in words if word)


def day_text(day: date) -> str:
    return f"{day.year}-{day.month}-{day.day}"


def read_day(text: str) -> date | None:
    """A day as people type it, 2028-6-30 or 2028.6.30 or 2028年6月30日; ValueError when it is none. '' is no day."""
    if not text.strip():
        return None
    found = re.fullmatch(r"([0-9]{4})\D([0-9]{1,2})\D([0-9]{1,2})日?", text.strip())
    if found is None:
        raise ValueError("not a day")
    year, month, day = map(int, found.groups())
    return date(year, month, day)
