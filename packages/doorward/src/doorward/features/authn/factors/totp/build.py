"""Construction of the authenticator app factor."""

from __future__ import annotations

from doorward.features.authn.factors.totp.factor import LABEL, TotpCodes
from doorward.features.authn.factors.totp.rules import TRAITS
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.services import Services


def totp_factor(services: Services) -> FactorPlug:
    """The authenticator app as a factor: once set up, it is required at every sign-in."""
    return FactorPlug(
        traits=TRAITS,
        path=TYPED_CODE_PATH,
        link=LABEL,
        step=TYPED_CODE_STEP,
        typed_code=TotpCodes(store=services.store, sealer=services.sealer),
    )
