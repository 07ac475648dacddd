"""Page that sets up codes by mail."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.core.model.sent_code import DeliveryState
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import TrustOffer
from doorward.web.pages.words import N_

MAIL_LINK: Final = N_("Email")
NOTHING_THERE: Final = N_("Nothing there? Look in the spam folder, or:")
MAIL_HELP: Final = N_("We send a code to your email address.")


class MailCodesDone(Said):
    """What was done to codes by mail."""

    ADDED = (
        "mail_codes_added",
        N_("Codes by email are set up. From now on we ask for one when you sign in."),
    )
    REMOVED = "mail_codes_removed", N_("Codes by email are removed.")


CARD_TITLE: Final = N_("Codes by email")
CARD_TEXT: Final = N_("When you sign in, we can send a code to %(address)s.")


class MailCodesView(Form, frozen=True):
    """/account/methods/email and /sign-in/enrol/email. Posts `code`, `csrf`, `flow` to `action`; the other form posts `address`,
    `csrf`, `flow` to `send_action`.

    `sent_to`: a code was sent there, and can be typed. `again_at` (seconds): not before that another one may be asked for, None: now.
    `delivery`: what is known of its message; a script asks again at `watch`. `trust`: the box with which the device is remembered. `back` leads to where the person came from.
    """

    template: ClassVar[str] = "doorward.features.authn.factors.email_code:mail_codes.html"
    account: str
    address: str
    action: str
    send_action: str
    back: str
    flow: str | None = None
    sent_to: str | None = None
    again_at: int | None = None
    delivery: DeliveryState = "under_way"
    watch: str = "/account/methods/email/delivery"
    trust: TrustOffer | None = None
    minutes: int = 10
    address_problem: FormProblem | None = None


class MailFirstView(Form, frozen=True):
    """/sign-in/email. Posts `email`, `csrf`, `flow`."""

    template: ClassVar[str] = "doorward.features.authn.factors.email_code:mail_first.html"
    flow: str | None = None
    email: str = ""
    email_problem: FormProblem | None = None


class MailFirstCheckView(Form, frozen=True):
    """/sign-in/email/check. Posts `code`, `csrf`, `flow`; the second form posts `csrf`, `flow` to `resend_action`. The text is the same
    whether or not a mail was sent (ASVS 6.3.8). `resent`: another one may be on its way."""

    template: ClassVar[str] = "doorward.features.authn.factors.email_code:mail_first_check.html"
    flow: str
    action: str
    resend_action: str
    email: str
    minutes: int = 10
    resent: bool = False
