"""Every table of the project, imported for its effect on SQLModel's metadata."""

from backend.auth import models as auth
from backend.core import models as core
from backend.grid import models as grid
from backend.matching import models as matching
from backend.requests import models as requests
from backend.residents import models as residents
from backend.visits import models as visits
from backend.volunteers import models as volunteers

__all__ = ["auth", "core", "grid", "matching", "requests", "residents", "visits", "volunteers"]
