"""Pages about phones."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.pages.views.problems import Form, FormProblem

_FOLDER: Final = "doorward.features.authn.factors.sms"


class PhoneNewView(Form, frozen=True):
    """/account/methods/phone and /sign-in/enrol/phone. Posts `number`, `csrf`, `flow`.

    `action` is the path of the form; `back` leads to where the person came from; `number` is what was typed.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_new.html"
    action: str
    back: str
    account: str
    flow: str | None = None
    number: str = ""
    number_problem: FormProblem | None = None


class PhoneProofView(Form, frozen=True):
    """The same with /code: the code that was sent. Posts `code`, `csrf`, `flow`; `again` posts to have it sent once more.

    `number` is masked; `failed`: the message did not arrive; `resent`: another message was just written.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_proof.html"
    action: str
    again: str
    change: str
    number: str
    flow: str | None = None
    failed: bool = False
    resent: bool = False
