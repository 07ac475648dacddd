"""Readiness of this process for requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from doorward.core.ports.keys import Signer
from doorward.storage.sql.store import Store


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Checks the database and the signing keys."""

    store: Store
    signer: Signer

    async def check(self) -> tuple[bool, bool]:
        """Whether the database answers with the schema of this version, and whether there is a signing key."""
        return await self.store.ready(), bool(self.signer.jwks()["keys"])
