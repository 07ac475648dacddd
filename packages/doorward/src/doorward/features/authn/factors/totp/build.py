"""How the services of authenticator apps are built."""

from __future__ import annotations

from doorward.features.authn.factors.totp.factor import TotpCodes, TotpFactor
from doorward.features.services import Services


def totp_factor(services: Services) -> TotpFactor:
    """The authenticator app as a factor."""
    return TotpFactor(typed_code=TotpCodes(store=services.store, sealer=services.sealer))
