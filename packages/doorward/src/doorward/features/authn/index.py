"""Index of signing in: the factors of this server, in order of preference, and the messages about them, in two explicit lists.

Codes by mail are no member: they prove an address at sign-up and at a reset, and a mail box is no authenticator (NIST SP 800-63B-4
§3.1.3). A factor from outside comes with a feature that is given to the container: `Feature(name="mine", adds=(FACTORS.filled_by(…),))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.factors.email_code.build import email_challenges
from doorward.features.authn.factors.email_code.messages import AddressTaken, ResetPassword, VerifyAddress
from doorward.features.authn.factors.password.build import password_factor
from doorward.features.authn.factors.password.messages import PasswordChanged
from doorward.features.authn.factors.recovery_codes.build import recovery_codes_factor
from doorward.features.authn.factors.recovery_codes.messages import RecoveryCodesMade, RecoveryCodeUsed
from doorward.features.authn.factors.totp.build import totp_factor
from doorward.features.authn.flow.messages import NewDevice, SecondFactorFailed
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.methods.messages import SecondFactorAdded, SecondFactorRemoved, SecondFactorReset
from doorward.features.services import Services
from doorward.web.mail.message import MessageTemplate

MESSAGES: Final[tuple[type[MessageTemplate], ...]] = (
    VerifyAddress,
    AddressTaken,
    ResetPassword,
    PasswordChanged,
    NewDevice,
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorReset,
    SecondFactorFailed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
)


def factors(services: Services) -> Sequence[FactorPlug]:
    """Password, authenticator app, recovery codes. The password's page knows the address whose password was just reset."""
    return (
        password_factor(services, reset_of=services.get(email_challenges).finished_reset),
        services.get(totp_factor),
        services.get(recovery_codes_factor),
    )
