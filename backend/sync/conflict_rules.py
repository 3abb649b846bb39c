"""Decisions about what waits for a person: what is worth waiting, what may be decided, what is shown."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from shared.conflicts import ConflictChoice, for_coordinators
from shared.errors import Code
from shared.sync import OperationKind
from shared.texts import _

KEPT: Final = timedelta(days=90)
"""How long values stay after the decision."""

_ANSWERED: Final = frozenset({
    OperationKind.offer_accept, OperationKind.offer_decline, OperationKind.task_hand_back, OperationKind.task_check_in,
    OperationKind.task_check_out, OperationKind.task_late, OperationKind.duplicate_settle,
    OperationKind.conflict_settle, OperationKind.correction_settle, OperationKind.volunteer_week,
    OperationKind.volunteer_quiet, OperationKind.volunteer_skills, OperationKind.volunteer_pause,
})  # fmt: skip
"""Answers to something that is still there, or was answered by somebody else, and what people say of themselves:
refused, they lose nothing."""

_IDLE: Final = frozenset({
    Code.malformed, Code.id_taken, Code.precondition_missing, Code.role_not_allowed, Code.unknown_operation,
    Code.session_ended, Code.not_the_author,
})  # fmt: skip
"""Refusals of what nobody could decide about: not readable, sent twice with two meanings, or nobody's to write."""

WAITING: Final = frozenset({Code.edit_conflict, Code.merged, Code.handed_over, Code.rescued})
"""Not refused: kept, and decided by a person."""

_ELSEWHERE: Final = frozenset({
    Code.not_found, Code.area_not_allowed, Code.household_not_here, Code.resident_not_here,
})  # fmt: skip
"""What an author is told whose row has gone to another area, or was never theirs."""

DEEPEST: Final = 20
"""How deep a value may be nested: what writes it into an answer gives up at 255 levels, its envelopes included."""

FREE_TEXT: Final = frozenset({"note"})
"""Fields of which both values can stand, one after the other."""

SECRET: Final = frozenset({"id_number"})
"""Sealed on the register, and so never shown here."""

HIDDEN: Final = _("已填，不在这里显示")


def must_wait(kind: OperationKind, code: Code, *, was_staff: bool = False) -> bool:
    """Say whether refusing this operation for this reason would lose something a person should see.

    Who is no staff any more may have written it while they were.
    """
    idle = code in _IDLE and not (was_staff and code is Code.role_not_allowed)
    return code is Code.rescued or (kind not in _ANSWERED and not idle)


def may_be_late(code: Code) -> bool:
    return code in _ELSEWHERE


def choices(kind: OperationKind | None, fields: Mapping[str, Any], overtaken: Iterable[str]) -> list[ConflictChoice]:
    """Return what may be decided about an operation; one that could not be read is only looked at."""
    if kind is None or kind in _ANSWERED:
        return [ConflictChoice.theirs, ConflictChoice.unsure]
    both = kind is OperationKind.resident_edit and set(overtaken) and FREE_TEXT.issuperset(overtaken)
    added = [ConflictChoice.both] if both and not for_coordinators(kind, fields) else []
    return [ConflictChoice.mine, ConflictChoice.theirs, *added, ConflictChoice.unsure]


def joined(theirs: str, mine: str) -> str:
    """Put a late note behind the one that stands, once."""
    if mine.strip() in theirs:
        return theirs
    return mine if not theirs.strip() else f"{theirs}\n{mine}"


def shown(value: Any) -> Any:
    """Return a value as it may be read: whatever is sealed on the register is told of and not told."""
    if isinstance(value, Mapping):
        return {name: HIDDEN if name in SECRET and one else shown(one) for name, one in value.items()}
    return [shown(one) for one in value] if isinstance(value, list) else value


def too_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Say whether a value is nested deeper than this. Level by level: one that is must not exhaust the stack."""
    level = [value]
    for _unused in range(levels + 1):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _inside(one)]
    return bool(level)


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def subjects(entity_id: str, fields: Mapping[str, Any]) -> list[str]:
    """Return the ids of the rows that an operation is about, the nearest first."""
    new = fields.get("new_resident")
    named: list[Any] = [entity_id, *_listed(fields.get("resident_ids")), fields.get("resident_id")]
    named += [fields.get("household_id"), new.get("household_id") if isinstance(new, Mapping) else None]
    return list(dict.fromkeys(str(one) for one in named if isinstance(one, str)))[:40]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def next_level(area_code: str, county: str, *, coordinator: bool) -> str | None:
    """Return who is asked when somebody cannot decide: the community, and its own workers the county."""
    if len(area_code) == 15 and not coordinator:
        return area_code[:12]
    return county if area_code != county else None


def overtaken(
    wanted: Iterable[str], edits: Sequence[Mapping[str, Any]], device_id: Any, device_seq: int
) -> tuple[list[str], Mapping[str, Any] | None]:
    """Return which fields others have changed since, and their latest edit. Earlier ones of one's own do not count."""
    names = set(wanted)
    others = [
        edit
        for edit in edits
        if names & set(edit["fields"])
        and not (edit["device_id"] == device_id and (edit["device_seq"] or 0) < device_seq)
    ]
    return sorted({name for edit in others for name in edit["fields"]} & names), (others[-1] if others else None)
