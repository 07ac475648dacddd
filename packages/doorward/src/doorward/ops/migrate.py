"""`doorward migrate`: migration of the database to this program's schema."""

from __future__ import annotations

from doorward.settings import Settings
from doorward.storage.sql.open import open_store


async def migrate(settings: Settings) -> str:
    """Open the store, which migrates it, and close it; returns its location without a password."""
    store = await open_store(settings.database, postgres=settings.postgres)
    await store.close()
    return str(settings.database)
