"""Code sent to a phone or a mailbox as a factor of a sign-in."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

DeliveryState = Literal["under_way", "delayed", "failed"]
"""What is known of a message: nothing bad; not taken yet, and tried again; or refused, so that it is not tried again."""


class SentCode(Struct, frozen=True, kw_only=True):
    """A code of six digits that belongs to one sign-in or one enrolment, and works once.

    `request` is the id of the sign-in, or "enrol:" and the id of the session or sign-in in which a factor is set up. `factor_id` is
    the factor to which it was sent, None while enrolling; `target` is then the sealed number or address that it proves. `code_hash`
    is a keyed hash. `message_id` is the message in the outbox. `sends` counts the messages of this request, this one included;
    `tries` the guesses.
    """

    id: str
    request: str
    account_id: str
    kind: str
    factor_id: str | None
    code_hash: bytes
    target: bytes | None = None
    message_id: str
    sends: int
    tries: int = 0
    created_at: int
    expires_at: int
    used_at: int | None = None
