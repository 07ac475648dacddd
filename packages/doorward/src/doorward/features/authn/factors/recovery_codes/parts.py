"""Parts of recovery codes: all that their folder adds to the server."""

from __future__ import annotations

from typing import Final

from doorward.features.authn.factors.recovery_codes.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.recovery_codes.build import own_recovery_codes, recovery_routes
from doorward.features.authn.factors.recovery_codes.factor import recovery_codes_factor
from doorward.features.authn.factors.recovery_codes.messages import RecoveryCodesMade, RecoveryCodeUsed
from doorward.features.authn.flow.plug import FactorParts

RECOVERY_CODES: Final = FactorParts(
    factors=lambda services: (services.get(recovery_codes_factor),),
    activity=ACTIVITY_KINDS,
    backups=own_recovery_codes,
    card=own_recovery_codes,
    routes=recovery_routes,
    messages=(RecoveryCodesMade, RecoveryCodeUsed),
)
