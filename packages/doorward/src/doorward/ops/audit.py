"""Audit line of a command that works on a whole database."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.adapters.os_user import os_actor
from doorward.adapters.random import SystemRandom
from doorward.features.audit.operator import operator_event
from doorward.storage.postgres.options import PostgresOptions
from doorward.storage.sql.open import open_store
from doorward.storage.sql.store import Store


async def write_event(store: Store, kind: str, *, now: int, detail: Mapping[str, str]) -> None:
    """Commit the line, with the operator who runs the command as its actor. Raises `StoreUnavailable`."""
    random, actor = SystemRandom(), os_actor()
    await store.commit(operator_event(store, random, actor=actor, kind=kind, now=now, **detail))


async def open_and_write_event(
    database: str, options: PostgresOptions, kind: str, *, now: int, detail: Mapping[str, str]
) -> None:
    """The same in a database that was filled, which is brought up to date."""
    store = await open_store(database, postgres=options)
    try:
        await write_event(store, kind, now=now, detail=detail)
    finally:
        await store.close()
