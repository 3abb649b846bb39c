"""Words that stand inside a query's text."""

from shared.texts import _


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


THE_SYSTEM = _quoted(_("系统"))
"""Who did it when nobody did, as SQL says it."""
