"""The one exception of this package."""


class PostgresFailed(Exception):
    """No usable database. `str()` is one plain sentence for the operator's console."""
