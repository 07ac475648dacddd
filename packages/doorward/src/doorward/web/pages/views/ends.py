"""Pages that stand outside a flow: error, front page, the development outbox."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Failure(StrEnum):
    """The kinds of error page; title and sentence are chosen by kind and language."""

    BAD_REQUEST = "bad_request"
    UNKNOWN_APP = "unknown_app"
    BAD_REDIRECT = "bad_redirect"
    """The redirect_uri is not registered: never followed (OAuth 2.1 §7)."""
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    FORBIDDEN = "forbidden"
    STALE_FORM = "stale_form"
    WRONG_HOST = "wrong_host"
    """Opened under another name than the issuer's; `right_url` leads to the same page there."""
    LINK_EXPIRED = "link_expired"
    SIGN_UP_CLOSED = "sign_up_closed"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"
    UNAVAILABLE_FORM = "unavailable_form"
    """The same for a form that was sent: loading the page again sends it again, and nothing has to be typed twice."""
    SERVER_ERROR = "server_error"


class Way(StrEnum):
    """Where an error page leads; each is a path of this server."""

    HOME = "home"
    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    RESET = "reset"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Any status of 400 and above that a person sees. The request id comes from the context.

    `detail` is one safe technical sentence for the app's developer (what was got, what is nearest, how to mend it);
    `app_url` leads back to the app when a checked address is known; `flow` keeps the sign-in; `retry_at` in Unix
    seconds; `right_url` leads to the same page at our own address, `right_host`. There is always at least one way on.
    """

    template: ClassVar[str] = "error.html"
    kind: Failure
    ways: tuple[Way, ...] = (Way.HOME,)
    detail: str | None = None
    app_url: str | None = None
    flow: str | None = None
    retry_at: int | None = None
    right_url: str | None = None
    right_host: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """/. `account` is the address of who is signed in, or None."""

    template: ClassVar[str] = "home.html"
    account: str | None = None
    sign_up_open: bool = True


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One message that development did not send. `text` is its plain text; http(s) addresses in it become links."""

    to: str
    subject: str
    text: str
    at: int
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Outbox:
    """/_dev/outbox, in development only. Newest first."""

    template: ClassVar[str] = "outbox.html"
    messages: tuple[OutboxMessage, ...] = ()
