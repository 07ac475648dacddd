"""Random values from the operating system's generator, and ids by RFC 9562."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import final

from doorward.adapters.clock import SystemClock
from doorward_verify.encoding import b64url_encode


@final
class SystemRandom:
    """`SecureRandom` from the operating system's generator."""

    __slots__ = ("_time",)

    def __init__(self, time: Callable[[], float] | None = None) -> None:
        self._time = time or SystemClock().exact

    def token(self, size: int = 32) -> str:
        """`size` random bytes as base64url without padding."""
        return b64url_encode(os.urandom(size))

    def new_id(self, prefix: str) -> str:
        """`<prefix>_` and a UUIDv7 in hex (RFC 9562 §5.7): milliseconds, the fraction of one in 12 bits (§6.2 method
        3), and 62 random bits. Ids of one process sort in order of creation, even if the machine's clock is changed. An
        id is a name and never a secret."""
        milliseconds, rest = divmod(int(self._time() * 1_000_000_000), 1_000_000)
        high = (milliseconds << 16) | 0x7000 | (rest * 4096 // 1_000_000)
        low = 0x8000_0000_0000_0000 | (int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF)
        return f"{prefix}_{high:016x}{low:016x}"

    def digits(self, length: int = 6) -> str:
        """A decimal code; `secrets.randbelow` uses rejection sampling, so that all digits are equally likely."""
        return f"{secrets.randbelow(10**length):0{length}d}"

    def below(self, bound: int) -> int:
        """A uniform integer in [0, bound)."""
        return secrets.randbelow(bound)
