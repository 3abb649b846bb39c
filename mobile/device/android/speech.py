"""Reading aloud with the phone's own voice."""

from typing import Any

from mobile.device.android.activity import Activity
from mobile.device.android.java import chars

SUCCESS = QUEUE_FLUSH = 0
STREAM = "gridhood"


class AndroidSpeech:
    """The voice starts by itself at first use, and what was asked for meanwhile is said then."""

    def __init__(self, activity: Activity) -> None:
        self._activity, self._java = activity, activity.java
        self._engine: Any = None
        self._listener: Any = None
        self._ready = False
        self._waiting = ""
        # Until the phone has said otherwise: a button that appears late is not found.
        self.available = True

    def speak(self, text: str) -> None:
        if self._ready:
            self._engine.speak(chars(self._java, text), QUEUE_FLUSH, None, STREAM)
            return
        self._waiting = text
        if self._engine is None:
            self._start()

    def _start(self) -> None:
        self._listener = self._java.implement(
            "android.speech.tts.TextToSpeech$OnInitListener", {("onInit", "(I)V"): self._started}
        )
        self._engine = self._java.cls("android.speech.tts.TextToSpeech")(self._activity.context, self._listener)

    def _started(self, status: int) -> None:
        """On Android's thread, and when there is no voice at all possibly before the constructor has returned."""
        if status != SUCCESS or self._engine is None:
            self.available = False
            return
        self.available = self._ready = self._engine.setLanguage(self._java.cls("java.util.Locale").CHINA) >= 0
        if self._ready and self._waiting:
            self.speak(self._waiting)
            self._waiting = ""
