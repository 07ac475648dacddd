"""Parts of passkeys: all that their folder adds to the server."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.passkeys.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.passkeys.build import (
    offer_silently,
    passkey_cards,
    passkey_enrolment,
    passkey_routes,
    relying_party,
)
from doorward.features.authn.factors.passkeys.checks import passkeys
from doorward.features.authn.factors.passkeys.factor import passkey_factors
from doorward.features.authn.factors.passkeys.messages import (
    PasskeyAdded,
    PasskeyAskedFor,
    PasskeyCopied,
    PasskeyNotAskedFor,
    PasskeyRemoved,
)
from doorward.features.authn.factors.passkeys.views import PasskeyDone
from doorward.features.authn.flow.plug import FactorParts
from doorward.features.feature import DoctorCheck

PASSKEYS: Final = FactorParts(
    factors=passkey_factors,
    enrolment=passkey_enrolment,
    card=passkey_cards,
    profile=offer_silently,
    done=PasskeyDone,
    activity=ACTIVITY_KINDS,
    credential_types=(("passkey", "fido2-platform"), ("security_key", "fido2-roaming")),
    messages=(PasskeyAdded, PasskeyRemoved, PasskeyAskedFor, PasskeyNotAskedFor, PasskeyCopied),
    routes=passkey_routes,
    checks=(DoctorCheck(name="passkeys", look=passkeys),),
    starting=lambda services: services.get(relying_party).settle(),
)
