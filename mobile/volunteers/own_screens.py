"""What a volunteer says of themselves: 空闲时间, 免打扰, 我会做的事."""

from collections.abc import Callable

from kivy.event import EventDispatcher
from kivy.properties import ObjectProperty
from kivy.uix.screenmanager import Screen

from mobile.core.navigation import shell_of
from mobile.core.session import AppContext
from mobile.volunteers.quiet import Quiet
from mobile.volunteers.skills import SkillNote, Skills
from mobile.volunteers.week import Week
from mobile.widgets.composed import load
from mobile.widgets.layout import Col, Sheet
from mobile.widgets.lists import Item, PressRow
from shared.volunteers import Skill


class DayRow(Item, Col):
    """A day of the week with its three parts."""


class SkillRow(Item, PressRow):
    """A skill, what shows it, and the way to say more."""


class SaveOwn(Sheet):
    """保存, once there is something to keep."""

    vm = ObjectProperty(None, allownone=True, rebind=True)


class Saying(Screen):
    """A form that leaves once it is kept."""

    def __init__(self, vm: EventDispatcher, **kwargs: object) -> None:
        super().__init__(vm=vm, **kwargs)
        vm.fbind("on_saved", self._saved)

    def _saved(self, _vm: EventDispatcher, sentence: str) -> None:
        shell = shell_of(self)
        shell.pop()
        shell.snack(sentence, 4)


class WeekScreen(Saying):
    vm: Week = ObjectProperty(rebind=True)


class QuietScreen(Saying):
    vm: Quiet = ObjectProperty(rebind=True)


class SkillsScreen(Saying):
    vm: Skills = ObjectProperty(rebind=True)


class SkillScreen(Saying):
    vm: SkillNote = ObjectProperty(rebind=True)


def routes(ctx: AppContext) -> dict[str, Callable[..., Screen]]:
    load(__file__)

    def skill_screen(skill: str) -> Screen:
        return SkillScreen(ctx.session.skill_note(Skill(skill)))

    return {
        "week": lambda: WeekScreen(ctx.session.week()),
        "quiet": lambda: QuietScreen(ctx.session.quiet()),
        "skills": lambda: SkillsScreen(ctx.session.skills()),
        "skill": skill_screen,
    }
