"""Remembered device: a browser or app on which its owner is not asked for the second step."""

from __future__ import annotations

from msgspec import Struct


class RememberedDevice(Struct, frozen=True, kw_only=True):
    """`secret_hash` is the digest of the secret that the device holds now; `previous_hash` that of the one before, which was replaced at
    `rotated_at`. `name` was chosen by the owner. `user_agent` and `address` are those of the request that added it. `factors_mark`: the
    password and the second factors for which the row is good. All times are seconds."""

    id: str
    account_id: str
    secret_hash: bytes
    previous_hash: bytes | None = None
    rotated_at: int
    name: str | None = None
    user_agent: str
    address: str
    factors_mark: str
    created_at: int
    used_at: int
    expires_at: int
