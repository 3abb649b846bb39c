"""Every table of the project, imported for its effect on SQLModel's metadata."""

from backend.auth import models as auth
from backend.core import models as core
from backend.duties import models as duties
from backend.grid import models as grid
from backend.imports import models as imports
from backend.matching import models as matching
from backend.redrawing import models as redrawing
from backend.requests import models as requests
from backend.residents import history_models as history
from backend.residents import links_models as links
from backend.residents import models as residents
from backend.rounds import models as rounds
from backend.sync import models as sync
from backend.visits import models as visits
from backend.volunteers import models as volunteers

__all__ = [
    "auth",
    "core",
    "duties",
    "grid",
    "history",
    "imports",
    "links",
    "matching",
    "redrawing",
    "requests",
    "residents",
    "rounds",
    "sync",
    "visits",
    "volunteers",
]
