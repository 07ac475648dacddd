"""Identities that people have at external OpenID providers."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

FEDERATED: Final = "fed"
"""The authentication method of a proof by somebody elsewhere, in `amr` (RFC 8176 has no word for it)."""


class ExternalIdentity(Struct, frozen=True, kw_only=True):
    """An account at a provider with which its owner signs in here. The key is issuer and subject (R89); `email` is what the provider said
    when it was connected, for the owner to recognise it. `factor_id` and `account_id` are those of its row in `factors`. `mapped_roles`
    (as `Role.held_as`) are the account's roles that the provider's mapping gave, and that it takes away again. `typed_as`: the name that
    its owner typed at the last sign-in, in the form that counters have; None for a provider, at which names are typed elsewhere."""

    factor_id: str
    account_id: str
    issuer: str
    subject: str
    email: str
    last_used_at: int | None = None
    mapped_roles: tuple[str, ...] = ()
    typed_as: str | None = None


class UpstreamSession(Struct, frozen=True, kw_only=True):
    """The session at a provider by which somebody signed in here. `holder` is the id of the sign-in, then of the session in which it
    ended; `factor_id` is that of the identity; `sid` is the provider's own name of the session, None if it gave none. `expires_at`
    (seconds) is that of the holder."""

    holder: str
    factor_id: str
    sid: str | None
    expires_at: int


class PendingIdentity(Struct, frozen=True, kw_only=True):
    """An account at a provider that nobody here has yet, and the browser that signed in to it, until its owner has signed in here.

    `sign_in_id`: the sign-in that goes on afterwards. `email`: what the provider said, "" for nothing. `taken`: the address is confirmed, and
    an account here has it.
    """

    browser_hash: bytes
    sign_in_id: str
    provider: str
    issuer: str
    subject: str
    email: str
    taken: bool
    expires_at: int
