"""What runs behind a `ResourceServer`, and when does it begin and end? One fetcher, one driver for keys, one for the feed."""

import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future

from msgspec import Struct

from doorward_verify.discovery import Chance, Clock, Discovery
from doorward_verify.feed_driver import FeedDriver
from doorward_verify.fetch import Fetcher
from doorward_verify.key_driver import KeyDriver
from doorward_verify.keyset import KeySet
from doorward_verify.revocation import RevocationView


class Plan(Struct, frozen=True):
    """What is to be fetched. `keys`: whether keys are (not, where the caller gave them); `feed`: likewise revocations."""

    issuer: str
    keys: bool
    jwks_uri: str | None
    feed: bool
    feed_required: bool
    outage: float


class _Running(Struct, frozen=True):
    fetcher: Fetcher
    keys: KeyDriver | None
    feed: FeedDriver | None


class Background:
    """Starts when first asked, once; ends with `close`; starts anew after that, and in the child after a fork."""

    def __init__(
        self,
        plan: Plan,
        new_fetcher: Callable[[], Fetcher],
        clock: Clock,
        chance: Chance,
        on_keys: Callable[[KeySet, float], None],
    ) -> None:
        self._plan = plan
        self._new_fetcher = new_fetcher
        self._clock = clock
        self._chance = chance
        self._on_keys = on_keys
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self.view = RevocationView()
        if not plan.feed:
            self.view.fresh_until = float("inf")
        _after_fork(self)

    def start(self) -> None:
        """Begin to keep keys and revocations fresh. Safe to call again."""
        self._start()

    def close(self) -> None:
        """End it; fetches that are under way are cut off."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            for driver in (running.keys, running.feed):
                if driver is not None:
                    driver.stop()
            running.fetcher.close()

    def ask_for_keys(self, *, unknown_kid: bool = False) -> Future[None] | None:
        """What to wait for, for keys that are not there; None where waiting would not help."""
        keys = self._start().keys
        return None if keys is None else keys.ask(unknown_kid=unknown_kid)

    def ask_for_feed(self) -> Future[None] | None:
        """What to wait for, for a view that was never fed; None where waiting would not help."""
        feed = self._start().feed
        return None if feed is None or feed.first_answer.done() else feed.first_answer

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
        discovery = Discovery(plan.issuer, fetcher, self._clock, jwks_uri=plan.jwks_uri)
        keys = KeyDriver(plan.issuer, fetcher, discovery, self._clock, self._on_keys) if plan.keys else None
        if not plan.feed:
            return _Running(fetcher, keys, None)
        feed = FeedDriver(
            self.view,
            fetcher,
            discovery,
            self._clock,
            self._chance,
            outage=plan.outage,
            required=plan.feed_required,
        )
        return _Running(fetcher, keys, feed)

    def forked(self) -> None:
        """Threads do not survive a fork: without this a child would rely on a view that nobody feeds."""
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
