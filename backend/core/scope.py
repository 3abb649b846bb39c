"""Who is calling and what they may touch: the caller, and the session settings that row-level security reads."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from shared.auth import STAFF, Role
from shared.texts import _
from shared.types import AREA_LEVELS, is_within

_CODE: Final = re.compile("|".join(f"[0-9]{{{length}}}" for length in AREA_LEVELS))


@dataclass(frozen=True)
class Caller:
    """An account with the grants in force today. Area grants make scopes; a volunteer holds none."""

    account_id: UUID
    name: str
    county_code: str
    grants: tuple[tuple[Role, str], ...]
    volunteer_id: UUID | None = None

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """Area prefixes, least first, without those that another one already covers."""
        areas = sorted({area for role, area in self.grants if role is not Role.volunteer})
        return tuple(a for a in areas if not any(a != b and is_within(a, b) for b in areas))

    def holds(self, *roles: Role) -> bool:
        return any(role in roles for role, _area in self.grants)

    def may_write_in(self, area_code: str) -> bool:
        """Say whether a working role (not an auditor's, not a partner's) covers this place."""
        return any(role in STAFF and is_within(area_code, area) for role, area in self.grants)

    @cached_property
    def scope_settings(self) -> str:
        """The settings of a transaction's scope, sent in one message with its BEGIN.

        Top-level SET LOCAL and not set_config: only that form reaches the workers of a Citus cluster, and it saves a
        round trip. Values are validated here because SET takes no parameters.
        """
        for code in (self.county_code, *self.scopes):
            if not _CODE.fullmatch(code):
                raise ValueError(f"not a place code: {code!r}")
        low, high = (self.scopes[0], self.scopes[-1] + ":") if self.scopes else ("", "")
        return (
            f"SET LOCAL app.county = '{self.county_code}'; SET LOCAL app.actor = '{self.account_id}';"
            f" SET LOCAL app.volunteer = '{self.volunteer_id or ''}'; SET LOCAL app.scopes = '{','.join(self.scopes)}';"
            f" SET LOCAL app.lo = '{low}'; SET LOCAL app.hi = '{high}'"
        )


def system_caller(county_code: str, account_id: UUID = UUID(int=0)) -> Caller:
    """The county itself: background ticks and the command line."""
    return Caller(account_id, _("系统"), county_code, ((Role.county_admin, county_code),))
