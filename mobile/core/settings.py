"""Settings of the phone, whoever is signed in. Kept the moment they change."""

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, StringProperty

from mobile.store.phone import PhoneFile

FLAGS = ("large", "contrast", "consent")
DEFAULT_SERVER = "http://127.0.0.1:8000"


class Settings(EventDispatcher):
    """`large` is 大字版, `contrast` 高对比, `consent` that the privacy text was agreed to.

    `server` is the address this phone talks to; a session keeps the one it was begun with.
    """

    large = BooleanProperty(False)
    contrast = BooleanProperty(False)
    server = StringProperty(DEFAULT_SERVER)
    consent = BooleanProperty(False)

    def __init__(self, phone: PhoneFile, default_server: str = DEFAULT_SERVER) -> None:
        super().__init__()
        self._phone = phone
        for flag in FLAGS:
            setattr(self, flag, phone.get(flag) == "1")
        self.server = phone.get("server") or default_server
        self.bind(**dict.fromkeys(FLAGS, self._keep_flags), server=self._keep_server)

    def _keep_flags(self, *_: object) -> None:
        for flag in FLAGS:
            self._phone.put(flag, "1" if getattr(self, flag) else "0")

    def _keep_server(self, *_: object) -> None:
        self._phone.put("server", self.server.strip())
