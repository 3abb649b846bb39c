"""What is handed to the phone and needs no answer: a number to dial, text to paste."""

from mobile.device.android.activity import Activity
from mobile.device.android.java import chars


class AndroidDialer:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def dial(self, number: str) -> None:
        """DIAL shows the number and lets the user call; CALL would need a permission and call at once."""
        intents, uri = self._activity.java.cls("android.content.Intent"), self._activity.java.cls("android.net.Uri")
        self._activity.it.startActivity(intents(intents.ACTION_DIAL, uri.fromParts("tel", number, None)))


class AndroidClipboard:
    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def copy(self, text: str) -> None:
        board = self._activity.service("clipboard", "android.content.ClipboardManager")
        java = self._activity.java
        board.setPrimaryClip(java.cls("android.content.ClipData").newPlainText(chars(java, "邻格"), chars(java, text)))
