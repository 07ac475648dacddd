"""`doorward migrate`: the database is brought up to this program's schema."""

from __future__ import annotations

from doorward.settings import Settings
from doorward.storage.sql.open import open_store


async def migrate(settings: Settings) -> str:
    """Open the store, which brings it up to date, and close it; answers where it is, without a password."""
    store = await open_store(settings.database, postgres=settings.postgres)
    await store.close()
    return str(settings.database)
