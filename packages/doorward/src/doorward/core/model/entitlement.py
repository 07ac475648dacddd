"""What somebody is entitled to: the only door into `features/oauth/tokens/`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Entitlement(Struct, frozen=True, kw_only=True):
    """Who gets a token, for which app, at which API. Without `account_id` the app acts for itself.

    `scopes` is already what the person, the app and the API have in common; `permissions` are those of them that the API
    defines; `roles` the person's roles that reach this API. `grant_id` heads the `jti` of every access token given here.
    """

    grant_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
    permissions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    account_id: str | None = None
    session_id: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str | None = None
    status: tuple[str, int] | None = None
