"""我会做的事: tapped on and off, each with a word about what shows it."""

from collections.abc import Sequence
from typing import Any

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, ListProperty, StringProperty

from mobile.core.clock import Clock, local_day
from mobile.store.entities import as_json
from mobile.volunteers import rules
from mobile.volunteers.own import Own
from mobile.volunteers.week import flipped
from shared.texts import _
from shared.volunteers import (
    CERTIFICATES,
    SKILL_WORDS,
    EvidenceOut,
    Skill,
    SkillIn,
    SkillsIn,
    VolunteerOut,
    says_otherwise,
    tells_identity,
)

OPTIONS = [(skill.value, word, rules.SKILL_ICONS[skill]) for skill, word in SKILL_WORDS.items()]


class Skills(EventDispatcher):
    """Taps lie over what the server knows until they are saved, as one operation."""

    __events__ = ("on_saved",)
    options = ListProperty(OPTIONS)
    chosen, lines = ListProperty([]), ListProperty([])
    known, can_save = BooleanProperty(False), BooleanProperty(False)
    error = StringProperty("")
    tapped_on, tapped_off = ListProperty([]), ListProperty([])
    drafted = ("tapped_on", "tapped_off")

    def __init__(self, own: Own, now: Clock) -> None:
        super().__init__()
        self._own, self._now = own, now
        self._row: VolunteerOut | None = None
        self.bind(tapped_on=self._show, tapped_off=self._show)
        self.refresh()

    def on_saved(self, sentence: str) -> None:
        """Event: it is kept on this phone."""

    @property
    def rev(self) -> int:
        return self._row.rev if self._row else 0

    def refresh(self, *_: object) -> None:
        self._row = self._own.row
        self._show()

    def toggle(self, skill: str) -> None:
        self.tapped_on, self.tapped_off = flipped(skill, skill in self.chosen, self.tapped_on, self.tapped_off)

    def save(self) -> None:
        if self.can_save and self._row is not None:
            say(self._own, self._row, [Skill(one) for one in self.chosen], {})
            self.tapped_on, self.tapped_off = [], []
            self.dispatch("on_saved", _("记下了：会做的事"))
            self.refresh()

    def _show(self, *_args: object) -> None:
        before = [skill.value for skill in self._row.skills] if self._row else []
        wanted = ({*before} - {*self.tapped_off}) | {*self.tapped_on}
        self.chosen = [skill.value for skill in Skill if skill.value in wanted]
        shown = _shown(self._row)
        today = local_day(self._now())
        self.lines = [rules.skill_line(Skill(one), shown.get(Skill(one)), today) for one in self.chosen]
        self.known = self._row is not None
        self.error = "" if wanted or not self.known else _("至少选一样。想停一停，到“我的”里选先歇一歇。")
        self.can_save = self.known and bool(wanted) and wanted != {*before}


class SkillNote(EventDispatcher):
    """What shows one skill: a word, the last digits, until when. Never the whole number, never a picture."""

    __events__ = ("on_saved",)
    title, hint, state_word, state_kind, state_icon = (StringProperty("") for _ in range(5))
    note, until, error = StringProperty(""), StringProperty(""), StringProperty("")

    def __init__(self, own: Own, now: Clock, skill: Skill) -> None:
        super().__init__()
        self._own, self._skill = own, skill
        row = own.row
        shown = _shown(row).get(skill)
        line = rules.skill_line(skill, shown, local_day(now()))
        self.title, self.state_word, self.state_kind, self.state_icon = line.title, line.word, line.kind, line.icon
        self.rev = row.rev if row else 0
        self.hint = _("{certificate}，后四位 4417").format(certificate=CERTIFICATES.get(skill, _("证件")))
        if shown is not None:
            self.note = shown.note
            self.until = rules.day_text(shown.valid_until) if shown.valid_until else ""

    def on_saved(self, sentence: str) -> None:
        """Event: it is kept on this phone."""

    def save(self) -> bool:
        """Keep it; who writes about a skill has it."""
        row = self._own.row
        self.error = self._wrong() if row is not None else _("还没有取到您的资料，有网络的时候再来。")
        if self.error or row is None:
            return False
        said = SkillIn(skill=self._skill, note=self.note, valid_until=rules.read_day(self.until))
        say(self._own, row, list(dict.fromkeys([*row.skills, self._skill])), {self._skill: said})
        self.dispatch("on_saved", _("记下了：{title}").format(title=self.title))
        return True

    def _wrong(self) -> str:
        if tells_identity(self.note):
            return _("写后四位就够了，请不要写身份证号。")
        if len(self.note.strip()) > 100:
            return _("请写短一点，一百字以内。")
        try:
            rules.read_day(self.until)
        except ValueError:
            return _("日期这样写：2028-6-30。")
        return ""


def _shown(row: VolunteerOut | None) -> dict[Skill, EvidenceOut]:
    return {one.skill: one for one in row.evidence} if row else {}


def say(own: Own, row: VolunteerOut, skills: Sequence[Skill], fresh: dict[Skill, SkillIn]) -> None:
    """Send all skills with their words. On this phone new words are unseen words at once, as the server will say."""
    shown = _shown(row)
    said = [fresh.get(skill) or _as_said(skill, shown.get(skill)) for skill in skills]
    evidence = [after for one in said if (after := _after(shown.get(one.skill), one)) is not None]
    patch: dict[str, Any] = {"skills": [one.value for one in skills], "evidence": [as_json(one) for one in evidence]}
    own.set_skills(SkillsIn(skills=said), patch)


def _as_said(skill: Skill, shown: EvidenceOut | None) -> SkillIn:
    return SkillIn(skill=skill, note=shown.note if shown else "", valid_until=shown.valid_until if shown else None)


def _after(shown: EvidenceOut | None, said: SkillIn) -> EvidenceOut | None:
    if not says_otherwise(shown, said):
        return shown
    return EvidenceOut(skill=said.skill, note=said.note, valid_until=said.valid_until, checked_on=None, checked_by="")
