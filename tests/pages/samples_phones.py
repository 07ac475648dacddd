"""Sample data for the pages of phones."""

from __future__ import annotations

from doorward.features.authn.factors.sms.views import (
    PhoneLine,
    PhoneNewView,
    PhoneProofView,
    PhoneRemoveView,
    PhoneWrong,
)
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sign_in import TrustOffer

FLOW = "sin_0123456789abcdef0123456789abcdef"
AT = 1_790_000_000
_NUMBER = "+49 ••• ••78"
_PLACE = "/account/methods/phone"
_ENROL = "/sign-in/enrol/phone"


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's text does."""
    return {
        "phone-new": PhoneNewView(action=_PLACE, back="/account/methods", account=text),
        "phone-new-with-phones": PhoneNewView(
            action=_PLACE,
            back="/account/methods",
            account=text,
            number=text,
            number_problem=FormProblem(PhoneWrong.UNREADABLE),
            phones=(PhoneLine("fac_1", _NUMBER, AT), PhoneLine("fac_2", _NUMBER, AT)),
            remove=f"{_PLACE}/remove",
        ),
        "phone-new-in-a-sign-in": PhoneNewView(
            action=_ENROL,
            back="/sign-in/enrol",
            account=text,
            flow=FLOW,
            problem=FormProblem(PhoneWrong.WAIT, at=AT),
        ),
        "phone-new-not-mobile": PhoneNewView(
            action=_PLACE,
            back="/account/methods",
            account=text,
            number_problem=FormProblem(PhoneWrong.NOT_MOBILE),
        ),
        "phone-new-country": PhoneNewView(
            action=_PLACE,
            back="/account/methods",
            account=text,
            number_problem=FormProblem(PhoneWrong.COUNTRY),
        ),
        "phone-new-known": PhoneNewView(
            action=_PLACE,
            back="/account/methods",
            account=text,
            number_problem=FormProblem(PhoneWrong.KNOWN),
        ),
        "phone-new-full": PhoneNewView(
            action=_PLACE, back="/account/methods", account=text, problem=FormProblem(PhoneWrong.FULL)
        ),
        "phone-proof": PhoneProofView(
            action=f"{_PLACE}/code", change=_PLACE, back="/account/methods", number=_NUMBER
        ),
        "phone-proof-failed": PhoneProofView(
            action=f"{_ENROL}/code",
            change=_ENROL,
            back="/sign-in/enrol",
            number=_NUMBER,
            flow=FLOW,
            delivery="failed",
        ),
        "phone-proof-delayed": PhoneProofView(
            action=f"{_PLACE}/code",
            change=_PLACE,
            back="/account/methods",
            number=_NUMBER,
            delivery="delayed",
        ),
        "phone-proof-again": PhoneProofView(
            action=f"{_ENROL}/code",
            change=_ENROL,
            back="/sign-in/enrol",
            number=_NUMBER,
            flow=FLOW,
            resent=True,
            watch=f"{_ENROL}/delivery",
            trust=TrustOffer(30 * 86_400, chosen=True),
        ),
        "phone-remove": PhoneRemoveView(
            action=f"{_PLACE}/remove",
            back="/account/methods",
            account=text,
            factor="fac_1",
            number=_NUMBER,
            password_problem=FormProblem(Wrong.PASSWORD_MISMATCH),
        ),
    }
