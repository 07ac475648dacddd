"""Background work of a `ResourceServer`: one fetcher, one driver for keys, one driver for the feed, and their
life cycle."""

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Final

from msgspec import Struct

from doorward_verify.api_keys import ExchangeAnswer
from doorward_verify.discovery import FETCH_DEADLINE, Clock, Discovery, SecureRandom
from doorward_verify.feed_driver import FeedDriver
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.key_driver import KeyDriver
from doorward_verify.keyset import KeySet
from doorward_verify.lost_feed import LostFeed, RevocationStatus
from doorward_verify.metadata import InvalidMetadata
from doorward_verify.revocation import RevocationView

MAX_ANSWER_BYTES: Final = 16 * 1024


class Plan(Struct, frozen=True):
    """What is fetched: `keys` (False when the caller supplied them) and `feed`, the revocations; `token_endpoint`: API keys are
    exchanged there. `own_keys` are those that the caller supplied."""

    issuer: str
    audience: str
    keys: bool
    jwks_uri: str | None
    feed: bool
    feed_required: bool
    outage: float
    token_endpoint: bool = False
    own_keys: KeySet | None = None
    lost_feed: LostFeed = "fail_closed"


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
        return ExchangeAnswer(*self._post("token_endpoint", form))

    def introspect(self, form: dict[str, str]) -> tuple[int, bytes]:
        """Send a form to the issuer's introspection endpoint. Raises `ConnectionError` when there is no answer."""
        return self._post("introspection_endpoint", form)

    def status(self) -> RevocationStatus:
        """How fresh the view of revocations is."""
        plan, view, now = self._plan, self.view, self._clock()
        unknown = view.answered_at is None and view.fresh_until != float("inf")
        return RevocationStatus(
            follows=plan.feed,
            lost=plan.feed
            and (unknown or view.error is not None or now >= view.trusted_until > float("-inf")),
            age=None if view.answered_at is None else max(now - view.answered_at, 0.0),
            entries=len(view),
            bytes=view.size,
            policy=plan.lost_feed,
            last_error=view.error,
        )

    def _post(self, endpoint: str, form: dict[str, str]) -> tuple[int, bytes]:
        running = self._start()
        try:
            url: str | None = getattr(running.discovery.get(), endpoint)
            if url is None:
                raise ConnectionError(f"the metadata has no {endpoint}")
            return running.fetcher.post(url, form, max_bytes=MAX_ANSWER_BYTES)
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
            plan.issuer,
            fetcher,
            self._clock,
            jwks_uri=plan.jwks_uri,
            token_endpoint=plan.token_endpoint,
            introspection=plan.lost_feed == "introspect",
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
            audience=plan.audience,
            lost_feed=plan.lost_feed,
            keys=partial(_issuer_keys, plan.own_keys, keys),
        )
        return _Running(fetcher, discovery, keys, feed)

    def forked(self) -> None:
        """Discard the parent's state. Threads do not survive a fork, so the child would use a view that
        nothing updates."""
        self._lock = threading.Lock()
        self._running = None
        if self._plan.feed:
            self.view.distrust()


def _issuer_keys(own: KeySet | None, driver: KeyDriver | None, *, unknown: bool = False) -> KeySet | None:
    """The issuer's keys, waited for if they are being fetched; None if there are none. `unknown`: there must be newer ones."""
    if driver is None:
        return own
    fetching = driver.ask(unknown_kid=unknown) if unknown or driver.cache.keys is None else None
    if fetching is not None:
        wait((fetching,), timeout=2 * FETCH_DEADLINE)
    return driver.cache.keys


def _after_fork(background: Background) -> None:
    reference = weakref.ref(background)

    def forget() -> None:
        alive = reference()
        if alive is not None:
            alive.forked()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=forget)
