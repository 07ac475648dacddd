"""Rules of the API key grant: which scopes are asked for, who may say where a key is used, and what its token says."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.core.model.api_key import ApiKey
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.features.api_keys.rules.cut import Allowed
from doorward.features.oauth.clients.rules import resource as resources
from doorward.features.oauth.clients.rules.scope import named


def audiences(
    client: Client | None, resource: str | None, config: ConfigSnapshot
) -> frozenset[str] | OAuthError | None:
    """The APIs for whose keys a request may ask; None for all. An app may ask only for those as which it introspects: it exchanges the
    keys of its callers, and is believed where they are."""
    own: frozenset[str] | None = None
    if client is not None:
        own = frozenset(api.identifier for api in config.apis.values() if api.client_id == client.id)
        if not own or not client.confidential:
            return OAuthError(
                "unauthorized_client",
                "Send the API key alone: this app introspects for no API.",
                f"app {client.name!r} exchanges the keys of its callers only as the app of an API",
                fix=f"doorward api introspect-as API {client.id}",
            )
    if resource is None:
        return own
    found = resources.find(resource, config.apis if own is None else own)
    if found is None:
        return OAuthError(
            "invalid_target", "The requested resource is unknown.", f"resource {resource[:200]!r}"
        )
    return frozenset({found})


def narrowed(allowed: Allowed, scope: str | None) -> Allowed | OAuthError:
    """What is allowed, or the part of it that `scope` names (RFC 6749 §3.3). A name that the key does not allow is refused."""
    asked = named(scope)
    if not asked:
        return allowed
    missing = [name for name in asked if name not in allowed.scopes]
    if missing:
        return OAuthError(
            "invalid_scope",
            "This API key does not allow a requested scope.",
            f"scope {missing[0]!r} is not among {' '.join(allowed.scopes)}",
        )
    return Allowed(tuple(name for name in allowed.scopes if name in asked), allowed.roles)


def entitlement(key: ApiKey, allowed: Allowed) -> Entitlement:
    """The entitlement of a key's owner. Where no app takes part, the key is the client (RFC 9068 §2.2 demands one): no app has an id
    like that."""
    return Entitlement(
        grant_id=key.token_prefix,
        client_id=key.client_id if key.account_id is None and key.client_id is not None else key.id,
        audience=key.audience,
        scopes=allowed.scopes,
        permissions=allowed.scopes,
        roles=allowed.roles,
        account_id=key.account_id,
    )
