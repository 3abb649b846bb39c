"""What is handed to the phone and needs no answer: a number to dial, a place to find, text to paste."""

from urllib.parse import quote

from mobile.device.android.activity import Activity
from mobile.device.android.java import chars, thrown
from shared.texts import _


class AndroidDialer:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def dial(self, number: str) -> None:
        """DIAL shows the number and lets the user call; CALL would need a permission and call at once."""
        intents, uri = self._activity.java.cls("android.content.Intent"), self._activity.java.cls("android.net.Uri")
        self._activity.it.startActivity(intents(intents.ACTION_DIAL, uri.fromParts("tel", number, None)))


class AndroidMaps:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def find(self, place: str) -> bool:
        """Any map app answers geo:, and 0,0 with a question asks it to search for the words."""
        intents, uri = self._activity.java.cls("android.content.Intent"), self._activity.java.cls("android.net.Uri")
        try:
            self._activity.it.startActivity(intents(intents.ACTION_VIEW, uri.parse(f"geo:0,0?q={quote(place)}")))
        except Exception as problem:
            if thrown(problem) in {"ActivityNotFoundException", "SecurityException"}:
                return False
            raise
        return True


class AndroidClipboard:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def copy(self, text: str) -> None:
        board = self._activity.service("clipboard", "android.content.ClipboardManager")
        java = self._activity.java
        board.setPrimaryClip(
            java.cls("android.content.ClipData").newPlainText(chars(java, _("邻格")), chars(java, text))
        )
