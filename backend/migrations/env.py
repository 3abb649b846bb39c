"""Alembic environment: runs on a connection handed over by backend.core.migrate."""

from alembic import context
from sqlmodel import SQLModel

from backend import tables  # noqa: F401  (registers every table)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    # A migration that waits for a lock makes everybody else wait behind it.
    connection.exec_driver_sql("SET lock_timeout = '2s'")
    context.run_migrations()
