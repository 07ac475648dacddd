"""Entitlement of an app that acts for itself: by its credential, or by an assertion of a trusted issuer."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.features.oauth.clients.rules.entitle import entitle
from doorward.features.oauth.clients.rules.scope import target


def for_itself(
    client: Client, form: Mapping[str, str], *, config: ConfigSnapshot, issuer: str, grant_id: str
) -> Entitlement | OAuthError:
    """What `scope` and `resource` of the form give the app; its `sub` is its own id, which no person can have (R26).

    Without `scope` it gets all its permissions at the API, the default (RFC 6749 §3.3). A token without permissions is refused here,
    since at the API the reason would be unclear.
    """
    asked = target(
        config=config,
        client=client,
        issuer=issuer,
        scope=form.get("scope"),
        resource=form.get("resource"),
        person=False,
    )
    if isinstance(asked, OAuthError):
        return asked
    audience = asked.audience
    unsaid = not asked.scopes and form.get("resource") is None
    if unsaid and audience == issuer and any(name in config.apis for name in client.access):
        # several APIs are possible; a single one would be the audience already
        return OAuthError(
            "invalid_target",
            "Name the API that the token is for in the resource parameter.",
            f"app {client.name!r} reaches several APIs and sent neither scope nor resource",
        )
    granted = entitle(
        config=config,
        client=client,
        audience=audience,
        scopes=asked.scopes or client.access.get(audience, ()),
        role_names=None,
    )
    if not granted.scopes:
        return OAuthError(
            "invalid_scope",
            "This app has no permission to ask for there.",
            f"app {client.name!r} has no permission at {audience} that it could be given",
            fix=f"doorward app set {quote(client.name)} --api API:PERMISSION (doorward api list names both)",
        )
    return Entitlement(
        grant_id=grant_id,
        client_id=client.id,
        audience=audience,
        scopes=granted.scopes,
        permissions=granted.permissions,
    )
