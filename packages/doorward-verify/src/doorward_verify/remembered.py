"""Bounded cache of accepted tokens, bound to the keys that verified them."""

from typing import Final

from msgspec import Struct

from doorward_verify.principal import Principal
from doorward_verify.verifier import Verifier

DEFAULT_SIZE: Final = 4096
_MARKS: Final = 8192
END: Final = -43
"""Accepted tokens are found by their last 43 characters, a part of the signature, because hashing the whole text takes longer. Who
looks one up compares the whole token."""


class Remembered(Struct, frozen=True, gc=False):
    """An accepted token, valid from `since` until `until` (exclusive), checked at this generation of the
    revocation view."""

    token: str
    principal: Principal
    since: int
    until: int
    generation: int


class Epoch:
    """One set of keys with the tokens accepted under it. New keys create a new epoch: tokens verified with a removed
    key are dropped with it, also by a thread that was verifying while the keys changed.

    A token is stored when it is seen for the second time: storing a token that is used once costs more than it saves,
    and could evict one that is used again. There are two halves: when the recent half is full it becomes the older
    half, and the older half is dropped. Only accepted tokens are stored, so a caller without one cannot evict others.
    """

    __slots__ = ("_half", "_seen", "older", "recent", "usable_until", "verifier")

    def __init__(self, verifier: Verifier, usable_until: float, size: int = DEFAULT_SIZE) -> None:
        self.verifier = verifier
        self.usable_until = usable_until
        self._half = size // 2
        self.recent: dict[str, Remembered] = {}
        self.older: dict[str, Remembered] = {}
        self._seen: set[str] = set()

    def returns(self, end: str) -> bool:
        """Whether a good token with this end was seen before; records that it was seen."""
        if end in self._seen:
            return self._half > 0
        if len(self._seen) >= _MARKS:
            self._seen.clear()
        self._seen.add(end)
        return False

    def remember(self, end: str, verdict: Remembered) -> None:
        """Store an accepted token."""
        if len(self.recent) >= self._half:
            self.older = self.recent
            self.recent = {}
        self.recent[end] = verdict
