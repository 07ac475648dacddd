"""Index of authentication: the factors of this server, each with all that its folder adds.

A factor from outside comes with a feature that is passed to the container: `Feature(name="mine", adds=(FACTORS.filled_by(…),))`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.directories.parts import DIRECTORIES
from doorward.features.authn.email_challenges.messages import (
    AddressChanged,
    AddressInUse,
    AddressIsYours,
    AddressTaken,
    ConfirmAddress,
    ResetPasswordMail,
    VerifyAddressMail,
)
from doorward.features.authn.factors.email_code.parts import EMAIL_CODES
from doorward.features.authn.factors.passkeys.parts import PASSKEYS
from doorward.features.authn.factors.password.parts import PASSWORD
from doorward.features.authn.factors.recovery_codes.parts import RECOVERY_CODES
from doorward.features.authn.factors.sms.parts import SMS
from doorward.features.authn.factors.totp.parts import TOTP
from doorward.features.authn.flow import activity as flow
from doorward.features.authn.flow.backup import Backups
from doorward.features.authn.flow.build import offered_factors
from doorward.features.authn.flow.enrolment import Enrolment
from doorward.features.authn.flow.messages import NewDevice, SecondFactorFailed
from doorward.features.authn.flow.plug import FactorParts, FactorPlug
from doorward.features.authn.flow.shown import MethodCards, ProfileOffers
from doorward.features.authn.methods.messages import SecondFactorRequired, SecondFactorReset
from doorward.features.authn.providers.parts import PROVIDERS
from doorward.features.authn.trusted_device import activity as trusted_device
from doorward.features.authn.trusted_device.messages import TrustedDeviceCopied
from doorward.features.services import Services
from doorward.web.mail.message import MessageTemplate

FACTORS: Final[tuple[FactorParts, ...]] = (
    PASSWORD,
    PASSKEYS,
    TOTP,
    EMAIL_CODES,
    SMS,
    RECOVERY_CODES,
    PROVIDERS,
    DIRECTORIES,
)

PREFERRED: Final = (
    "password",
    "directory",
    "mailbox",
    "provider",
    "provider_mfa",
    "security_key",
    "totp",
    "passkey",
    "sms",
    "email_code",
    "recovery_code",
)
"""The kinds of proof, the one first that a page shows unless the person chooses another. Kinds that are not named here come last.

A passkey that its owner wants to be asked for after the password (`security_key`) comes before the authenticator app, any other one
after it: a password manager may have made it without a question, and may be missing on this device. Codes by mail are a second step
that raises no level: a mailbox is no authenticator (NIST SP 800-63B-4 §3.1.3).
"""

_SHARED: Final[tuple[type[MessageTemplate], ...]] = (
    VerifyAddressMail,
    AddressTaken,
    ConfirmAddress,
    AddressInUse,
    AddressChanged,
    AddressIsYours,
    ResetPasswordMail,
    NewDevice,
    SecondFactorReset,
    SecondFactorRequired,
    SecondFactorFailed,
    TrustedDeviceCopied,
)
MESSAGES: Final = (*_SHARED, *(message for parts in FACTORS for message in parts.messages))

ACTIVITY: Final = (
    *flow.ACTIVITY_KINDS,
    *trusted_device.ACTIVITY_KINDS,
    *(kind for parts in FACTORS for kind in parts.activity),
)


def factors(services: Services) -> Sequence[FactorPlug]:
    """The factors of this server, in order of preference."""
    found = [plug for parts in FACTORS for plug in parts.factors(services)]
    return sorted(found, key=lambda plug: _place(plug.traits.kind))


def _place(kind: str) -> int:
    return PREFERRED.index(kind) if kind in PREFERRED else len(PREFERRED)


def enrolments(services: Services) -> Sequence[Enrolment]:
    """The kinds of second factors that people can set up, of those that this server has."""
    offered = services.get(offered_factors).kinds
    found = [services.get(parts.enrolment) for parts in FACTORS if parts.enrolment is not None]
    return [one for one in found if one is not None and one.kind in offered]


def method_cards(services: Services) -> Sequence[MethodCards]:
    """The cards of the page of sign-in methods, in its order."""
    found = [services.get(parts.card) for parts in FACTORS if parts.card is not None]
    return [one for one in found if one is not None]


def profile_offers(services: Services) -> Sequence[ProfileOffers]:
    """What the page of the profile offers after a sign-in."""
    found = [services.get(parts.profile) for parts in FACTORS if parts.profile is not None]
    return [one for one in found if one is not None]


def backups(services: Services) -> Backups | None:
    """The backup of other factors. Raises ValueError if two folders have one: which is made along with a factor would be open."""
    (found,) = [parts.backups for parts in FACTORS if parts.backups is not None] or (None,)
    return None if found is None else services.get(found)
