"""Outgoing text messages (SMS)."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

SMS_PURPOSE: Final = "sms"
"""The sealing purpose of a message."""


class OutgoingSms(Struct, frozen=True, kw_only=True):
    """A text message in the transactional outbox. Number and text are sealed at rest. `country` is that of the number,
    for metrics and the operator; `code_id` the code that it contains.

    `gateway_id` is the gateway's name for it, in delivery reports. `problem` is the reason of the last failure; a message
    that was given up without one contained a code that was used or replaced.
    """

    id: str
    kind: str
    account_id: str
    code_id: str | None
    country: str
    sealed: bytes
    created_at: int
    next_try_at: int
    tries: int = 0
    sent_at: int | None = None
    failed_at: int | None = None
    gateway_id: str | None = None
    problem: str | None = None


class Sms(Struct, frozen=True, kw_only=True):
    """The content of `OutgoingSms.sealed`, as JSON (sealed for `SMS_PURPOSE` under the row's id). A message is given up
    at `expires_at`. `code` is shown large by the development outbox."""

    to: str
    text: str
    expires_at: int
    code: str | None = None


class CountrySms(Struct, frozen=True, kw_only=True):
    """What became of the messages to one country: all of them, and those that failed."""

    country: str
    written: int
    failed: int
