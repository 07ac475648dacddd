"""Passkey as stored: the credential record of Web Authentication Level 3 §4, and what the pages show of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AttestationResult = Literal["none", "self", "unverified", "verified"]
"""`none`: no statement. `self`: signed with the key of the passkey itself. `unverified`: a valid signature of a maker whose root is
not in the operator's metadata. `verified`: its chain ends in that metadata."""


class Passkey(Struct, frozen=True, kw_only=True):
    """`factor_id` and `account_id` are those of its row in `factors`. `public_key` is a COSE_Key (RFC 9052 §7). `user_verified`: a
    ceremony with user verification has succeeded (`uvInitialized`). `made_silently`: created without a dialog after another sign-in.
    `suspect_at` (seconds): its counter ran backwards, so a copy exists; the passkey is refused until it is removed."""

    factor_id: str
    account_id: str
    credential_id: bytes
    public_key: bytes
    alg: int
    sign_count: int
    aaguid: str
    name: str
    transports: tuple[str, ...] = ()
    discoverable: bool = False
    user_verified: bool = False
    backup_eligible: bool = False
    backed_up: bool = False
    attestation: AttestationResult = "none"
    made_silently: bool = False
    last_used_at: int | None = None
    suspect_at: int | None = None
