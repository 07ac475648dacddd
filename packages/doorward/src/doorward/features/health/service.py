"""Readiness of this process for requests."""

from __future__ import annotations

from doorward.core.ports.keys import TokenSigner
from doorward.storage.sql.store import Store


async def readiness(store: Store, signer: TokenSigner) -> tuple[bool, bool]:
    """Whether the database answers with the schema of this version, and whether there is a signing key."""
    return await store.ready(), bool(signer.jwks()["keys"])
