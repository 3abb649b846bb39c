"""Settings of the phone, whoever is signed in. Kept the moment they change."""

from kivy.event import EventDispatcher
from kivy.properties import BooleanProperty, StringProperty

from mobile.store.phone import PhoneFile

DEFAULT_SERVER = "http://127.0.0.1:8000"


class Settings(EventDispatcher):
    """`large` is 大字版, `consent` that the privacy text was agreed to.

    `server` is the address this phone talks to; a session keeps the one it was begun with.
    """

    large = BooleanProperty(False)
    server = StringProperty(DEFAULT_SERVER)
    consent = BooleanProperty(False)

    def __init__(self, phone: PhoneFile, default_server: str = DEFAULT_SERVER) -> None:
        super().__init__()
        self._phone = phone
        self.large = phone.get("large") == "1"
        self.consent = phone.get("consent") == "1"
        self.server = phone.get("server") or default_server
        self.bind(large=self._keep_flags, consent=self._keep_flags, server=self._keep_server)

    def _keep_flags(self, *_: object) -> None:
        self._phone.put("large", "1" if self.large else "0")
        self._phone.put("consent", "1" if self.consent else "0")

    def _keep_server(self, *_: object) -> None:
        self._phone.put("server", self.server.strip())
