"""The Phosphor icons the app draws. Code points follow name order, so a font and this list must be built together."""

FIRST = 0xE000

ICONS: tuple[str, ...] = (
    "arrow-u-up-left", "arrows-clockwise", "baby", "battery-high", "bell", "book-open", "bowl-food", "broom",
    "buildings", "calendar-blank", "calendar-check", "camera", "car", "caret-down", "caret-left", "caret-right",
    "caret-up", "cell-signal-full", "certificate", "chat-circle-text", "chats-circle", "check", "check-circle",
    "circle", "circle-half-tilt", "clipboard-text", "clock", "clock-counter-clockwise", "cloud-check", "compass",
    "copy", "crosshair", "device-mobile", "device-mobile-camera", "door", "door-open", "dots-three",
    "download-simple", "drop", "envelope-simple", "eye", "eye-slash", "file-xls", "fire", "fire-extinguisher",
    "first-aid", "first-aid-kit", "flag", "floppy-disk", "flower-lotus", "funnel", "gear", "globe",
    "graduation-cap", "hand-heart", "hand-palm", "hand-waving", "handshake", "heartbeat", "hourglass-medium",
    "house", "house-line", "house-simple", "identification-card", "info", "key", "lamp", "lightning", "list",
    "list-checks", "lock-key", "magnifying-glass", "map-pin", "map-trifold", "megaphone", "microphone", "minus",
    "moon", "navigation-arrow", "note", "note-pencil", "package", "paper-plane-tilt", "pencil-simple",
    "person-simple-walk", "phone", "phone-call", "phone-slash", "pill", "pipe", "plus", "printer", "prohibit",
    "question", "scales", "scissors", "share-network", "shield-check", "shopping-bag", "shopping-cart", "sign-out",
    "smiley", "smiley-sad", "snowflake", "speaker-high", "star", "stethoscope", "suitcase", "sun", "text-aa",
    "thermometer", "timer", "translate", "trash", "tree", "truck", "upload-simple", "user", "user-circle",
    "user-plus", "users", "users-three", "warning", "wheelchair", "wifi-high", "wifi-slash", "wrench", "x",
)  # fmt: skip

CODE_POINTS: dict[str, int] = {name: FIRST + place for place, name in enumerate(ICONS)}


def glyph(name: str) -> str:
    """The character that draws an icon in IconBold or IconFill; '' stays empty, an unlisted name is a mistake."""
    return chr(CODE_POINTS[name]) if name else ""
