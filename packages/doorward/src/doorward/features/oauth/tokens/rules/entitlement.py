"""Entitlement of an app by a person's grant, at the time of issue."""

from __future__ import annotations

from doorward.core.model.account import Account
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.grant import Grant
from doorward.features.oauth.clients.rules.entitle import Granted


def of_grant(grant: Grant, *, account: Account, granted: Granted) -> Entitlement:
    """Made at each issue. `granted` is what the person, the app and the API now allow of the grant's scopes, so that a removed role is
    missing in the next token.

    An offline grant outlives its browser session, so its tokens carry no `sid`: otherwise the end of the session, which revokes
    every token with that `sid`, would end access that the person allowed to continue (OpenID Connect Back-Channel Logout 1.0 §2.7).
    """
    return Entitlement(
        grant_id=grant.id,
        client_id=grant.client_id,
        audience=grant.audience,
        scopes=granted.scopes,
        permissions=granted.permissions,
        roles=granted.roles,
        account_id=account.id,
        session_id=None if grant.offline else grant.session_id,
        auth_time=grant.auth_time,
        acr=grant.acr,
        amr=grant.amr,
        claims=grant.claims,
        nonce=grant.nonce,
    )
