"""Sample data for the pages on which an address is given and proven."""

from __future__ import annotations

from doorward.features.authn.addresses.views import AddressCodeView, GiveAddressView
from doorward.web.pages.views.account import AddressView, Methods
from doorward.web.pages.views.context import View
from doorward.web.pages.views.problems import FormProblem, Wrong

FLOW = "sin_0123456789abcdef0123456789abcdef"
TICKET = "tkt_0123456789abcdef0123456789abcdef"
AT = 1_790_000_000


def samples(text: str) -> dict[str, View]:
    """Each page, and its problems. `text` stands where a person's, an operator's or a provider's text does."""
    path, own = f"/sign-in/address?ticket={TICKET}", "/account/address"
    connect = "/sign-in/provider/account"

    def code(
        flow: str | None, problem: FormProblem | None = None, *, resent: bool = False
    ) -> AddressCodeView:
        there = "/sign-in/address" if flow else own
        return AddressCodeView(
            action=f"{there}/check?ticket={TICKET}",
            resend_action=f"{there}/resend?ticket={TICKET}",
            email=text,
            back=path if flow else own,
            cancel="/sign-in" if flow else "/account",
            flow=flow,
            ticket=None if flow else TICKET,
            resent=resent,
            problem=problem,
        )

    return {
        "give-address": GiveAddressView(label=text, action=path, flow=FLOW, email=text, connect=connect),
        "give-address-known": GiveAddressView(label=text, action=path, flow=FLOW),
        "give-address-wrong": GiveAddressView(
            label=text,
            action=path,
            flow=FLOW,
            connect=connect,
            email_problem=FormProblem(Wrong.EMAIL_INVALID),
        ),
        "give-address-waiting": GiveAddressView(
            label=text, action=path, flow=FLOW, problem=FormProblem(Wrong.TOO_MANY_MAILS, at=AT)
        ),
        "address-code": code(FLOW),
        "address-code-resent": code(FLOW, resent=True),
        "address-code-wrong": code(FLOW, FormProblem(Wrong.CODE_WRONG)),
        "account-address": AddressView(email=text),
        "account-address-none": AddressView(email=None),
        "account-address-wrong": AddressView(
            email=text, typed=text, email_problem=FormProblem(Wrong.EMAIL_UNCHANGED)
        ),
        "account-address-kept": AddressView(email=text, kept_by=text),
        "account-address-refused": AddressView(email=text, typed=text, refused_for=text),
        "account-address-code": code(None),
        "methods-no-password": Methods(
            account=text, minimum=15, password_usable=False, ways=(text, "Example")
        ),
        "methods-no-address": Methods(
            account=text, minimum=15, password_usable=False, password_by_mail=False
        ),
    }
