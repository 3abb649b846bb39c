"""The phone's SQLite: sealed rows, the outbox, drafts."""
