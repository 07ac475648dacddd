"""Entitlement to a token: the only input of `features/oauth/tokens/`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Entitlement(Struct, frozen=True, kw_only=True):
    """The person, app and API of a token. Without `account_id` the token speaks for `subject`, or if that is None for the app itself.

    `scopes` is already the intersection of what the person, the app and the API allow; `permissions` are those of them
    that the API defines; `roles` the person's roles for this API. `grant_id` is the first part of the `jti` of every
    access token issued here.

    `actor` is who acts for the subject, as in the claim `act` (RFC 8693 §4.1): a `sub`, and under `act` the actor before it.
    """

    grant_id: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
    permissions: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    account_id: str | None = None
    subject: str | None = None
    session_id: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    nonce: str | None = None
    actor: dict[str, Any] | None = None
