"""Parts of codes by mail: all that their folder adds to the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from doorward.features.authn.factors.email_code.activity import ACTIVITY_KINDS
from doorward.features.authn.factors.email_code.build import mail_codes_enrolment, mail_first_factor
from doorward.features.authn.factors.email_code.factor import email_code_factor
from doorward.features.authn.factors.email_code.messages import (
    AddressCodeMail,
    MailCodesAdded,
    MailCodesRemoved,
    SignInByMail,
    SignInCodeMail,
)
from doorward.features.authn.factors.email_code.views import MailCodesDone
from doorward.features.authn.flow.plug import FactorParts, FactorPlug
from doorward.features.services import Services


def _factors(services: Services) -> Sequence[FactorPlug]:
    first, second = services.get(mail_first_factor), services.get(email_code_factor)
    return (second,) if first is None else (first, second)


EMAIL_CODES: Final = FactorParts(
    factors=_factors,
    enrolment=mail_codes_enrolment,
    card=mail_codes_enrolment,
    done=MailCodesDone,
    activity=ACTIVITY_KINDS,
    credential_types=(("email_code", "email"),),
    messages=(
        SignInByMail,
        SignInCodeMail,
        AddressCodeMail,
        MailCodesAdded,
        MailCodesRemoved,
    ),
)
