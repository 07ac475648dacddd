"""Outgoing mail, its tickets (code and link), and logout notices."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct, field

EMAIL_PURPOSE: Final = "mail"
"""The sealing purpose of a message."""

TicketKind = Literal["sign_up", "reset", "sign_in", "address", "waiting"]


class EmailChallenge(Struct, frozen=True, kw_only=True):
    """A short-lived proof by mail: a 6-digit code (guesses counted) and a link (256 bits), either of which works once.

    Bound to the browser that requested it. For a sign-up, `payload` holds the data of the account to be made (never a
    clear password). `account_id` is None when no such account exists, and then nothing was sent: the row is stored so
    that both cases cost the same. An `address` proves one for an account, or for somebody whose `waiting` has no code, and holds who it is. For a reset or a sign-in `payload` holds `against`: the `password_state` of its account
    (`features/authn/flow/rules/standing.py`).
    """

    id: str
    kind: TicketKind
    email: str
    code_hash: bytes
    link_hash: bytes
    browser_hash: bytes
    created_at: int
    expires_at: int
    account_id: str | None = None
    sign_in_id: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    tries: int = 0
    proven_at: int | None = None
    used_at: int | None = None


class OutgoingMail(Struct, frozen=True, kw_only=True):
    """A mail in the transactional outbox. The body is sealed at rest, since it may contain a code or a link.

    `bundle`: the account whose owner it informs, if it is a notice: those to one recipient become one mail. `weight` orders them in it.
    `in_mail` is the id of the mail that carries it.
    """

    id: str
    to: str
    kind: str
    sealed: bytes
    created_at: int
    next_try_at: int
    tries: int = 0
    sent_at: int | None = None
    failed_at: int | None = None
    bundle: str | None = None
    weight: int = 0
    in_mail: str | None = None


NoticeAnswer = Literal["not_me", "was_me", "ended"]


class NoticeLink(Struct, frozen=True, kw_only=True):
    """The link "This wasn't me" of one notice: the hash of its token, its account, the kind of its mail, and what was answered. `ended`: what it could end has
    ended since. Times are Unix seconds."""

    hash: bytes
    account_id: str
    kind: str
    created_at: int
    expires_at: int
    answered_at: int | None = None
    answer: NoticeAnswer | None = None


class OwnerMail(Struct, frozen=True, kw_only=True):
    """A notice to the owner of an account, and the link in it, which are written together."""

    mail: OutgoingMail
    link: NoticeLink


class NoticePart(Struct, frozen=True, kw_only=True):
    """What a notice says, in the language `locale` of its reader. `seen` are the lines about one occurrence: when, on which device, where;
    `at` is its time (Unix seconds), `not_me` the address of the page "This wasn't me"."""

    title: str
    sentences: tuple[str, ...]
    seen: tuple[str, ...]
    at: int
    weight: int
    locale: str
    not_me: str
    closing: str | None = None


class EmailMessage(Struct, frozen=True, kw_only=True):
    """The content of `OutgoingMail.sealed`, as JSON (sealed for `EMAIL_PURPOSE` under the row's id). `code` is the
    one-time code in the text, if any: the development outbox shows it large. `ticket_id`: the ticket whose code and
    link it contains. `notice`: the same as a part of a mail of several notices."""

    subject: str
    text: str
    html: str
    code: str | None = None
    ticket_id: str | None = None
    notice: NoticePart | None = None


ALL_SESSIONS: Final = ""
"""`LogoutNotice.session_id` of a notice about all sessions of a person; its token has no `sid`."""


class LogoutNotice(Struct, frozen=True, kw_only=True):
    """A back-channel logout to deliver (OpenID Connect Back-Channel Logout 1.0 §2.5); its token is made when it is
    sent.

    `problem` is the reason of the last failure, for the operator.
    """

    id: str
    client_id: str
    account_id: str
    session_id: str
    created_at: int
    next_try_at: int
    tries: int = 0
    sent_at: int | None = None
    failed_at: int | None = None
    problem: str | None = None


class UndeliveredMail(Struct, frozen=True, kw_only=True):
    """Mail waiting for a retry, mail given up, and when the newest of it was written (seconds)."""

    waiting: int
    failed: int
    last_at: int


class Undelivered(Struct, frozen=True, kw_only=True):
    """Undelivered notices of an app: those waiting for a retry, those given up, and the reason of the last failure."""

    client_id: str
    waiting: int
    failed: int
    last_at: int
    problem: str
