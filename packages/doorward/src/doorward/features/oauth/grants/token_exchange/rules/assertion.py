"""Rules for issuing an ID-JAG: from which ID token, to which server, for what (draft-ietf-oauth-identity-assertion-authz-grant §4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from shlex import quote
from typing import Any, Final

from msgspec import Struct

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.token_exchange import ExchangePolicy, IdJagTarget
from doorward.features.oauth.clients.rules import resource as resources
from doorward.features.oauth.clients.rules.scope import named
from doorward.features.oauth.grants.token_exchange.rules.presented import INVALID
from doorward.features.oauth.grants.token_exchange.rules.request import ExchangeRequest
from doorward.features.oauth.tokens.rules import own_token
from doorward_verify import jws
from doorward_verify.auth_error import AuthError
from doorward_verify.encoding import Malformed, json_object
from doorward_verify.keyset import KeySet

LIFE: Final = 300
"""Seconds that an ID-JAG lives: it is used at once."""
MAX_RESOURCE: Final = 2000
_TYPES: Final = frozenset({"jwt"})


class AssertionTarget(Struct, frozen=True, kw_only=True):
    """Where an ID-JAG is for: the other server's issuer, the app's name there, the API if one was named, and the scopes."""

    audience: str
    client_id: str
    resource: str | None
    scopes: tuple[str, ...]


def target(
    asked: ExchangeRequest, *, client: Client, policy: ExchangePolicy, issuer: str
) -> AssertionTarget | OAuthError:
    """Check that this app may be vouched for at the server that `audience` names, and with these scopes; without any it gets all that are
    allowed there. A public app cannot prove that the ID token is its own (§8.1)."""
    if not client.confidential:
        return OAuthError("unauthorized_client", "A public app gets no ID-JAG.")
    if asked.audience is None:
        return OAuthError("invalid_target", "Name the other server's issuer in the audience parameter.")
    if resources.same(asked.audience, issuer):
        # it would widen what the app has here already (§8.3)
        return OAuthError("invalid_target", "This server issues no ID-JAG for itself.")
    found = resources.find(asked.audience, policy.id_jag)
    if found is None:
        near = get_close_matches(asked.audience, policy.id_jag, n=1)
        hint = f"; nearest {near[0]}" if near else ""
        return OAuthError(
            "invalid_target",
            "The audience is unknown, or not available to this app.",
            f"audience {asked.audience[:200]!r} for app {client.name!r}{hint}",
            fix=f"doorward app exchange {quote(client.name)} --id-jag ISSUER=CLIENT_ID",
        )
    if asked.resource is not None and not _absolute(asked.resource):
        return OAuthError("invalid_target", "The resource is not an absolute URI without a fragment.")
    there: IdJagTarget = policy.id_jag[found]
    wanted = named(asked.scope)
    for name in wanted:
        if name not in there.scopes:
            near = get_close_matches(name[:100], there.scopes, n=1)
            hint = f"; nearest {near[0]}" if near else ""
            return OAuthError(
                "invalid_scope",
                "A requested scope is not available to this app there.",
                f"scope {name[:100]!r} of app {client.name!r} at {found}{hint}",
                fix=f"doorward app exchange {quote(client.name)} --id-jag {quote(f'{found}={there.client_id}')} --id-jag-scope SCOPE",
            )
    return AssertionTarget(
        audience=found,
        client_id=there.client_id,
        resource=asked.resource,
        scopes=wanted or there.scopes,
    )


def _absolute(resource: str) -> bool:
    scheme, colon, rest = resource.partition(":")
    return (
        len(resource) <= MAX_RESOURCE
        and resource.isascii()
        and resource.isprintable()
        and " " not in resource
        and "#" not in resource
        and bool(colon and rest and scheme.replace("+", "").replace("-", "").replace(".", "").isalnum())
    )


def of_id_token(
    token: str, keys: KeySet, *, issuer: str, client: Client, now: int
) -> Mapping[str, Any] | OAuthError:
    """The claims of an ID token that this server signed for this app (OpenID Connect Core §3.1.3.7). Revocation is not checked here."""
    gone = INVALID.format("subject_token")
    try:
        said: dict[str, Any] = json_object(
            jws.verify(token, keys, algorithms=own_token.ALGORITHMS, types=_TYPES).payload
        )
    except (AuthError, Malformed):
        return OAuthError("invalid_request", gone, "no ID token of ours")
    # an access token of an API with `typ` JWT, a userinfo answer and a log-out token are signed with the same keys
    if said.get("iss") != issuer or "at_hash" not in said or own_token.is_access(said):
        return OAuthError("invalid_request", gone, "a token of ours, but no ID token")
    if not isinstance(said.get("exp"), int) or said["exp"] <= now:
        return OAuthError("invalid_request", gone, "the ID token has expired")
    if said.get("aud") != client.id:
        return OAuthError(
            "invalid_request", gone, f"the ID token is for app {said.get('aud')}, not {client.id}"
        )
    return said
