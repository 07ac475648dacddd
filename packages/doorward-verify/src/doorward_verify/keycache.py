"""Key cache as a pure state machine: it receives the time and the results of fetches, and opens no socket."""

from dataclasses import dataclass, replace
from typing import Final

from doorward_verify.keyset import KeySet

REFRESH_EVERY: Final = 300
KEEP_FOR: Final = 24 * 3600
UNKNOWN_KID_EVERY: Final = 30
FIRST_RETRY: Final = 0.125
"""Short, for an issuer that is just starting."""
LAST_RETRY: Final = 60


@dataclass(frozen=True, slots=True)
class KeyCache:
    """The state of one issuer's keys. Times are seconds since the epoch.

    One fetch at a time (`in_flight`). A token with an unknown key causes at most one fetch in 30 s, so that an attacker
    cannot make the API flood the issuer. The last good keys are used for 24 h of outage and not a second longer.
    """

    issuer: str
    keys: KeySet | None = None
    fetched_at: float | None = None
    tried_at: float | None = None
    unknown_at: float | None = None
    failures: int = 0
    in_flight: bool = False

    def usable(self, now: float) -> KeySet | None:
        """The keys that may be used at `now`."""
        return self.keys if self.keys is not None and now < self.usable_until else None

    @property
    def usable_until(self) -> float:
        """When the current keys become too old."""
        return 0.0 if self.fetched_at is None else self.fetched_at + KEEP_FOR

    @property
    def due_at(self) -> float:
        """When the next regular fetch is due: at once, after a pause that grows with failures, or by age."""
        if self.tried_at is None:
            return 0.0
        if self.failures:
            return self.tried_at + min(FIRST_RETRY * 2 ** (self.failures - 1), LAST_RETRY)
        return self.tried_at + REFRESH_EVERY


def wants(cache: KeyCache, now: float, *, unknown_kid: bool = False) -> bool:
    """Whether a fetch should start now. `unknown_kid`: a token named a key that the cache does not have."""
    if cache.in_flight:
        return False
    if now >= cache.due_at or (
        cache.tried_at is not None and now < cache.tried_at
    ):  # or the clock was set back
        return True
    if not unknown_kid or cache.failures:
        return False
    last = cache.unknown_at
    return last is None or now < last or now - last >= UNKNOWN_KID_EVERY


def started(cache: KeyCache, now: float, *, unknown_kid: bool = False) -> KeyCache:
    """The state after a fetch has begun."""
    return replace(cache, in_flight=True, tried_at=now, unknown_at=now if unknown_kid else cache.unknown_at)


def arrived(cache: KeyCache, keys: KeySet, now: float) -> KeyCache:
    """The state after keys arrived. A key that the issuer no longer lists is dropped. Raises `ValueError` for
    another issuer's keys."""
    if keys.issuer != cache.issuer:
        raise ValueError("keys belong to their issuer: these are of another one")
    kept = cache.keys if cache.keys is not None and cache.keys.same_as(keys) else keys
    return replace(cache, keys=kept, fetched_at=now, failures=0, in_flight=False)


def failed(cache: KeyCache) -> KeyCache:
    """The state after a failed fetch: the last good keys stay."""
    return replace(cache, failures=min(cache.failures + 1, 16), in_flight=False)
