"""A key of the server as stored: never in clear, once for each key-encryption key that may open it."""

from __future__ import annotations

from msgspec import Struct


class WrappedKey(Struct, frozen=True):
    """One wrapping. `id` names the key inside (the root secret), `kek` the key-encryption key as of `KeyWrapper.id`; several
    wrappings of one `id` stand side by side while the key-encryption key changes."""

    id: str
    kek: str
    wrapped: bytes
    created_at: int
