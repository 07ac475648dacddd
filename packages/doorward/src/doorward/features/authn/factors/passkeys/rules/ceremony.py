"""Expectations of a WebAuthn ceremony, and the reasons for which its answer is refused (Level 3 §7.1, §7.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

ChallengeState = Literal["valid", "expired", "foreign"]
"""`foreign`: not made by this server for this use, browser and sign-in."""

PasskeyProblemCode = Literal[
    "unreadable",
    "type",
    "challenge",
    "challenge_expired",
    "origin",
    "cross_origin",
    "top_origin",
    "rp_id",
    "user_presence",
    "user_verification",
    "backup_state",
    "backup_eligibility",
    "algorithm",
    "key",
    "credential",
    "user_handle",
    "signature",
    "attestation_format",
    "attestation",
    "attestation_untrusted",
    "attestation_revoked",
    "authenticator",
]

OFFERED: Final = (-8, -7, -257)
"""Algorithms for new keys: Ed25519, ES256, RS256, in order of preference. Browsers warn when ES256 or RS256 is missing."""

UP: Final = 0x01
UV: Final = 0x04
BE: Final = 0x08
BS: Final = 0x10
AT: Final = 0x40
ED: Final = 0x80
"""Flags of the authenticator data: user present, user verified, backup eligible, backup state, attested credential data, extension
data (§6.1)."""


class PasskeyProblem(Struct, frozen=True):
    """The first check that failed."""

    code: PasskeyProblemCode


class Expected(Struct, frozen=True, kw_only=True):
    """What the server asked for.

    `challenge` says whether the bytes are a challenge of this server for this ceremony. `user_handle`: the answer must name the
    account, because the sign-in does not know it yet. `cross_origin` and `top_origins` permit a frame of another site; the server
    never does.
    """

    challenge: Callable[[bytes], ChallengeState]
    origins: tuple[str, ...]
    rp_id: str
    user_verification: bool
    user_presence: bool = True
    user_handle: bool = False
    cross_origin: bool = False
    top_origins: tuple[str, ...] = ()
