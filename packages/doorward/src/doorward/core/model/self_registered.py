"""Apps that no operator registered, as stored: by themselves (RFC 7591), or by a client-ID metadata document."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from doorward.core.model.client import Client

KEPT: Final = 90 * 86_400
"""Seconds for which such an app is kept after the end of the last grant that it got."""


class RegisteredApp(Struct, frozen=True, kw_only=True):
    """An app that registered itself. `token_hash` is the SHA-256 of its registration access token; `initial_token_id` names the initial
    access token with which it came. Times are in seconds; it is deleted at `expires_at`, which each sign-in moves on."""

    id: str
    client: Client
    token_hash: bytes
    created_at: int
    expires_at: int
    initial_token_id: str | None = None
    used_at: int | None = None
    disabled_at: int | None = None


class ClientDocument(Struct, frozen=True, kw_only=True):
    """A client-ID metadata document, by its address. `client` is the last good copy.

    It is fetched anew from `fresh_until` on. `tried_at` and `problem` are of the last attempt, None where it succeeded. A pinned copy is
    never fetched again, and a disabled one never used. Times are in seconds; the row is deleted at `expires_at`, unless it is pinned or
    disabled.
    """

    url: str
    client: Client | None
    fetched_at: int
    fresh_until: int
    tried_at: int
    expires_at: int
    problem: str | None = None
    used_at: int | None = None
    pinned_at: int | None = None
    disabled_at: int | None = None


class InitialAccessToken(Struct, frozen=True, kw_only=True):
    """An initial access token (RFC 7591 §1.2), with the policy for the apps that register with it.

    `used` of `most` registrations were made. `redirect_hosts`: the hosts of permitted redirect URIs, "*" for all; `grant_types` and `access`
    (API identifier -> permissions): what its apps may have.
    """

    id: str
    name: str
    token_hash: bytes
    created_at: int
    expires_at: int
    most: int
    used: int = 0
    redirect_hosts: tuple[str, ...] = ("*",)
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    access: dict[str, tuple[str, ...]] = {}
