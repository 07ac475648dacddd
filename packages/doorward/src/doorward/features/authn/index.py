"""Index of authentication: the factors of this server, in order of preference, and their messages, in two explicit lists.

Codes by mail are a second step that raises no level: a mailbox is no authenticator (NIST SP 800-63B-4 §3.1.3). A factor from outside
comes with a feature that is passed to the container: `Feature(name="mine", adds=(FACTORS.filled_by(…),))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.factors.email_code.build import (
    email_challenges,
    mail_codes_enrolment,
    mail_first_factor,
)
from doorward.features.authn.factors.email_code.factor import email_code_factor
from doorward.features.authn.factors.email_code.messages import (
    AddressCodeMail,
    AddressTaken,
    MailCodesAdded,
    MailCodesRemoved,
    ResetPasswordMail,
    SignInByMail,
    SignInCodeMail,
    VerifyAddressMail,
)
from doorward.features.authn.factors.passkeys.build import passkey_enrolment
from doorward.features.authn.factors.passkeys.factor import passkey_factors
from doorward.features.authn.factors.passkeys.messages import PasskeyAdded, PasskeyCopied, PasskeyRemoved
from doorward.features.authn.factors.password.build import password_factor
from doorward.features.authn.factors.password.messages import PasswordChanged
from doorward.features.authn.factors.recovery_codes.factor import recovery_codes_factor
from doorward.features.authn.factors.recovery_codes.messages import RecoveryCodesMade, RecoveryCodeUsed
from doorward.features.authn.factors.sms.build import phone_enrolment, sms_factor, sms_worker
from doorward.features.authn.factors.sms.messages import PhoneAdded, PhoneRemoved
from doorward.features.authn.factors.totp.factor import totp_factor
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.flow.enrolment import Enrolment
from doorward.features.authn.flow.messages import NewDevice, SecondFactorFailed
from doorward.features.authn.flow.plug import FactorPlug
from doorward.features.authn.methods.build import authenticator_enrolment, password_alone
from doorward.features.authn.methods.messages import (
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorRequired,
    SecondFactorReset,
)
from doorward.features.feature import BackgroundJob
from doorward.features.services import Services
from doorward.web.mail.message import MessageTemplate

MESSAGES: Final[tuple[type[MessageTemplate], ...]] = (
    VerifyAddressMail,
    AddressTaken,
    ResetPasswordMail,
    SignInByMail,
    SignInCodeMail,
    AddressCodeMail,
    MailCodesAdded,
    MailCodesRemoved,
    PasswordChanged,
    NewDevice,
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorReset,
    SecondFactorRequired,
    SecondFactorFailed,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    PasskeyCopied,
    PhoneAdded,
    PhoneRemoved,
)


def factors(services: Services) -> Sequence[FactorPlug]:
    """Password, a code by mail in its place (if allowed), authenticator app, passkeys, codes by text message, codes by mail, recovery codes. The password
    page prefills the address after a reset.

    A passkey that its owner wants to be asked for after the password comes before the authenticator app, any other one after it: a
    password manager may have made it without a question, and may be missing on this device.
    """
    mail_first = services.get(mail_first_factor)
    passkey, security_key = passkey_factors(services)
    return (
        password_factor(services, reset_of=services.get(email_challenges).finished_reset),
        *((mail_first,) if mail_first is not None else ()),
        *security_key,
        services.get(totp_factor),
        *passkey,
        services.get(sms_factor),
        services.get(email_code_factor),
        services.get(recovery_codes_factor),
    )


def enrolments(services: Services) -> Sequence[Enrolment]:
    """The kinds of second factors that people can set up, of those that this server has."""
    offered = services.get(offered_factors).kinds
    found = [
        services.get(passkey_enrolment),
        services.get(authenticator_enrolment),
        services.get(mail_codes_enrolment),
        phone_enrolment(services, password_alone=services.get(password_alone).problem),
    ]
    return [one for one in found if one is not None and one.kind in offered]


def jobs(services: Services) -> Sequence[BackgroundJob]:
    """The background tasks of factors."""
    worker = services.get(sms_worker)
    return [] if worker is None else [BackgroundJob(name="sms", run=worker.run)]
