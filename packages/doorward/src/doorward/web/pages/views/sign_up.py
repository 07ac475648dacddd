"""Pages on the way to an account: sign-up, check your mail, the page behind a mailed link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from doorward.web.pages.views.problems import Form, Problem


@dataclass(frozen=True, slots=True)
class SignUp(Form):
    """/sign-up. Posts `email`, `password`, `name` (may be empty), `csrf`, `flow`.

    `minimum` is the least number of characters of a password (NIST 800-63B-4 §3.1.1), said before anything is typed.
    """

    template: ClassVar[str] = "sign_up.html"
    minimum: int
    flow: str | None = None
    email: str = ""
    name: str = ""
    email_problem: Problem | None = None
    password_problem: Problem | None = None
    name_problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class CheckMail(Form):
    """/sign-up/check and /reset/check. Posts `code`, `csrf`, `flow`; the second form posts `csrf`, `flow` to `resend_action`.

    The same words whether or not a message went out (ASVS 6.3.8). `email` is what was typed, to see a slip of the finger; None
    in a browser that did not ask. `minutes` is how long the code works;
    `resent` says that another message may be on its way.
    """

    template: ClassVar[str] = "check_mail.html"
    purpose: Literal["sign_up", "reset"]
    action: str
    resend_action: str
    flow: str | None = None
    email: str | None = None
    minutes: int = 10
    resent: bool = False


@dataclass(frozen=True, slots=True)
class LinkPage:
    """/verify and /reset/link. Posts `token`, `csrf`, `flow` when the person presses the button: scanners only GET.

    `wrong_browser`: the link was opened in a browser that did not ask for it; there is no form then, only what to do.
    """

    template: ClassVar[str] = "link.html"
    purpose: Literal["sign_up", "reset"]
    action: str
    token: str
    flow: str | None = None
    wrong_browser: bool = False
