"""What may go wrong between the phone and its server, in the words a person reads."""

from shared.errors import CATALOGUE, Code
from shared.texts import _


class NetworkProblem(Exception):
    """Nothing certain came back."""

    sentence = _("现在连不上服务器，请看看网络，再试一次。")


class NeverLeft(NetworkProblem):
    """There was no connection: the server has certainly seen nothing."""


class NoAnswer(NetworkProblem):
    """The request left and no answer came: it may have been done."""


class TooMuch(NoAnswer):
    """Something in front of the server takes less at once than the server does."""


class Refused(Exception):
    """The server said no, with a code and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.sentence = status, code, sentence


class SignInNeeded(Refused):
    """The tokens of this phone are no longer good. Capturing goes on without them."""

    def __init__(self, status: int = 401, code: str = Code.session_ended) -> None:
        super().__init__(status, code, CATALOGUE[Code.session_ended].sentence)
