"""Challenges without a row: random value, end, and a keyed tag over both and over what they are for (Level 3 §13.4.3).

A page can be shown without writing anything, and a challenge of another use, browser or sign-in is not accepted. It is single use
because the random value is claimed in the commit of the proof.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from doorward.features.authn.factors.passkeys.rules.ceremony import ChallengeState
from doorward.features.authn.factors.passkeys.rules.response import unpadded

TTL: Final = 600
"""Seconds."""
RANDOM_BYTES: Final = 16
_TIME_BYTES: Final = 8
_TAG_BYTES: Final = 16
CHALLENGE_PURPOSE: Final = "webauthn"
"""Purpose of the tag, and the space of the claims."""
ChallengeUse = Literal["create", "create_silently", "get"]


class ChallengeContext(Struct, frozen=True, kw_only=True):
    """What a challenge is for. `binding` is the id of the sign-in or of the session, or "" before there is one; `tag` is a keyed
    tag of a text, in Base64url."""

    use: ChallengeUse
    browser_hash: bytes
    binding: str
    tag: Callable[[str], str]

    def make(self, random: bytes, now: int) -> bytes:
        """A challenge for the next `TTL` seconds."""
        ends = now + TTL
        return random + ends.to_bytes(_TIME_BYTES, "big") + self._tag(random, ends)

    def state(self, challenge: bytes, now: int) -> ChallengeState:
        """Whether the challenge is one of this context, and still runs."""
        if len(challenge) != RANDOM_BYTES + _TIME_BYTES + _TAG_BYTES:
            return "foreign"
        random, ends = parts(challenge)
        if not hmac.compare_digest(challenge[-_TAG_BYTES:], self._tag(random, ends)):
            return "foreign"
        return "expired" if now >= ends else "valid"

    def _tag(self, random: bytes, ends: int) -> bytes:
        text = f"{self.use}:{self.browser_hash.hex()}:{self.binding}:{random.hex()}:{ends}"
        return unpadded(self.tag(text))[:_TAG_BYTES]


def issued_at(challenge: bytes) -> int:
    """When a challenge whose state was checked was made (seconds)."""
    return parts(challenge)[1] - TTL


def parts(challenge: bytes) -> tuple[bytes, int]:
    """The random value and the end of a challenge whose state was checked: what is claimed, and until when."""
    time = challenge[RANDOM_BYTES : RANDOM_BYTES + _TIME_BYTES]
    return challenge[:RANDOM_BYTES], int.from_bytes(time, "big")
