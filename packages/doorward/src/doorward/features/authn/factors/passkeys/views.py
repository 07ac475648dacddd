"""Pages about passkeys."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.sign_in import OtherWay

_FOLDER: Final = "doorward.features.authn.factors.passkeys"


class PasskeyStepView(Form, frozen=True):
    """/sign-in/passkey. Posts `credential`, `csrf`, `flow`.

    `options` are the request options as JSON text; `renew` is where a page that stays open gets new ones. `account` is the address
    of the person whose first factor is proven, None if this is the first. `others` are the other ways. `signals` tell a password
    manager which passkey no longer works here, as JSON text.
    """

    template: ClassVar[str] = f"{_FOLDER}:passkey_step.html"
    options: str
    renew: str
    flow: str | None = None
    account: str | None = None
    others: tuple[OtherWay, ...] = ()
    signals: str | None = None


class PasskeyNewView(Form, frozen=True):
    """/account/methods/passkeys and /sign-in/enrol/passkeys. Posts `credential`, `second` (yes if it is asked for after a password,
    too), `csrf`, `flow`.

    `options` are the creation options as JSON text; `action` is the path of the form; `back` leads to where the person came from.
    """

    template: ClassVar[str] = f"{_FOLDER}:passkey_new.html"
    options: str
    action: str
    back: str
    account: str
    flow: str | None = None


class PasskeyNameView(Form, frozen=True):
    """/account/methods/passkeys/rename. Posts `factor`, `name`, `csrf`.

    `factor` is the id of the passkey, `name` its name or what was typed, `provider` the name without one ("" if it is unknown).
    """

    template: ClassVar[str] = f"{_FOLDER}:passkey_name.html"
    factor: str
    name: str
    provider: str
    action: str
    back: str
    name_problem: FormProblem | None = None
