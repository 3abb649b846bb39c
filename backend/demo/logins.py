"""Who can sign in to the demo county, for people and for scripts."""

import hmac
import unicodedata
from typing import Any

from backend.core.settings import Keys
from backend.demo.generate import generate_accounts
from backend.demo.records import MARK, Account
from shared.auth import ROLE_WORDS

PARTNER = "演示对接系统"


def partner_key(keys: Keys) -> str:
    """Return the demo partner's API key. It follows from the server's own master key, so no two servers share it."""
    return "gh_demo_" + hmac.new(keys.ledger, b"demo partner", "sha256").hexdigest()[:40]


def accounts() -> tuple[Account, ...]:
    return generate_accounts()


def as_json(keys: Keys) -> dict[str, Any]:
    """Return logins and the partner key; roles and areas are in the order of the grants."""
    return {
        "mark": MARK,
        "accounts": [
            {
                "username": account.username,
                "password": account.password,
                "name": account.display_name,
                "role": account.grants[0].role,
                "areas": [grant.area_code for grant in account.grants],
            }
            for account in accounts()
        ],
        "partner_key": partner_key(keys),
    }


def table(keys: Keys) -> str:
    """Return the logins as aligned text; a Chinese character is two columns wide."""
    rows = [("账号", "密码", "角色", "区域")]
    rows += [
        (a.username, a.password, ROLE_WORDS[a.grants[0].role], "、".join(g.area_code for g in a.grants))
        for a in accounts()
    ]
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(map(_padded, row, widths)).rstrip() for row in rows]
    return "\n".join([f"{MARK}：人和事都是编造的", *lines, f"X-API-Key  {partner_key(keys)}"])


def _padded(words: str, width: int) -> str:
    return words + " " * (width - _width(words))


def _width(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in words)
