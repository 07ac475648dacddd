"""Audit line of a command that works on a whole database."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.adapters.os_user import os_actor
from doorward.adapters.random import SystemRandom
from doorward.features.audit.operator import event_by
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store


async def write_event(store: Store, kind: str, *, now: int, detail: Mapping[str, str]) -> None:
    """Commit the line, with the operator who runs the command as its actor. Raises `StoreUnavailable`.

    The database may be of an older schema: a backup is made before an update, and changes none.
    """
    await store.commit(store.audit.append_unhashed(event_by(SystemRandom(), os_actor(), kind, now, **detail)))


async def open_and_write_event(
    database: str, options: PostgresOptions, kind: str, *, now: int, detail: Mapping[str, str]
) -> None:
    """The same in a database that was filled, which is brought up to date."""
    store = await open_store(database, postgres=options)
    try:
        await write_event(store, kind, now=now, detail=detail)
    finally:
        await store.close()
