"""The database server: the embedded PostgreSQL that `gridhood serve` starts, or a check of one the operator names."""

from backend.core.postgres.embedded import EmbeddedPostgres, default_data_folder
from backend.core.postgres.external import check_server, normalise_dsn
from backend.core.postgres.failure import PostgresFailed
from backend.core.postgres.programs import pg_binary

__all__ = [
    "EmbeddedPostgres",
    "PostgresFailed",
    "check_server",
    "default_data_folder",
    "normalise_dsn",
    "pg_binary",
]
