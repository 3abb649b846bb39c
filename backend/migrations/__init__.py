"""Alembic revisions. `backend.core.migrate` runs them; the URL's user owns the schema."""
