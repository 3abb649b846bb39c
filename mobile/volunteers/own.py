"""A volunteer's own row as this phone shows it, and saying something new of oneself: seen at once, sent when it can."""

from typing import Any
from uuid import UUID

from mobile.store.entities import Effect, as_json
from mobile.store.store import Store
from shared.auth import MeOut
from shared.matching import OfferOut, OfferState
from shared.sync import EntityKind, OperationKind
from shared.texts import _
from shared.types import WireIn
from shared.volunteers import QuietIn, SkillsIn, SlotsIn, VolunteerOut, VolunteerPatch

TITLES = {
    OperationKind.volunteer_week: _("空闲时间"),
    OperationKind.volunteer_quiet: _("免打扰时间"),
    OperationKind.volunteer_skills: _("会做的事"),
}


class Own:
    """The last word counts: nothing of it can be in conflict with anybody."""

    def __init__(self, store: Store, me: MeOut) -> None:
        self._store, self._me = store, me

    @property
    def row(self) -> VolunteerOut | None:
        """None until the first pull has brought it."""
        mine = self._me.volunteer_id
        return None if mine is None else self._store.entities.get(VolunteerOut, mine)

    def set_week(self, week: SlotsIn) -> None:
        self._say(OperationKind.volunteer_week, week, as_json(week))

    def set_quiet(self, quiet: QuietIn) -> None:
        patch = {"quiet_from": quiet.from_minute, "quiet_until": quiet.until_minute}
        self._say(OperationKind.volunteer_quiet, quiet, patch)

    def set_skills(self, said: SkillsIn, patch: dict[str, Any]) -> None:
        self._say(OperationKind.volunteer_skills, said, patch)

    def set_active(self, patch: VolunteerPatch) -> None:
        """Pausing takes back what one has been asked; what one said yes to stays."""
        offers = self._store.entities.all(OfferOut) if not patch.active else []
        recalled = {"state": OfferState.recalled.value}
        gone = [Effect(EntityKind.offer, one.id, recalled) for one in offers if one.state is OfferState.offered]
        title = _("重新参加") if patch.active else _("先歇一歇")
        self._say(OperationKind.volunteer_pause, patch, {"active": patch.active}, gone, title)

    def _say(
        self, kind: OperationKind, body: WireIn, patch: dict[str, Any], others: list[Effect] | None = None,
        title: str = "",
    ) -> None:  # fmt: skip
        mine: UUID | None = self._me.volunteer_id
        if mine is not None:
            effects = [Effect(EntityKind.volunteer, mine, patch), *(others or [])]
            self._store.outbox.capture(kind, mine, as_json(body), effects, title=title or TITLES[kind])
            self._store.captured()
