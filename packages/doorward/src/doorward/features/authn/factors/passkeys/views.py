"""Pages about passkeys."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec import Struct

from doorward.web.pages.views.fragment import Fragment
from doorward.web.pages.views.problems import Form, FormProblem
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import OtherWay, TrustOffer
from doorward.web.pages.words import N_

PASSKEY_LINK: Final = N_("Passkey")
PASSKEY_HELP: Final = N_("Your fingerprint, face or screen lock, or a security key.")


class PasskeyWrong(Said):
    """Problems of forms for passkeys."""

    UNKNOWN = "passkey_unknown", N_("This passkey isn't known here any more. Use another way.")
    REFUSED = "passkey_refused", N_("That passkey didn't work. Try again, or use another way.")
    """The answer of the browser or authenticator did not verify; the log says which step."""
    UNVERIFIED = (
        "passkey_unverified",
        N_("Unlock the passkey with your fingerprint, face or PIN when you are asked, then try again."),
    )
    """User verification is required here, and the authenticator reported none."""
    COPIED = (
        "passkey_copied",
        N_(
            "This passkey may have been copied, so we don't accept it any more. Use another way, then remove it"
            " from your sign-in methods."
        ),
    )
    """Its counter ran backwards (WebAuthn Level 3 §6.1.1)."""
    KNOWN = "passkey_known", N_("This passkey is in use already.")
    FULL = "passkeys_full", N_("There can't be more passkeys. Remove one first.")
    OF_UNKNOWN_MAKER = (
        "passkey_of_unknown_maker",
        N_("This kind of passkey isn't accepted here. Use another one, or another method."),
    )
    """The operator accepts certain authenticators only."""


class PasskeyDone(Said):
    """What was done to a passkey."""

    ADDED = "passkey_added", N_("Your passkey is added. You can sign in with it from now on.")
    ASKED_FOR = "passkey_asked_for", N_("From now on we ask for this passkey after your password, too.")
    NOT_ASKED_FOR = (
        "passkey_not_asked_for",
        N_("After your password we ask for this passkey only where a second step is required."),
    )
    RENAMED = "passkey_renamed", N_("The passkey is renamed.")
    REMOVED = "passkey_removed", N_("The passkey is removed.")


_FOLDER: Final = "doorward.features.authn.factors.passkeys"


SCRIPT: Final = "passkeys.js"


class PasskeyOffer(Fragment, frozen=True, kw_only=True):
    """A passkey as another way on the page of the password: posts `credential`, `csrf`, `flow` to /sign-in/passkey. `options` of the
    browser's call are JSON text; `renew` is the path that answers new ones to a page that stays open."""

    template: ClassVar[str] = f"{_FOLDER}:passkey_offer.html"
    script: ClassVar[str | None] = SCRIPT
    options: str
    renew: str


class SilentPasskey(Fragment, frozen=True, kw_only=True):
    """A passkey that a password manager may keep without a question: with the `options` of the browser's call, JSON text, a script posts
    `credential` and `csrf` to /account/passkeys/silent."""

    template: ClassVar[str] = f"{_FOLDER}:passkey_silent.html"
    script: ClassVar[str | None] = SCRIPT
    options: str


class PasskeyLine(Struct, frozen=True, kw_only=True):
    """One passkey. `name` is that of its provider or its owner's, "" if neither is known. `copied`: it is refused, since a copy of it
    was used. `second`: it is asked for after the password, too; `switch`: its owner may change that. Times are Unix seconds."""

    id: str
    name: str
    created_at: int
    last_used_at: int | None = None
    backed_up: bool = False
    copied: bool = False
    second: bool = False
    switch: bool = True


class PasskeyCard(Fragment, frozen=True, kw_only=True):
    """The passkeys of a person on the page of sign-in methods: each has a link to its name, and posts `factor`, `csrf` to be removed, or
    `factor`, `second` (yes, no), `csrf`: whether it is asked for after the password, too. `may_add`: people may add one; `signals` tell
    password managers which of them work, as JSON text."""

    template: ClassVar[str] = f"{_FOLDER}:passkey_card.html"
    script: ClassVar[str | None] = SCRIPT
    passkeys: tuple[PasskeyLine, ...]
    signals: str
    may_add: bool = True


class PasskeyStepView(Form, frozen=True):
    """/sign-in/passkey. Posts `credential`, `trust`, `csrf`, `flow`.

    `options` are the request options as JSON text; `renew` is where a page that stays open gets new ones. `account` is the address
    of the person whose first factor is proven, None if this is the first. `others` are the other ways. `signals` tell a password
    manager which passkey no longer works here, as JSON text.
    """

    template: ClassVar[str] = f"{_FOLDER}:passkey_step.html"
    script: ClassVar[str] = SCRIPT
    options: str
    renew: str
    flow: str | None = None
    account: str | None = None
    others: tuple[OtherWay, ...] = ()
    signals: str | None = None
    trust: TrustOffer | None = None


class PasskeyNewView(Form, frozen=True):
    """/account/methods/passkeys and /sign-in/enrol/passkeys. Posts `credential`, `second` (yes if it is asked for after a password,
    too), `csrf`, `flow`.

    `options` are the creation options as JSON text; `action` is the path of the form; `back` leads to where the person came from.
    """

    template: ClassVar[str] = f"{_FOLDER}:passkey_new.html"
    script: ClassVar[str] = SCRIPT
    options: str
    action: str
    back: str
    account: str
    flow: str | None = None
    trust: TrustOffer | None = None


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
