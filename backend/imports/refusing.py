"""Why a whole sheet is refused."""


class Unreadable(Exception):
    """A sheet that cannot be read or imported; the text is the Chinese sentence for whoever sent it."""
