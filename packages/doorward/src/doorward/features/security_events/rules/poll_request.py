"""A poll for events (RFC 8936 §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict, cast

from msgspec import Struct

from doorward.features.security_events.rules.stream_request import BadStream

MOST: Final = 100
"""Events in one answer, and acknowledgements in one request."""
_MAX_ID: Final = 200
_MAX_CODE: Final = 60


class PollAnswer(TypedDict):
    """Events by their `jti` (RFC 8936 §2.3)."""

    sets: dict[str, str]
    moreAvailable: bool


class Poll(Struct, frozen=True, kw_only=True):
    """`most` events, after `accepted` ones have been removed and `refused` ones (with the receiver's error codes) as well. `wait`: with
    no event the answer may be held back."""

    most: int
    wait: bool
    accepted: tuple[str, ...]
    refused: Mapping[str, str]


def poll(document: Mapping[str, Any]) -> Poll:
    """What the request says. Raises `BadStream`."""
    most: object = document.get("maxEvents", MOST)
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        raise BadStream("maxEvents is a number from 0.")
    now: object = document.get("returnImmediately", False)
    if not isinstance(now, bool):
        raise BadStream("returnImmediately is true or false.")
    accepted: object = document.get("ack", [])
    refused: object = document.get("setErrs", {})
    if not isinstance(accepted, list) or not isinstance(refused, dict):
        raise BadStream("ack is a list of jti, setErrs an object of errors by jti.")
    ids = cast("list[object]", accepted)
    errors = cast("dict[str, object]", refused)
    if len(ids) + len(errors) > MOST or not all(_id(one) for one in (*ids, *errors)):
        raise BadStream(f"ack and setErrs name at most {MOST} events by their jti.")
    return Poll(
        most=min(most, MOST),
        # with maxEvents 0 nothing can come (§2.4.3)
        wait=not now and most > 0,
        accepted=tuple(cast("list[str]", ids)),
        refused={name: _code(error) for name, error in errors.items()},
    )


def _id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_ID and "\x00" not in value


def _code(error: object) -> str:
    """The error's code (RFC 8935 §2.4), safe for a log."""
    code = cast("dict[str, object]", error).get("err") if isinstance(error, dict) else None
    named = (
        isinstance(code, str)
        and len(code) <= _MAX_CODE
        and code.isascii()
        and code.replace("_", "").isalnum()
    )
    return str(code) if named else "without a code"
