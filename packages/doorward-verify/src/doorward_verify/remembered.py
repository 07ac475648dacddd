"""Was this very token found good before? A bounded memory of verdicts, bound to the keys that they were reached with."""

from typing import Final

from msgspec import Struct

from doorward_verify.principal import Principal
from doorward_verify.verifier import Verifier

DEFAULT_SIZE: Final = 4096


class Remembered(Struct, frozen=True):
    """A verdict yes, from `since` until `until` (exclusive), reached at this generation of the revocation view."""

    principal: Principal
    since: int
    until: int
    generation: int


class Epoch:
    """One set of keys with the verdicts reached under it. New keys, new epoch: what was verified with a key that is gone
    is forgotten with it, also by a thread that was verifying while the keys changed.

    Two halves: when the recent one is full it becomes the older one, and the older one is dropped. Only tokens that were
    found good get in, so that nobody without one can push others out.
    """

    __slots__ = ("_half", "older", "recent", "usable_until", "verifier")

    def __init__(self, verifier: Verifier, usable_until: float, size: int = DEFAULT_SIZE) -> None:
        self.verifier = verifier
        self.usable_until = usable_until
        self._half = size // 2
        self.recent: dict[str, Remembered] = {}
        self.older: dict[str, Remembered] = {}

    def remember(self, token: str, verdict: Remembered) -> None:
        """Keep a verdict."""
        if len(self.recent) >= self._half:
            self.older = self.recent
            self.recent = {}
        if self._half:
            self.recent[token] = verdict

    def recall(self, token: str) -> Remembered | None:
        """A verdict that was kept; the caller checks times and revocation."""
        return self.recent.get(token) or self.older.get(token)
