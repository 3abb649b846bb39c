"""People of a sheet who are on the register already: in what they differ, and what of that a sheet may change. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.imports import COLUMN_WORDS, Column, Grade
from shared.texts import _

OTHER_AREA: Final = "other_area"
"""What a person differs in who is registered outside the caller's areas."""

_DECIDED: Final = {
    "id_number": _("身份证号"), "head": _("户主"), "area": _("网格"), "left": _("在册情况（库里记着已经离开）"),
    "disability": _("残疾"), "poverty": _("困难类别"),
}  # fmt: skip
"""What a person decides, always: it is proved by papers, is an event or a move with rules of its own, or is sealed."""

LEFT: Final = "left"
MERGED: Final = "merged"
"""What a person differs in whose row here is only the other row of somebody."""


@dataclass(frozen=True, slots=True)
class Known:
    """A row whose person is on the register already, and the fields in which the sheet says otherwise."""

    row: int
    person: UUID | None
    differs: tuple[str, ...]

    @property
    def elsewhere(self) -> bool:
        return OTHER_AREA in self.differs

    @property
    def merged(self) -> bool:
        return MERGED in self.differs

    @property
    def can_update(self) -> tuple[str, ...]:
        """Fields that the sheet may change. Who has died or moved out is changed by nobody's sheet."""
        closed = self.elsewhere or self.merged or LEFT in self.differs
        return () if closed else tuple(name for name in self.differs if name not in _DECIDED)

    @property
    def decided(self) -> tuple[str, ...]:
        return tuple(name for name in self.differs if name not in self.can_update)


def words_of(fields: Iterable[str]) -> str:
    return _("、").join(_DECIDED.get(name) or COLUMN_WORDS[Column(name)] for name in fields)


def issues(known: Sequence[Known], updated: Collection[int], *, storing: bool) -> list[tuple[int, str, str, str, str]]:
    """Say of each row what stays as the register has it; rows that were brought up to the sheet say so themselves."""
    found = []
    for one in known:
        if one.elsewhere:
            why = _("这个身份证号已经在您管的地方以外登记了，要走移交。")
            found.append((one.row, Grade.refused.value, Column.id_number.value, why, ""))
        elif one.merged:
            why = _("这个人已经并入另一条登记，没有改。")
            found.append((one.row, Grade.differs.value, Column.name.value, why, ""))
        elif why := _kept(one, updated=one.row in updated, storing=storing):
            found.append(
                (one.row, Grade.differs.value, Column.name.value, _("库里已有这个人，{why}").format(why=why), "")
            )
    return found


def _kept(one: Known, *, updated: bool, storing: bool) -> str:
    ending = _("，没有改。") if storing else _("，可以按表更新。")
    can = (
        _("{fields}不一样{ending}").format(fields=words_of(one.can_update), ending=ending)
        if one.can_update and not updated
        else ""
    )
    return can + (_("{fields}不一样，要由人定，没有改。").format(fields=words_of(one.decided)) if one.decided else "")


def counted(known: Sequence[Known], updated: Collection[int]) -> dict[str, int]:
    """Count them. Who was brought up to the sheet is as it says by now, and counts as one who could be."""
    here = [one for one in known if not one.elsewhere]
    return {
        "same": sum(not one.differs and one.row not in updated for one in here),
        "differs": sum(bool(one.decided if one.row in updated else one.differs) for one in here),
        "can_update": sum(bool(one.can_update) or one.row in updated for one in here),
        "updated": len(updated),
    }
