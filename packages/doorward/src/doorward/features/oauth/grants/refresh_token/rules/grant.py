"""Scope limits of a refresh: never more than the person consented to (OAuth 2.1 §4.3.1, RFC 8707 §2.2)."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.grant import Grant
from doorward.features.oauth.clients.rules.resource import same
from doorward.features.oauth.clients.rules.scope import defined, named


def narrow(
    grant: Grant, *, scope: str | None, resource: str | None, config: ConfigSnapshot
) -> tuple[str, ...] | OAuthError:
    """The scopes for this one access token: those of the grant, or a part of them. The grant itself keeps all (R21).

    Clients repeat the scope of their authorization request here. Undefined names that were ignored there are ignored again (see
    `features/oauth/clients/rules/scope.py`), as long as one name remains.
    """
    if resource is not None and not same(resource, grant.audience):
        return OAuthError(
            "invalid_target",
            "The refresh token is for another resource.",
            f"resource {resource[:200]!r} asked, the grant is for {grant.audience!r}",
        )
    if scope is None:
        return grant.scopes
    asked = named(scope)
    if not asked:
        return OAuthError("invalid_scope", "The scope parameter is empty.", "scope without a name")
    if not set(asked).issubset(grant.scopes):
        wanted = asked
        if "openid" in grant.scopes:
            # a granted name stays, even if no API defines it any more
            known = defined(config, asked)
            asked = tuple(name for name in asked if name in known or name in grant.scopes)
        if not asked or not set(asked).issubset(grant.scopes):
            beyond = ", ".join(repr(name[:80]) for name in wanted if name not in grant.scopes)
            return OAuthError(
                "invalid_scope",
                "A refresh cannot ask for more than was granted.",
                f"scope {beyond} is not in the grant, which has {' '.join(grant.scopes)}",
                fix="the app asks for it at /authorize, or leaves scope out here",
            )
    return asked
