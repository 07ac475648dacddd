"""Pages of a password reset."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.pages.views.problems import Form, FormProblem


class ResetAsk(Form, frozen=True):
    """/reset. Posts `email`, `csrf`, `flow`."""

    template: ClassVar[str] = "reset_ask.html"
    flow: str | None = None
    email: str = ""
    email_problem: FormProblem | None = None


class ConnectedElsewhere(Struct, frozen=True):
    """An account of another service that can sign in as the person: what people call the service, and the address there, "" for none."""

    label: str
    email: str


class ResetNew(Form, frozen=True):
    """/reset/new. Posts `password`, `end_sessions`, `disconnect` (`yes` or absent), `csrf`, `flow`.

    `account` is the address whose password is set (a password manager needs it); `minimum` as on the sign-up page;
    `connected` are the accounts of other services that can sign in as the person, all of which `disconnect` drops.
    """

    template: ClassVar[str] = "reset_new.html"
    account: str
    minimum: int
    flow: str | None = None
    action: str = "/reset/new"
    end_sessions: bool = True
    connected: tuple[ConnectedElsewhere, ...] = ()
    disconnect: bool = False
    password_problem: FormProblem | None = None
