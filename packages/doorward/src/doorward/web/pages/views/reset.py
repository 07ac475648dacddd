"""Pages of a password reset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from doorward.web.pages.views.problems import Form, Problem


@dataclass(frozen=True, slots=True)
class ResetAsk(Form):
    """/reset. Posts `email`, `csrf`, `flow`."""

    template: ClassVar[str] = "reset_ask.html"
    flow: str | None = None
    email: str = ""
    email_problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class ResetNew(Form):
    """/reset/new. Posts `password`, `end_sessions` (`yes` or absent), `csrf`, `flow`.

    `account` is the address whose password is set (a password manager needs it); `minimum` as on the sign-up page.
    """

    template: ClassVar[str] = "reset_new.html"
    account: str
    minimum: int
    flow: str | None = None
    action: str = "/reset/new"
    end_sessions: bool = True
    password_problem: Problem | None = None
