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
    that both cases cost the same. An `address` proves one for an account, or for somebody whose `waiting` has no code, and holds who it is. For a reset or a sign-in `payload` holds `against`: when the password that it replaces was set
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
    """A mail in the transactional outbox. The body is sealed at rest, since it may contain a code or a link."""

    id: str
    to: str
    kind: str
    sealed: bytes
    created_at: int
    next_try_at: int
    tries: int = 0
    sent_at: int | None = None
    failed_at: int | None = None


class EmailMessage(Struct, frozen=True, kw_only=True):
    """The content of `OutgoingMail.sealed`, as JSON (sealed for `EMAIL_PURPOSE` under the row's id). `code` is the
    one-time code in the text, if any: the development outbox shows it large. `ticket_id`: the ticket whose code and
    link it contains."""

    subject: str
    text: str
    html: str
    code: str | None = None
    ticket_id: str | None = None


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
