"""Parts of the authenticator app: all that its folder adds to the server."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.totp.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.totp.build import authenticator_enrolment
from doorward.features.authn.factors.totp.factor import totp_factor
from doorward.features.authn.factors.totp.messages import SecondFactorAdded, SecondFactorRemoved
from doorward.features.authn.factors.totp.views import AuthenticatorDone
from doorward.features.authn.flow.plug import FactorParts

TOTP: Final = FactorParts(
    factors=lambda services: (services.get(totp_factor),),
    activity=ACTIVITY_KINDS,
    credential_types=(("totp", "app"),),
    enrolment=authenticator_enrolment,
    card=authenticator_enrolment,
    done=AuthenticatorDone,
    messages=(SecondFactorAdded, SecondFactorRemoved),
)
