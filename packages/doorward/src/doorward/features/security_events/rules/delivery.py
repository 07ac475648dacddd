"""What becomes of a push (RFC 8935 §2.2 to §2.4), and when the next one is tried."""

from __future__ import annotations

import json
from enum import Enum
from typing import Final, cast

PAUSES: Final = (2, 10, 30, 60, 300, 900)
"""Seconds until the next try, by the number of tries made; the last one repeats."""
_TAKEN: Final = frozenset({200, 202, 204})
_BAD_REQUEST: Final = 400
_FOR_GOOD: Final = "invalid_request"


class PushOutcome(Enum):
    """Accepted; refused for good, since the same bytes would be refused again; or to be tried again, in order."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LATER = "later"


def outcome(status: int, body: bytes) -> PushOutcome:
    """The outcome of an answer. Errors about keys, audience or authorization are the receiver's or the operator's to mend: the event
    waits for that."""
    if status in _TAKEN:
        return PushOutcome.ACCEPTED
    if status == _BAD_REQUEST and error_code(body) == _FOR_GOOD:
        return PushOutcome.REFUSED
    return PushOutcome.LATER


def error_code(body: bytes) -> str | None:
    """`err` of an error answer, if it is a code."""
    try:
        said: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    code = cast("dict[str, object]", said).get("err") if isinstance(said, dict) else None
    return code if isinstance(code, str) and code.replace("_", "").isalnum() and len(code) < 60 else None


def pause(tries: int) -> int:
    """Seconds to wait after the `tries`-th try."""
    return PAUSES[min(max(tries, 1), len(PAUSES)) - 1]
