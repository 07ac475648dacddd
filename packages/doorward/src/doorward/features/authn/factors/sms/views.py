"""Pages about phones."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.core.model.sent_code import DeliveryState
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import TrustOffer
from doorward.web.pages.words import N_

PHONE_LINK: Final = N_("Phone")
PHONE_HELP: Final = N_("We send a code to your phone number.")


class PhoneWrong(Said):
    """Problems of forms for phones."""

    UNREADABLE = (
        "phone_unreadable",
        N_("Enter a mobile number with its country code, such as +49 171 2345678."),
    )
    NOT_MOBILE = (
        "phone_not_mobile",
        N_("This number can't receive our messages. Enter a mobile number."),
    )
    """A landline, a number that costs more, a pager, …"""
    COUNTRY = "phone_country", N_("We don't send messages to this country. Use another way.")
    KNOWN = "phone_known", N_("This number is set up already.")
    FULL = "phones_full", N_("There can't be more phones. Remove one first.")
    WAIT = (
        "phone_wait",
        N_("We can't send another message now. Try again at %(clock)s, or use another way."),
    )
    """Give `at`: when the next message may be sent."""


class PhoneDone(Said):
    """What was done to a phone."""

    ADDED = "phone_added", N_("Your phone is set up. From now on we can send codes to it.")
    REMOVED = "phone_removed", N_("The phone is removed.")


_FOLDER: Final = "doorward.features.authn.factors.sms"


class PhoneLine(Struct, frozen=True):
    """A phone that is set up: the factor's id, its masked number, and when it was added (Unix seconds)."""

    factor: str
    number: str
    added_at: int


class PhoneNewView(Form, frozen=True):
    """/account/methods/phone and /sign-in/enrol/phone. Posts `number`, `csrf`, `flow`.

    `action` is the path of the form; `back` leads to where the person came from; `number` is what was typed; `phones` are those that
    are set up, each with a form that posts `factor`, `csrf` to `remove`.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_new.html"
    action: str
    back: str
    account: str
    flow: str | None = None
    number: str = ""
    number_problem: FormProblem | None = None
    phones: tuple[PhoneLine, ...] = ()
    remove: str = ""


class PhoneRemoveView(Form, frozen=True):
    """The same with /remove, if the password alone is left. Posts `factor`, `password`, `csrf`. `number` is masked."""

    template: ClassVar[str] = f"{_FOLDER}:phone_remove.html"
    action: str
    back: str
    account: str
    factor: str
    number: str
    password_problem: FormProblem | None = None


class PhoneProofView(Form, frozen=True):
    """The same with /code: the code that was sent. Posts `code`, `csrf`, `flow`; the second form posts `again`, to have one sent once
    more.

    `number` is masked; `back` leads to where the person came from; `delivery`: what is known of the message; a script
    asks again at `watch`; `trust`: the box with which the device is remembered; `resent`: another message was just written.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_proof.html"
    action: str
    change: str
    back: str
    number: str
    flow: str | None = None
    delivery: DeliveryState = "under_way"
    watch: str = "/account/methods/phone/delivery"
    trust: TrustOffer | None = None
    resent: bool = False
