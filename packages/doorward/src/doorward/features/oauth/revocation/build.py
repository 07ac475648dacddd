"""How the revocation endpoint's service is built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.oauth.client_auth.build import authenticate_client
from doorward.features.oauth.revocation.service import RevokeToken
from doorward.features.rate_limits.build import throttle
from doorward.features.revocations.build import revocation_view
from doorward.features.services import Services
from doorward.features.sessions.build import revoker


def revoke_token(services: Services) -> RevokeToken:
    """The end of a token that its app gives back."""
    return RevokeToken(
        authenticate=services.get(authenticate_client),
        store=services.store,
        ending=services.get(revoker),
        signer=services.signer,
        record=services.get(audit_log),
        throttle=services.get(throttle),
        meter=services.metrics,
        clock=services.clock,
        view=services.get(revocation_view),
        issuer=services.issuer,
    )
