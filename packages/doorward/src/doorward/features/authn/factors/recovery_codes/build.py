"""How the services of recovery codes are built."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.recovery_codes.factor import RecoveryCodesFactor, RecoveryCodesTyped
from doorward.features.authn.factors.recovery_codes.service import RecoveryCodeMaker
from doorward.features.services import Services


def recovery_codes_factor(services: Services) -> RecoveryCodesFactor:
    """Recovery codes as a factor."""
    return RecoveryCodesFactor(
        typed_code=RecoveryCodesTyped(
            store=services.store, record=services.get(audit_log), postman=services.mail
        )
    )


def recovery_code_maker(services: Services) -> RecoveryCodeMaker:
    """New ones."""
    return RecoveryCodeMaker(store=services.store, chance=services.random)
