"""Checks of the client data: type, challenge, origin, and frames (Level 3 §5.8.1; §7.1 steps 6-11, §7.2 steps 10-14)."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from msgspec import Struct, field

from doorward.features.authn.factors.passkeys.rules.ceremony import Expected, PasskeyProblem
from doorward.features.authn.factors.passkeys.rules.response import unpadded


class _ClientData(Struct, frozen=True):
    type: str
    challenge: str
    origin: str
    cross_origin: bool = field(name="crossOrigin", default=False)
    top_origin: str | None = field(name="topOrigin", default=None)


class ClientData(Struct, frozen=True):
    """Client data that passed all checks: the challenge, and the SHA-256 of the bytes as sent."""

    challenge: bytes
    digest: bytes


def checked(
    raw: bytes, kind: Literal["webauthn.create", "webauthn.get"], expected: Expected
) -> ClientData | PasskeyProblem:
    """The client data, or the first check that failed. Unknown members are ignored, as §5.8.1 demands."""
    try:
        read = msgspec.json.decode(raw, type=_ClientData)
        challenge = unpadded(read.challenge)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return PasskeyProblem("unreadable")
    if read.type != kind:
        return PasskeyProblem("type")
    state = expected.challenge(challenge)
    if state != "valid":
        return PasskeyProblem("challenge_expired" if state == "expired" else "challenge")
    if read.origin not in expected.origins:
        return PasskeyProblem("origin")
    if read.cross_origin and not expected.cross_origin:
        return PasskeyProblem("cross_origin")
    if read.top_origin is not None and (not read.cross_origin or read.top_origin not in expected.top_origins):
        return PasskeyProblem("top_origin")
    return ClientData(challenge, hashlib.sha256(raw).digest())
