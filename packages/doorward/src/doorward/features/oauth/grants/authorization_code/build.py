"""How the authorization code grant is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.grants.authorization_code.service import RedeemCode
from doorward.features.oauth.tokens.build import token_issuer
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def redeem_code(services: Services) -> RedeemCode:
    """From code to tokens."""
    return RedeemCode(
        store=services.store,
        ending=services.get(revoker),
        give=services.get(token_issuer),
        chance=services.random,
        record=services.get(audit_log),
    )
