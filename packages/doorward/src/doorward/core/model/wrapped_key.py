"""Wrapped key of the server as stored: never in clear, one row for each key-encryption key that may open it."""

from __future__ import annotations

from msgspec import Struct


class WrappedKey(Struct, frozen=True):
    """One wrapping. `id` names the wrapped key (the root secret), `kek` the key-encryption key (`KeyWrapper.id`);
    several wrappings of one `id` exist while the key-encryption key changes."""

    id: str
    kek: str
    wrapped: bytes
    created_at: int
