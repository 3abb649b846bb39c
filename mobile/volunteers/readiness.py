"""What 我的 says of a volunteer: when, for what, and whether at all."""

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, StringProperty

from mobile.volunteers import rules
from mobile.volunteers.own import Own
from shared.texts import _
from shared.volunteers import VolunteerPatch


class Readiness(EventDispatcher):
    """The rows that lead to 空闲时间, 免打扰 and 我会做的事, and the switch 先歇一歇."""

    known, paused = BooleanProperty(False), BooleanProperty(False)
    week_line, quiet_line, skills_line = StringProperty(""), StringProperty(""), StringProperty("")

    def __init__(self, own: Own) -> None:
        super().__init__()
        self._own = own
        self.refresh()

    def refresh(self, *_args: object) -> None:
        row = self._own.row
        self.known = row is not None
        if row is not None:
            self.paused = not row.active
            self.week_line = rules.week_line(row.slots)
            self.quiet_line = rules.quiet_short(row.quiet_from, row.quiet_until)
            self.skills_line = _("{count} 样").format(count=len(row.skills))

    def set_paused(self, paused: bool) -> None:
        """Once for each flip: the switch also moves when the server's word comes."""
        row = self._own.row
        if row is not None and row.active == paused:
            self._own.set_active(VolunteerPatch(active=not paused))
