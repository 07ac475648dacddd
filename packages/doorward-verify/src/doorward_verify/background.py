"""Background work of a `ResourceServer`: one fetcher, one driver for keys, one driver for the feed, and their
life cycle."""

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from msgspec import Struct

from doorward_verify.api_keys import ExchangeAnswer
from doorward_verify.discovery import Clock, Discovery, SecureRandom
from doorward_verify.feed_driver import FeedDriver
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.key_driver import KeyDriver
from doorward_verify.keyset import KeySet
from doorward_verify.metadata import InvalidMetadata
from doorward_verify.revocation import RevocationView

MAX_ANSWER_BYTES: Final = 16 * 1024


class Plan(Struct, frozen=True):
    """What is fetched: `keys` (False when the caller supplied them) and `feed`, the revocations; `token_endpoint`: API keys are
    exchanged there."""

    issuer: str
    keys: bool
    jwks_uri: str | None
    feed: bool
    feed_required: bool
    outage: float
    token_endpoint: bool = False


class _Running(Struct, frozen=True):
    fetcher: Fetcher
    discovery: Discovery
    keys: KeyDriver | None
    feed: FeedDriver | None


class Background:
    """Starts once, on first use, and ends with `close`. A later use starts it again, also in the child after a fork."""

    def __init__(
        self,
        plan: Plan,
        new_fetcher: Callable[[], Fetcher],
        clock: Clock,
        random: SecureRandom,
        on_keys: Callable[[KeySet, float], None],
    ) -> None:
        self._plan = plan
        self._new_fetcher = new_fetcher
        self._clock = clock
        self._random = random
        self._on_keys = on_keys
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self.view = RevocationView()
        if not plan.feed:
            self.view.fresh_until = float("inf")
        _after_fork(self)

    def start(self) -> None:
        """Start keeping keys and revocations fresh. Safe to call again."""
        self._start()

    def close(self) -> None:
        """Stop, and cut off fetches in progress."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            for driver in (running.keys, running.feed):
                if driver is not None:
                    driver.stop()
            running.fetcher.close()

    def ask_for_keys(self, *, unknown_kid: bool = False) -> Future[None] | None:
        """Return a future to wait on for missing keys, or None when waiting would not help."""
        keys = self._start().keys
        return None if keys is None else keys.ask(unknown_kid=unknown_kid)

    def ask_for_feed(self) -> Future[None] | None:
        """Return a future to wait on for a view that was never fed, or None when waiting would not help."""
        feed = self._start().feed
        return None if feed is None or feed.first_answer.done() else feed.first_answer

    def post(self, form: dict[str, str]) -> ExchangeAnswer:
        """Send a form to the issuer's token endpoint. Raises `ConnectionError` when there is no answer."""
        running = self._start()
        try:
            url = running.discovery.get().token_endpoint
            if url is None:
                raise ConnectionError("the metadata has no token_endpoint")
            return ExchangeAnswer(*running.fetcher.post(url, form, max_bytes=MAX_ANSWER_BYTES))
        except (FetchFailed, InvalidMetadata) as problem:
            raise ConnectionError(str(problem)) from None

    def _start(self) -> _Running:
        with self._lock:
            if self._running is None:
                self._running = self._prepare()
                for driver in (self._running.keys, self._running.feed):
                    if driver is not None:
                        driver.start()
            return self._running

    def _prepare(self) -> _Running:
        plan, fetcher = self._plan, self._new_fetcher()
        discovery = Discovery(
            plan.issuer, fetcher, self._clock, jwks_uri=plan.jwks_uri, token_endpoint=plan.token_endpoint
        )
        keys = KeyDriver(plan.issuer, fetcher, discovery, self._clock, self._on_keys) if plan.keys else None
        if not plan.feed:
            return _Running(fetcher, discovery, keys, None)
        feed = FeedDriver(
            self.view,
            fetcher,
            discovery,
            self._clock,
            self._random,
            outage=plan.outage,
            required=plan.feed_required,
        )
        return _Running(fetcher, discovery, keys, feed)

    def forked(self) -> None:
        """Discard the parent's state. Threads do not survive a fork, so the child would use a view that
        nothing updates."""
        self._lock = threading.Lock()
        self._running = None
        if self._plan.feed:
            self.view.distrust()


def _after_fork(background: Background) -> None:
    reference = weakref.ref(background)

    def forget() -> None:
        alive = reference()
        if alive is not None:
            alive.forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
