"""Sample data for the pages of codes that are sent, and of codes by mail."""

from __future__ import annotations

from msgspec.structs import replace

from doorward.features.authn.factors.email_code.views import NOTHING_THERE as LOOK_IN_SPAM
from doorward.features.authn.factors.email_code.views import MailCodesView, MailFirstCheckView, MailFirstView
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong
from doorward.web.pages.views.sent_code import NOTHING_THERE, CodeTarget, SentCodeView
from doorward.web.pages.views.sign_in import OtherWay, TrustOffer

AT = 1_795_358_000
FLOW = "dw_as_3q2-7wX1"


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's text does."""
    sent = SentCodeView(
        account=text,
        flow=FLOW,
        method="email_code",
        watch="/sign-in/code/delivery?kind=email_code",
        nothing_there=LOOK_IN_SPAM,
        targets=(CodeTarget("fac_1", text),),
        sent_to=text,
        again_at=AT,
        trust=TrustOffer(30 * 86_400),
    )
    mail_codes = MailCodesView(
        account=text,
        address=text,
        action="/account/methods/email",
        send_action="/account/methods/email/send",
        back="/account/methods",
    )
    return {
        "sent-code-ask": replace(
            sent,
            targets=(CodeTarget("fac_1", text), CodeTarget("fac_2", "b•••@example.net")),
            sent_to=None,
            again_at=None,
            others=(OtherWay(text, "/sign-in/code"),),
        ),
        "sent-code": sent,
        "sent-code-another": replace(sent, again_at=None, another=True),
        "sent-code-undelivered": replace(
            sent,
            method="sms",
            targets=(CodeTarget("fac_1", "+49 ••• ••12"),),
            sent_to="+49 ••• ••12",
            again_at=None,
            delivery="failed",
            watch="/sign-in/code/delivery?kind=sms",
            nothing_there=NOTHING_THERE,
        ),
        "sent-code-delayed": replace(sent, delivery="delayed"),
        "sent-code-wrong": replace(sent, problem=FormProblem(Wrong.CODE_NOT_YET, at=AT)),
        "mail-first": MailFirstView(flow=FLOW, email=text),
        "mail-first-wrong": MailFirstView(email=text, email_problem=FormProblem(Wrong.EMAIL_INVALID)),
        "mail-first-check": MailFirstCheckView(
            flow=FLOW,
            action="/sign-in/email/check?ticket=tkt_1",
            resend_action="/sign-in/email/resend?ticket=tkt_1",
            email=text,
            resent=True,
        ),
        "mail-codes": mail_codes,
        "mail-codes-sent": replace(
            mail_codes,
            action="/sign-in/enrol/email",
            send_action="/sign-in/enrol/email/send",
            back="/sign-in/enrol",
            flow=FLOW,
            sent_to=text,
            again_at=AT,
            watch="/sign-in/enrol/email/delivery",
            trust=TrustOffer(30 * 86_400),
        ),
        "mail-codes-undelivered": replace(
            mail_codes,
            action="/sign-in/enrol/email",
            send_action="/sign-in/enrol/email/send",
            back="/sign-in/enrol",
            flow=FLOW,
            sent_to=text,
            again_at=AT,
            delivery="failed",
        ),
        "mail-codes-delayed": replace(mail_codes, sent_to=text, delivery="delayed"),
        "mail-codes-wrong": replace(
            mail_codes,
            sent_to=text,
            problem=FormProblem(Wrong.CODE_WRONG),
            address_problem=FormProblem(Wrong.EMAIL_INVALID),
        ),
    }
