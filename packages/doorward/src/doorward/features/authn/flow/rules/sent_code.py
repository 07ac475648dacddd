"""Rules of codes that are sent to a mailbox or a phone: when one may be sent, and which one is accepted (ASVS 6.5, 6.6: R82, R83)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from doorward.core.model.sent_code import SentCode

DIGITS: Final = 6
TTL: Final = 600
"""Seconds for which a code is accepted (ASVS 6.6.3: at most ten minutes)."""
TRIES: Final = 5
"""Guesses at one code. With `LIVE` codes of an account at a time this bounds what an attacker can guess from any number of networks;
the counters of the account bound it further (`features/rate_limits`)."""
SENDS: Final = 5
"""Messages for one sign-in."""
PAUSE: Final = 60
"""Seconds between two messages for one sign-in."""
LIVE: Final = 3
"""Codes of one account that are accepted at a time, over all sign-ins and enrolments."""


class MaySend(Struct, frozen=True):
    """A code may be sent, the `number`th of its request. Then the codes `ends` no longer work."""

    number: int
    ends: tuple[SentCode, ...] = ()


class NotYet(Struct, frozen=True):
    """No code may be sent before `until` (seconds). `why`: the pause after the last one, the limit of this request, or that of the
    account's live codes."""

    until: int
    why: Literal["pause", "request", "account"]


class SentCodeMissed(Struct, frozen=True):
    """The code is not accepted, and why. The page shows the same sentence for every reason but `spent`."""

    why: Literal["unknown", "expired", "used", "spent", "code"]


def live(codes: Sequence[SentCode], now: int) -> tuple[SentCode, ...]:
    """Those of the codes that would be accepted now."""
    return tuple(code for code in codes if code.used_at is None and now < code.expires_at)


def of_request(codes: Sequence[SentCode], request: str, kind: str) -> SentCode | None:
    """The newest code of one kind for one sign-in or enrolment, in any state."""
    found = [code for code in codes if code.request == request and code.kind == kind]
    return max(found, key=lambda code: code.sends, default=None)


def may_send(
    codes: Sequence[SentCode], request: str, kind: str, now: int, *, known_device: bool = False
) -> MaySend | NotYet:
    """Whether one more code of `kind` may be sent for `request`. `codes` are the stored codes of the account, in any state.

    A request has one live code of a kind: a new one ends the one before. `known_device`: the account has signed in on this device
    before. There a new code ends the oldest one of another request where the account has too many, so that somebody who knows the
    password cannot keep its owner from getting one (R95).
    """
    last = of_request(codes, request, kind)
    if last is not None and now < last.expires_at:
        if last.sends >= SENDS:
            return NotYet(last.expires_at, "request")
        if now < last.created_at + PAUSE:
            # a clock that went backwards does not lengthen the pause
            return NotYet(min(last.created_at, now) + PAUSE, "pause")
    own = [code for code in live(codes, now) if code.request == request and code.kind == kind]
    others = [code for code in live(codes, now) if code not in own]
    others.sort(key=lambda code: code.expires_at)
    over = others[: max(0, len(others) + 1 - LIVE)]
    if over and not known_device:
        return NotYet(over[-1].expires_at, "account")
    # the messages of an expired code count no more: it may be swept at any time
    number = 1 if last is None or now >= last.expires_at else last.sends + 1
    return MaySend(number, (*own, *over))


def check(
    code: SentCode | None, code_hash: bytes, *, request: str, kind: str, now: int
) -> SentCodeMissed | None:
    """None: the code is right, and is accepted once. `code_hash` is the hash of what was typed, made like that of the code. The caller
    has counted this guess before (`code.tries` includes it), so that it counts even if its request is aborted."""
    if code is None or code.request != request or code.kind != kind:
        return SentCodeMissed("unknown")
    if code.used_at is not None:
        return SentCodeMissed("used")
    if now >= code.expires_at:
        return SentCodeMissed("expired")
    if code.tries > TRIES:
        return SentCodeMissed("spent")
    return None if hmac.compare_digest(code.code_hash, code_hash) else SentCodeMissed("code")


def looks_like(typed: str) -> bool:
    """Whether the text, as returned by `core.text.code`, is such a code."""
    return len(typed) == DIGITS and typed.isascii() and typed.isdigit()


def masked(address: str) -> str:
    """A mail address as it is shown to somebody who has shown one factor: its first letter, and its domain."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••{at}{domain}"
