"""Parts of the authenticator app: all that its folder adds to the server. Its setup is in `authn/methods/`."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.totp.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.totp.factor import totp_factor
from doorward.features.authn.factors.totp.messages import SecondFactorAdded, SecondFactorRemoved
from doorward.features.authn.flow.plug import FactorParts

TOTP: Final = FactorParts(
    factors=lambda services: (services.get(totp_factor),),
    activity=ACTIVITY_KINDS,
    messages=(SecondFactorAdded, SecondFactorRemoved),
)
