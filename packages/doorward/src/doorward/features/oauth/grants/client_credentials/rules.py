"""Rules of the client credentials grant: the entitlement of an app that acts for itself (OAuth 2.1 §4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import ConfigSnapshot
from doorward.core.model.entitlement import Entitlement
from doorward.features.oauth.clients.rules.for_itself import for_itself


def check(
    client: Client, form: Mapping[str, str], *, config: ConfigSnapshot, issuer: str, grant_id: str
) -> Entitlement | OAuthError:
    """The entitlement of an app that authenticated (`features/oauth/clients/rules/for_itself.py`)."""
    if not client.confidential:
        return OAuthError("unauthorized_client", "A public app cannot act for itself.")
    return for_itself(client, form, config=config, issuer=issuer, grant_id=grant_id)
