"""The widget kit: call load() once before any kv of a screen is read."""

from pathlib import Path

from shared.texts import _

_HERE = Path(__file__).parent
_loaded = False


def load() -> None:
    """Register the fonts, make every widget known to kv, and read the kit's rules."""
    global _loaded
    if _loaded:
        return
    from kivy.lang import Builder
    from kivy.lang.parser import global_idmap

    from mobile.core import fonts
    from mobile.widgets import kit  # noqa: F401

    fonts.register()
    # So that every kv file can ask for its texts without an import line of its own.
    global_idmap["_"] = _
    for name in ("theme.kv", "press.kv", "frame.kv", "pieces.kv", "fields.kv"):
        Builder.load_file(str(_HERE / name))
    _loaded = True
