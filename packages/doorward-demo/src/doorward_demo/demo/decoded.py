"""Token decoding for display only: no signature is checked here."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from doorward_verify.encoding import b64url_decode, json_object


class Decoded(Struct, frozen=True):
    """The token's header and payload."""

    header: dict[str, Any]
    payload: dict[str, Any]


def decoded(token: str) -> Decoded:
    """Decode a token. Raises `Malformed`, or ValueError when it is no token."""
    header, payload, _ = token.split(".")
    return Decoded(json_object(b64url_decode(header)), json_object(b64url_decode(payload)))
