"""API key: a long-lived credential for one API, of a person or of an app that acts for itself."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

KEY_ID: Final = "key"
"""Begins the id of a key, and the `jti` of the tokens made from it."""


class ApiKey(Struct, frozen=True, kw_only=True):
    """The owner is the person `account_id`, or the app `client_id` where that is None; nothing else names an owner.

    `secret_hash` is the digest of the secret; `previous_hash` that of the one before, good until `previous_until`. The `jti` of every
    token made from the key begins with `token_prefix`: it is replaced when the tokens of the key have to end and the key stays.
    `scopes` are permissions at `audience`; `networks` (CIDR) those from which the key works, all if empty. `warned` is the last warning
    before the expiry, in days. Times are seconds.
    """

    id: str
    account_id: str | None
    client_id: str | None
    name: str
    audience: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...] = ()
    secret_hash: bytes
    previous_hash: bytes | None = None
    previous_until: int | None = None
    token_prefix: str
    created_at: int
    rotated_at: int | None = None
    expires_at: int
    used_at: int | None = None
    warned: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None

    def live(self, now: int) -> bool:
        """Whether it has neither ended nor expired."""
        return self.ended_at is None and now < self.expires_at
