"""Readiness: whether requests may be sent to this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from doorward.core.ports.keys import Signer
from doorward.storage.sql.store import Store


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Asks the database and the keys."""

    store: Store
    signer: Signer

    async def check(self) -> tuple[bool, bool]:
        """Whether the database answers with our schema, and whether there is a key to sign with."""
        return await self.store.ready(), bool(self.signer.jwks()["keys"])
