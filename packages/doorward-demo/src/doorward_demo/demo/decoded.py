"""What stands in this token? For looking at it only: nothing here checks a signature."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward_verify.encoding import b64url_decode, json_object


class Decoded(Struct, frozen=True):
    """The two readable parts."""

    header: dict[str, Any]
    payload: dict[str, Any]


def decoded(token: str) -> Decoded:
    """The token, taken apart. Raises `Malformed`, ValueError for what is none."""
    header, payload, _ = token.split(".")
    return Decoded(json_object(b64url_decode(header)), json_object(b64url_decode(payload)))
