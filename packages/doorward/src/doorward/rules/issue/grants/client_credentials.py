"""An app asks for itself: what is it entitled to? (OAuth 2.1 §4.2)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from doorward.model.catalog import Catalog
from doorward.model.client import Client
from doorward.model.entitlement import Entitlement
from doorward.model.refusal import Refusal
from doorward.rules.permit.checks.scope import target
from doorward.rules.permit.entitle import entitle

METADATA: Final = "client_credentials"


def check(
    client: Client, form: Mapping[str, str], *, catalog: Catalog, issuer: str, grant_id: str
) -> Entitlement | Refusal:
    """The entitlement of an app that acts for itself; its `sub` is its own id, which no person can have (line 26)."""
    if not client.confidential:
        return Refusal("unauthorized_client", "A public app cannot act for itself.")
    asked = target(
        catalog=catalog, client=client, issuer=issuer, scope=form.get("scope"), resource=form.get("resource")
    )
    if isinstance(asked, Refusal):
        return asked
    granted = entitle(
        catalog=catalog, client=client, audience=asked.audience, scopes=asked.scopes, role_names=None
    )
    return Entitlement(
        grant_id=grant_id,
        client_id=client.id,
        audience=asked.audience,
        scopes=granted.scopes,
        permissions=granted.permissions,
    )
