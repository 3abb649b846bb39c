"""The widget kit: call load() once before any kv of a screen is read."""

from pathlib import Path

_HERE = Path(__file__).parent
_loaded = False


def load() -> None:
    """Register the fonts, make every widget known to kv, and read the kit's rules."""
    global _loaded
    if _loaded:
        return
    from kivy.lang import Builder

    from mobile.core import fonts
    from mobile.widgets import kit  # noqa: F401

    fonts.register()
    for name in ("theme.kv", "press.kv", "frame.kv", "pieces.kv", "fields.kv"):
        Builder.load_file(str(_HERE / name))
    _loaded = True
