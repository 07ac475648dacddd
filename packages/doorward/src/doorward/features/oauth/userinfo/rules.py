"""Claims for the bearer of an access token (OpenID Connect Core §5.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Required, TypedDict

from doorward.core.errors import OAuthError
from doorward.core.model.account import Account
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant
from doorward.features.oauth.tokens.rules import person

INVALID = "The access token is invalid, expired or revoked."


class Userinfo(TypedDict, total=False):
    """What an app hears of a person, by its scopes and by the claims that it asked for."""

    sub: Required[str]
    name: str
    given_name: str
    family_name: str
    preferred_username: str
    locale: str
    zoneinfo: str
    updated_at: int
    email: str
    email_verified: bool
    roles: list[str]
    groups: list[str]


def answer(
    claims: Mapping[str, Any],
    *,
    client: Client | None,
    grant: Grant | None,
    account: Account | None,
    config: ConfigSnapshot,
) -> tuple[Client, dict[str, Any]] | OAuthError:
    """The app, and the claims for it; `claims` are those of a valid token, and `client` is the app that they name.

    A token for any API is accepted: its scope `openid` gives access to this endpoint.
    """
    scopes = str(claims.get("scope", "")).split()
    if "openid" not in scopes:
        return OAuthError("insufficient_scope", "The access token lacks the scope openid.")
    if client is None or grant is None or grant.ended_at is not None:
        return OAuthError("invalid_token", INVALID, "app or grant is gone")
    if account is None or account.disabled_at is not None or account.id != claims["sub"]:
        return OAuthError("invalid_token", INVALID, "the account is gone or disabled")
    asked: dict[str, Any] = grant.claims.get("userinfo") or {}
    return client, {
        "sub": account.id,
        **person.claims(account, client, config=config, scopes=scopes, asked=asked),
    }
