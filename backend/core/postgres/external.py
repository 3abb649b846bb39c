"""A PostgreSQL the operator runs (GRIDHOOD_DATABASE_URL): is it there, and can this server use it?"""

import socket
from urllib.parse import parse_qs, urlsplit

import asyncpg

from backend.core.postgres.failure import PostgresFailed

OLDEST_VERSION = 15
CONNECT_SECONDS = 5
CONNECT_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")


def normalise_dsn(dsn: str) -> str:
    """The form asyncpg reads, from the three that people and SQLAlchemy write."""
    scheme, found, rest = dsn.strip().partition("://")
    if not found or not rest or scheme not in SCHEMES:
        raise _malformed()
    try:
        parts = urlsplit(f"postgresql://{rest}")
    except ValueError as error:
        raise _malformed() from error
    if parts.fragment or "@" in parts.path:  # an unescaped # or / cut the password in two
        raise _malformed()
    return f"postgresql://{rest}"


async def check_server(dsn: str) -> None:
    """Connect once. Raise PostgresFailed with one sentence, free of the password, when the server is of no use."""
    url = normalise_dsn(dsn)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (*CONNECT_ERRORS, OSError, ValueError, OverflowError) as error:
        raise _explained(error, url) from error
    try:
        _refuse_unsuitable(connection, url)
    finally:
        await connection.close(timeout=CONNECT_SECONDS)


def _refuse_unsuitable(connection: asyncpg.Connection, url: str) -> None:
    version = connection.get_server_version().major
    if version < OLDEST_VERSION:
        raise PostgresFailed(f"At {_place(url)} runs PostgreSQL {version}; {OLDEST_VERSION} or newer is needed.")
    encoding = connection.get_settings().server_encoding
    if encoding != "UTF8":  # a cluster made under LANG=C is SQL_ASCII and would cut Chinese names by bytes
        raise PostgresFailed(f"The database at {_place(url)} is encoded in {encoding}; make one with ENCODING 'UTF8'.")


def _explained(error: Exception, url: str) -> PostgresFailed:
    place = _place(url)
    match error:
        case asyncpg.InvalidCatalogNameError():
            return PostgresFailed(f"The database server at {place} has no such database: {_first_line(error)}.")
        case asyncpg.InvalidAuthorizationSpecificationError():
            return PostgresFailed(f"The database server at {place} refuses this user or password.")
        case asyncpg.PostgresConnectionError() | asyncpg.InternalClientError():
            return PostgresFailed(f"What answers at {place} does not behave like PostgreSQL.")
        case asyncpg.ClientConfigurationError():
            return _malformed()
        case asyncpg.PostgresError() | asyncpg.InterfaceError():
            return PostgresFailed(f"The database server at {place} refuses the connection: {_first_line(error)}.")
        case TimeoutError():
            return PostgresFailed(f"No database server answers at {place} within {CONNECT_SECONDS} seconds.")
        case OSError():
            return PostgresFailed(f"No database server can be reached at {place}: {_cause(error)}.")
        case _:
            return _malformed()


def _first_line(error: Exception) -> str:
    """Without the DETAIL and HINT lines that asyncpg appends."""
    return str(error).splitlines()[0].rstrip(".")


def _cause(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "the connection is refused, so nothing listens there"
        case socket.gaierror():
            return "this host name is not known"
        case FileNotFoundError():
            return "there is no such socket or file"
        case _:
            return error.strerror or str(error)


def _malformed() -> PostgresFailed:
    return PostgresFailed(
        "GRIDHOOD_DATABASE_URL is not a PostgreSQL address; "
        "it should look like postgresql://user:password@host:5432/gridhood, "
        "with %23 for a # in the password, %2F for a /, %40 for an @."
    )


def _place(url: str) -> str:
    """Host and port or socket folder, never the user or password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", ["the local socket"])[0]
