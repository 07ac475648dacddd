"""Presented token: what a subject or actor token says, and which app may present it (RFC 8693 §2.1, §5)."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant, RefreshToken
from doorward.features.oauth.tokens.rules.refresh_format import PresentedRefreshToken

INVALID: Final = "The {} is invalid, expired or revoked."
_GRANT: Final = "grt_"


class PresentedToken(Struct, frozen=True, kw_only=True):
    """An access token of ours, or the grant of a refresh token. `prefix` is the id whose end revokes it, `until` (seconds) its expiry.

    `actor` is the claim `act` and `may_act` the claim of that name.
    """

    prefix: str
    subject: str
    client_id: str
    audience: str
    scopes: tuple[str, ...]
    until: int
    session_id: str | None = None
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    actor: dict[str, Any] | None = None
    may_act: dict[str, Any] | None = None

    @property
    def row(self) -> str | None:
        """The id that a row has: of a grant, an API key, a trusted issuer, an exchange. None for the token that an app got for itself:
        it begins with another random id each time, and ends with its app only."""
        own = self.subject == self.client_id and self.prefix.startswith(_GRANT)
        return None if own else self.prefix


def of_access(claims: Mapping[str, Any], *, parameter: str) -> PresentedToken | OAuthError:
    """The token with these claims, whose signature and lifetime are checked. `parameter` is its name in the form."""
    if "cnf" in claims:
        # the request proves nothing about the key that it is bound to (RFC 9449 §7, RFC 8705 §3)
        return OAuthError("invalid_request", f"A sender-constrained token cannot be the {parameter}.")
    return PresentedToken(
        prefix=claims["jti"].partition(".")[0],
        subject=claims["sub"],
        client_id=claims["client_id"],
        audience=claims["aud"],
        scopes=tuple(claims["scope"].split()),
        until=claims["exp"],
        session_id=claims.get("sid"),
        auth_time=claims.get("auth_time"),
        acr=claims.get("acr"),
        amr=tuple(claims.get("amr", ())),
        actor=claims.get("act"),
        may_act=claims.get("may_act"),
    )


def of_refresh(
    presented: PresentedRefreshToken,
    found: tuple[RefreshToken, Grant] | None,
    *,
    client: Client,
    may_act: str | None,
    now: int,
) -> PresentedToken | OAuthError:
    """The grant of the app's own newest refresh token, which is not spent by this.

    An older token of the family is refused, and its family is left alone: what a replay is, the refresh token grant decides.
    """
    gone = INVALID.format("subject_token")
    if found is None:
        return OAuthError("invalid_request", gone, "no such refresh token")
    token, grant = found
    if not compare_digest(presented.family_hash, token.family_hash):
        return OAuthError("invalid_request", gone, f"no token of grant {grant.id}")
    if grant.client_id != client.id:
        return OAuthError("invalid_request", gone, f"the refresh token belongs to app {grant.client_id}")
    if grant.ended_at is not None or now >= min(token.expires_at, grant.expires_at):
        return OAuthError(
            "invalid_request", gone, f"grant {grant.id} has ended ({grant.end_reason or 'expired'})"
        )
    if not compare_digest(presented.hash, token.hash):
        return OAuthError("invalid_request", gone, f"not the newest refresh token of grant {grant.id}")
    return PresentedToken(
        prefix=grant.id,
        subject=grant.account_id,
        client_id=grant.client_id,
        audience=grant.audience,
        scopes=grant.scopes,
        until=grant.expires_at,
        # an offline grant outlives its session
        session_id=None if grant.offline else grant.session_id,
        auth_time=grant.auth_time,
        acr=grant.acr,
        amr=grant.amr,
        may_act=None if may_act is None else {"sub": may_act},
    )


def presentable(
    token: PresentedToken, client: Client, config: ConfigSnapshot, *, parameter: str
) -> OAuthError | None:
    """Check that the app holds this access token rightly: it was issued to it, or made for the API whose app it is. None if so.

    A public app proves nothing about itself, so that it presents none: each API that it calls has its token, and could name the app and
    take the token to another API (RFC 8693 §2.1, §5). Its refresh token no API ever sees.
    """
    if not client.confidential:
        return OAuthError(
            "invalid_request",
            f"A public app presents its refresh token; an access token cannot be its {parameter}.",
            f"{parameter} of app {token.client_id} for {token.audience}, presented in the name of public app {client.name!r}",
            fix="the app sends its refresh_token as subject_token, with that subject_token_type",
        )
    if token.client_id == client.id:
        return None
    api = config.apis.get(token.audience)
    if api is not None and api.client_id == client.id:
        return None
    fix = "doorward api introspect-as API APP names the app of the API that the token is for"
    return OAuthError(
        "invalid_request",
        f"The {parameter} was neither issued to this app nor made for its API.",
        f"{parameter} of app {token.client_id} for {token.audience}, presented by app {client.name!r}",
        fix=fix,
    )
