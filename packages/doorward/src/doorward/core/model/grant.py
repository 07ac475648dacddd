"""Grant of an app after a sign-in, with its authorization code and refresh token."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Grant(Struct, frozen=True, kw_only=True):
    """One sign-in of one person in one app (`grt_…`); the refresh token family. `expires_at` is absolute: rotation
    never changes it.

    `offline` grants (offline_access) outlive the session that they were made in; others end with it.
    """

    id: str
    client_id: str
    account_id: str
    audience: str
    scopes: tuple[str, ...]
    created_at: int
    expires_at: int
    auth_time: int
    acr: str
    amr: tuple[str, ...]
    session_id: str | None = None
    offline: bool = False
    nonce: str | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    ended_at: int | None = None
    end_reason: str | None = None


class AuthorizationCode(Struct, frozen=True, kw_only=True):
    """A code, stored by its SHA-256, bound to app, redirect URI and PKCE challenge (OAuth 2.1 §4.1.2); it leads to one
    grant.

    `redirect_uri` is None for the JSON sign-in endpoint, which does not redirect.
    """

    hash: bytes
    grant_id: str
    client_id: str
    created_at: int
    expires_at: int
    redirect_uri: str | None = None
    code_challenge: str | None = None
    redeemed_at: int | None = None


class Spent(Struct, frozen=True, array_like=True):
    """A refresh token that was exchanged: its SHA-256, the time (seconds), and its successor's secret, encrypted under
    a key that only the bearer of the spent token can derive. This allows a lost answer to be repeated although only
    hashes are stored."""

    hash: bytes
    at: int
    sealed: bytes


class RefreshToken(Struct, frozen=True, kw_only=True):
    """The one live refresh token of a grant, stored by its SHA-256, and the last few before it that may still be in
    use.

    `generation` counts from 1. `family_hash` is the SHA-256 of the secret that all tokens of the grant share: it
    distinguishes a token spent long ago, of which nothing else is stored, from an invented one. `recent` begins with
    the newest. `late_at`: the last time (seconds) that a public app got an answer repeated after the leeway.
    """

    grant_id: str
    family_hash: bytes
    generation: int
    hash: bytes
    created_at: int
    expires_at: int
    recent: tuple[Spent, ...] = ()
    late_at: int | None = None
