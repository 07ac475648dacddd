"""Was this very token found good before? A bounded memory of verdicts, bound to the keys that they were reached with."""

from typing import Final

from msgspec import Struct

from doorward_verify.principal import Principal
from doorward_verify.verifier import Verifier

DEFAULT_SIZE: Final = 4096
_MARKS: Final = 8192


class Remembered(Struct, frozen=True, gc=False):
    """A verdict yes, from `since` until `until` (exclusive), reached at this generation of the revocation view."""

    principal: Principal
    since: int
    until: int
    generation: int


class Epoch:
    """One set of keys with the verdicts reached under it. New keys, new epoch: what was verified with a key that is gone
    is forgotten with it, also by a thread that was verifying while the keys changed.

    A token is kept when it comes for the second time: keeping one that never comes again costs more than it saves, and
    would push out one that does. Two halves: when the recent one is full it becomes the older one, and the older one is
    dropped. Only tokens that were found good get here, so nobody without one can push others out.
    """

    __slots__ = ("_half", "_seen", "older", "recent", "usable_until", "verifier")

    def __init__(self, verifier: Verifier, usable_until: float, size: int = DEFAULT_SIZE) -> None:
        self.verifier = verifier
        self.usable_until = usable_until
        self._half = size // 2
        self.recent: dict[str, Remembered] = {}
        self.older: dict[str, Remembered] = {}
        self._seen: set[int] = set()

    def returns(self, token: str) -> bool:
        """Whether a good token was here before, and notes that it was. A clash of hashes only costs or saves one turn."""
        mark = hash(token)
        if mark in self._seen:
            return self._half > 0
        if len(self._seen) >= _MARKS:
            self._seen.clear()
        self._seen.add(mark)
        return False

    def remember(self, token: str, verdict: Remembered) -> None:
        """Keep a verdict."""
        if len(self.recent) >= self._half:
            self.older = self.recent
            self.recent = {}
        self.recent[token] = verdict
