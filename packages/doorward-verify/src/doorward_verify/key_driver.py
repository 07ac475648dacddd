"""Daemon thread that fetches the issuer's keys. The module `keycache` decides whether and when."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from doorward_verify import keycache
from doorward_verify.discovery import FETCH_DEADLINE, Clock, Discovery, unstoppable
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.jwk import InvalidKey
from doorward_verify.keycache import KeyCache
from doorward_verify.keyset import MAX_JWKS_BYTES, KeySet, parse_jwks
from doorward_verify.metadata import InvalidMetadata

log = logging.getLogger("doorward_verify")


class KeyDriver:
    """Fetches keys when the cache requests them. `on_keys` is called with each good answer and the time until
    which it is valid."""

    def __init__(
        self,
        issuer: str,
        fetcher: Fetcher,
        discovery: Discovery,
        clock: Clock,
        on_keys: Callable[[KeySet, float], None],
    ) -> None:
        self._cache = KeyCache(issuer)
        self._fetcher = fetcher
        self._discovery = discovery
        self._clock = clock
        self._on_keys = on_keys
        self._wake = threading.Condition()
        self._flight: Future[None] | None = None
        self._stopped = False

    @property
    def cache(self) -> KeyCache:
        """The current state."""
        return self._cache

    def start(self) -> None:
        """Start keeping the keys fresh."""
        threading.Thread(target=self._run, name="doorward-keys", daemon=True).start()

    def stop(self) -> None:
        """Request the end of the thread, and release all waiting callers."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()

    def ask(self, *, unknown_kid: bool = False) -> Future[None] | None:
        """Return the fetch in progress, or a new one if the cache requests it, or None when waiting would not help."""
        with self._wake:
            now = self._clock()
            if (
                self._flight is None
                and not self._stopped
                and keycache.wants(self._cache, now, unknown_kid=unknown_kid)
            ):
                self._take_off(now, unknown_kid=unknown_kid)
            return self._flight

    def _take_off(self, now: float, *, unknown_kid: bool) -> None:
        self._cache = keycache.started(self._cache, now, unknown_kid=unknown_kid)
        self._flight = unstoppable()
        self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                while self._flight is None and not self._stopped:
                    now = self._clock()
                    if keycache.wants(self._cache, now):
                        self._take_off(now, unknown_kid=False)
                        break
                    # at most a minute, so that a changed system clock is noticed
                    self._wake.wait(min(max(self._cache.due_at - now, 0.05), 60.0))
                flight = self._flight
                if self._stopped:
                    self._land(flight)
                    return
            keys = self._fetch()
            with self._wake:
                if keys is None:
                    self._cache = keycache.failed(self._cache)
                else:
                    self._cache = keycache.arrived(self._cache, keys, self._clock())
                    self._on_keys(self._cache.keys or keys, self._cache.usable_until)
                self._land(flight)

    def _land(self, flight: Future[None] | None) -> None:
        self._flight = None
        if flight is not None and not flight.done():
            flight.set_result(None)

    def _fetch(self) -> KeySet | None:
        try:
            document = self._fetcher.fetch(
                self._discovery.jwks_uri(),
                accept="application/jwk-set+json, application/json",
                max_bytes=MAX_JWKS_BYTES,
                deadline=FETCH_DEADLINE,
            )
            keys = parse_jwks(self._cache.issuer, document)
        except (FetchFailed, InvalidMetadata, InvalidKey) as error:
            log.warning(
                "keys.unavailable: the keys of %s could not be fetched: %s", self._cache.issuer, error
            )
            return None
        except Exception:  # an exception that ends this thread would freeze the keys for ever
            log.exception("keys.unavailable: the keys of %s could not be fetched", self._cache.issuer)
            return None
        for why in keys.unusable:
            log.info("keys.left_out: a key of %s is left out: %s", self._cache.issuer, why)
        return keys
