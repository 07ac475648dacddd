"""Pages of a sign-up: sign-up form, check your mail, the page of a mailed link."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import Struct

from doorward.web.pages.views.problems import Form, FormProblem


class SignUpView(Form, frozen=True):
    """/sign-up. Posts `email`, `password`, `name` (may be empty), `csrf`, `flow`.

    `minimum` is the minimum number of characters of a password (NIST 800-63B-4 §3.1.1), shown before typing.
    """

    template: ClassVar[str] = "sign_up.html"
    minimum: int
    flow: str | None = None
    email: str = ""
    name: str = ""
    email_problem: FormProblem | None = None
    password_problem: FormProblem | None = None
    name_problem: FormProblem | None = None


class CheckMail(Form, frozen=True):
    """/sign-up/check and /reset/check. Posts `code`, `csrf`, `flow`; the second form posts `csrf`, `flow` to `resend_action`.

    The text is the same whether or not a message was sent (ASVS 6.3.8). `email` is the typed address, to show typing errors; None in
    a browser that did not request the mail. `minutes` is how long the code works; `resent`: another message may be on its way.
    """

    template: ClassVar[str] = "check_mail.html"
    purpose: Literal["sign_up", "reset"]
    action: str
    resend_action: str
    flow: str | None = None
    email: str | None = None
    minutes: int = 10
    resent: bool = False


class LinkPage(Struct, frozen=True):
    """/verify and /reset/link. Posts `token`, `csrf`, `flow` when the person presses the button: mail scanners only send GET.

    `wrong_browser`: the link was opened in a browser that did not request it; the page then has instructions and no form.
    """

    template: ClassVar[str] = "link.html"
    purpose: Literal["sign_up", "reset"]
    action: str
    token: str
    flow: str | None = None
    wrong_browser: bool = False
