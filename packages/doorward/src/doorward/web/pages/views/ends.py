"""Pages outside a flow: error page, home page, development outbox."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from doorward.web.pages.views.said import Said
from doorward.web.pages.words import N_


class Failure(Said):
    """The kinds of error page; title and sentence are chosen by kind and language."""

    BAD_REQUEST = (
        "bad_request",
        N_("That request didn't make sense"),
        N_("Something in the address or the form was missing or wrong. Go back to the app and start again."),
    )
    UNKNOWN_APP = (
        "unknown_app",
        N_("We don't know this app"),
        N_("The app that sent you here isn't registered with us. Nothing was shared with it."),
    )
    BAD_REDIRECT = (
        "bad_redirect",
        N_("This app asked to send you somewhere unexpected"),
        N_("The address it gave isn't one it has registered, so we stopped here. Nothing was shared."),
    )
    """The redirect_uri is not registered: never followed (OAuth 2.1 §7)."""
    NOT_FOUND = (
        "not_found",
        N_("There is nothing here"),
        N_("The address may be mistyped, or the page has moved."),
    )
    METHOD_NOT_ALLOWED = (
        "method_not_allowed",
        N_("This page can't be used that way"),
        N_("Open it from a link or a button on one of our pages."),
    )
    STALE_FORM = (
        "stale_form",
        N_("That page was out of date"),
        N_(
            "We didn't use what you sent from it. See how things are now, and try again if you still want to."
        ),
    )
    WRONG_HOST = (
        "wrong_host",
        N_("This is not our address"),
        N_("You opened this service under another name than its own, and its forms work only there."),
    )
    """Opened under another name than the issuer's; `right_url` leads to the same page there."""
    SIGN_IN_STOPPED = (
        "sign_in_stopped",
        N_("We stopped this sign-in"),
        N_(
            "It looked dangerous for the account. If it was you, sign in on a device on which you were signed in"
            " before, or ask the people who run this service."
        ),
    )
    LINK_EXPIRED = (
        "link_expired",
        N_("This link no longer works"),
        N_("It was used already or it is too old. Ask for a new one."),
    )
    TOO_LARGE = (
        "too_large",
        N_("That was too much at once"),
        N_("What was sent is larger than we accept. Send less."),
    )
    UNAVAILABLE = (
        "unavailable",
        N_("We can't do that right now"),
        N_("The service is busy or being looked after. Try again in a minute."),
    )
    UNAVAILABLE_FORM = (
        "unavailable_form",
        N_("We can't do that right now"),
        N_(
            "The service is busy or being looked after. Load this page again in a minute: your browser"
            " then sends once more what you typed."
        ),
    )
    """The same for a submitted form: reloading the page sends it again, so that nothing has to be typed twice."""
    SERVER_ERROR = (
        "server_error",
        N_("Something went wrong on our side"),
        N_(
            "It isn't your fault. If you were changing something, see whether it was done before you try"
            " again."
        ),
    )


class Way(Said):
    """The links of an error page; each is a path of this server."""

    HOME = "/", N_("Go to the front page")
    SIGN_IN = "/sign-in", N_("Sign in")
    SIGN_UP = "/sign-up", N_("Create an account")
    RESET = "/reset", N_("Reset your password")
    ACCOUNT = "/account", N_("Go to your account")


class ErrorPage(Struct, frozen=True):
    """A page with a status of 400 or above. The request id comes from the context.

    `detail` is one safe technical sentence for the app's developer (the value received, the nearest valid one, the fix); `right_url`
    leads to the same page at our own address, `right_host`. There is always at least one link.
    """

    template: ClassVar[str] = "error.html"
    kind: Failure
    ways: tuple[Way, ...] = (Way.HOME,)
    detail: str | None = None
    right_url: str | None = None
    right_host: str | None = None


class Home(Struct, frozen=True):
    """/. `account` is the address of the signed-in person, or None."""

    template: ClassVar[str] = "home.html"
    account: str | None = None


class OutboxMessage(Struct, frozen=True):
    """One message that development did not send; a text message has no `subject`. http(s) URLs in `text` become links."""

    to: str
    subject: str | None
    text: str
    at: int
    code: str | None = None


class Outbox(Struct, frozen=True):
    """/_dev/outbox, in development only. Newest first."""

    template: ClassVar[str] = "outbox.html"
    messages: tuple[OutboxMessage, ...] = ()
