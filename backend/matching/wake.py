"""Asking for a tick at once, where somebody waits."""

from uuid import UUID

from backend.core.transaction import Transaction


async def ask_for_tick(tx: Transaction, request_id: UUID) -> None:
    """Have volunteers asked for this request as soon as the transaction has committed."""
    # The queue's package weighs a fifth of the server: only a process that asks or ticks carries it.
    from backend.matching import tasks

    await tasks.enqueue_tick(tx, request_id)
