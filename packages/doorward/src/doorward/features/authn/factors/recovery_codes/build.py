"""Construction of the recovery code services."""

from __future__ import annotations

from doorward.features.audit.build import audit_log
from doorward.features.authn.factors.recovery_codes.factor import LABEL, RecoveryCodesTyped
from doorward.features.authn.factors.recovery_codes.rules import STANDS_IN_FOR, TRAITS
from doorward.features.authn.factors.recovery_codes.service import RecoveryCodeMaker
from doorward.features.authn.flow.factor import TYPED_CODE_PATH, TYPED_CODE_STEP
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.services import Services


def recovery_codes_factor(services: Services) -> FactorPlug:
    """Recovery codes as a factor. They are removed together with the authenticator app for which they were made."""
    codes = RecoveryCodesTyped(store=services.store, record=services.get(audit_log), postman=services.mail)
    return FactorPlug(
        traits=TRAITS,
        path=f"{TYPED_CODE_PATH}?method=recovery",
        link=LABEL,
        step=TYPED_CODE_STEP,
        typed_code=codes,
        stands_in_for=STANDS_IN_FOR,
    )


def recovery_code_maker(services: Services) -> RecoveryCodeMaker:
    """The service that makes new codes."""
    return RecoveryCodeMaker(store=services.store, chance=services.random)
