"""Pages of a password reset."""

from __future__ import annotations

from typing import ClassVar

from doorward.web.pages.views.problems import Form, FormProblem


class ResetAsk(Form, frozen=True):
    """/reset. Posts `email`, `csrf`, `flow`."""

    template: ClassVar[str] = "reset_ask.html"
    flow: str | None = None
    email: str = ""
    email_problem: FormProblem | None = None


class ResetNew(Form, frozen=True):
    """/reset/new. Posts `password`, `end_sessions` (`yes` or absent), `csrf`, `flow`.

    `account` is the address whose password is set (a password manager needs it); `minimum` as on the sign-up page.
    """

    template: ClassVar[str] = "reset_new.html"
    account: str
    minimum: int
    flow: str | None = None
    action: str = "/reset/new"
    end_sessions: bool = True
    password_problem: FormProblem | None = None
