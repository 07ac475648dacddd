"""Pages about phones."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.core.model.sent_code import DeliveryState
from doorward.web.pages.views.problems import Form, FormProblem

_FOLDER: Final = "doorward.features.authn.factors.sms"


class PhoneLine(Struct, frozen=True):
    """A phone that is set up: the factor's id, its masked number, and when it was added (Unix seconds)."""

    factor: str
    number: str
    added_at: int


class PhoneNewView(Form, frozen=True):
    """/account/methods/phone and /sign-in/enrol/phone. Posts `number`, `csrf`, `flow`.

    `action` is the path of the form; `back` leads to where the person came from; `number` is what was typed; `phones` are those that
    are set up, each with a form that posts `factor`, `csrf` to `remove`.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_new.html"
    action: str
    back: str
    account: str
    flow: str | None = None
    number: str = ""
    number_problem: FormProblem | None = None
    phones: tuple[PhoneLine, ...] = ()
    remove: str = ""


class PhoneRemoveView(Form, frozen=True):
    """The same with /remove, if the password alone is left. Posts `factor`, `password`, `csrf`. `number` is masked."""

    template: ClassVar[str] = f"{_FOLDER}:phone_remove.html"
    action: str
    back: str
    account: str
    factor: str
    number: str
    password_problem: FormProblem | None = None


class PhoneProofView(Form, frozen=True):
    """The same with /code: the code that was sent. Posts `code`, `csrf`, `flow`; the second form posts `again`, to have one sent once
    more.

    `number` is masked; `back` leads to where the person came from; `delivery`: what is known of the message; `resent`: another message was just written.
    """

    template: ClassVar[str] = f"{_FOLDER}:phone_proof.html"
    action: str
    change: str
    back: str
    number: str
    flow: str | None = None
    delivery: DeliveryState = "under_way"
    resent: bool = False
