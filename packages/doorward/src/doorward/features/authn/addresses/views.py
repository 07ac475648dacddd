"""Pages on which somebody whom a provider or a directory vouches for gives an address, and proves it."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.pages.views.problems import Form, FormProblem


class GiveAddressView(Form, frozen=True):
    """/sign-in/address. Posts `email`, `csrf`, `flow` to `action`. `label`: what people call the service that vouches. `email`: what was typed,
    else what the service stated. `connect` leads to where an account that is there already is connected, None where there is one."""

    template: ClassVar[str] = "doorward.features.authn.addresses:give_address.html"
    label: str
    action: str
    flow: str | None = None
    email: str = ""
    connect: str | None = None
    email_problem: FormProblem | None = None


class AddressCodeView(Form, frozen=True):
    """/sign-in/address/check and /account/address/check. Posts `code`, `csrf`, `flow` to `action`; the second form posts `csrf`, `flow` to
    `resend_action`. The text is the same whether or not a code was sent (ASVS 6.3.8). `back` leads to the field for another address, `cancel`
    to where the person came from. `resent`: another message may be on its way. `ticket`: posted back where the address of the form does not
    name it."""

    template: ClassVar[str] = "doorward.features.authn.addresses:address_code.html"
    action: str
    resend_action: str
    email: str
    back: str
    cancel: str
    flow: str | None = None
    ticket: str | None = None
    minutes: int = 10
    resent: bool = False
