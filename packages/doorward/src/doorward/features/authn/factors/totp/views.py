"""Pages about authenticator apps."""

from __future__ import annotations

from typing import ClassVar, Final

from doorward.web.pages.views.problems import Form
from doorward.web.pages.views.said import Said
from doorward.web.pages.views.sign_in import CodeWords, TrustOffer
from doorward.web.pages.words import N_

APP_LINK: Final = N_("Authenticator app")
APP_HELP: Final = N_("An app on your phone shows a code, also without a connection.")
ADD_LABEL: Final = N_("Set up authenticator app")
REMOVE_LABEL: Final = N_("Remove authenticator app")
CARD_OFF: Final = N_(
    "Add a second step: even somebody who knows your password can't sign in without your phone."
)
CARD_ON: Final = N_("When you sign in we ask for your password and for a code from the app.")
USE_LINK: Final = N_("Use your authenticator app")
CODE_WORDS: Final = CodeWords(
    title=N_("Enter your code"),
    label=N_("Code from your authenticator app"),
    help=N_("Six digits; a new code comes every 30 seconds."),
)


class AuthenticatorDone(Said):
    """What was done to an authenticator app."""

    ADDED = "authenticator_added", N_("Your authenticator app is set up. From now on we ask for its code.")
    REMOVED = "authenticator_removed", N_("Your authenticator app is removed.")


class AuthenticatorNewView(Form, frozen=True):
    """/account/methods/authenticator. Posts `code`, `setup`, `csrf`.

    `uri` is the otpauth:// URI in the QR code (RFC 6238; key URI format); `key` is the same secret in Base32; `setup` is an opaque
    value that binds the form to this secret ("" = the server keeps it elsewhere). In a sign-in (`flow` is its id) the form's `action`
    and the page to go `back` to are those of the sign-in, and `trust` is the box with which the device is remembered.
    """

    template: ClassVar[str] = "doorward.features.authn.factors.totp:authenticator_new.html"
    uri: str
    key: str
    setup: str = ""
    action: str = "/account/methods/authenticator"
    back: str = "/account/methods"
    flow: str | None = None
    trust: TrustOffer | None = None
