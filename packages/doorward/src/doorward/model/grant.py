"""What an app holds after a sign-in: the grant, the code that leads to it, and the chain of refresh tokens that hangs on it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Grant(Struct, frozen=True, kw_only=True):
    """One sign-in of one person in one app (`grt_…`); the refresh family. `expires_at` is absolute: rotation never moves it.

    `offline` grants (offline_access) outlive the session that they were born in; others end with it.
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
    status_list: int | None = None
    status_index: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None


class AuthorizationCode(Struct, frozen=True, kw_only=True):
    """A code, known by its SHA-256, bound to app, redirect URI and PKCE challenge (OAuth 2.1 §4.1.2); it leads to one grant.

    `redirect_uri` is None when it came out of the JSON sign-in endpoint, which redirects nowhere.
    """

    hash: bytes
    grant_id: str
    client_id: str
    created_at: int
    expires_at: int
    redirect_uri: str | None = None
    code_challenge: str | None = None
    redeemed_at: int | None = None


class RefreshToken(Struct, frozen=True, kw_only=True):
    """One link of a family, known by its SHA-256.

    Once spent, `successor_hash` points at the next link and `successor_sealed` holds it encrypted under a key that only
    the bearer of this token can derive: that is how a response lost on the way can be given again, from hashed storage.
    """

    hash: bytes
    grant_id: str
    created_at: int
    expires_at: int
    spent_at: int | None = None
    successor_hash: bytes | None = None
    successor_sealed: bytes | None = None
    ended_at: int | None = None
