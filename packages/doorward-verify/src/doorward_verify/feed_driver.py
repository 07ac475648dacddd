"""Daemon thread that updates the revocation view by long polling. The module `revocation` interprets the entries."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlencode

from doorward_verify.auth_error import AuthError
from doorward_verify.discovery import (
    FETCH_DEADLINE,
    METADATA_FOR,
    Clock,
    Discovery,
    SecureRandom,
    unstoppable,
)
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.keyset import KeySet
from doorward_verify.lost_feed import LostFeed
from doorward_verify.metadata import InvalidMetadata
from doorward_verify.revocation import MAX_FEED_BYTES, Feed, InvalidFeed, Merge, RevocationView, parse_feed
from doorward_verify.revoked_table import RevokedTable
from doorward_verify.snapshot import MAX_SNAPSHOT_BYTES, Snapshot, beginning, read_snapshot

log = logging.getLogger("doorward_verify")

VERSION: Final = "2"
LONGEST_WAIT: Final = 20
# The shortest time between two polls: a feed with constant news must not be polled by every API without a pause.
POLL_PAUSE: Final = 0.1
# Between the 256 parts of a merge: requests that are being verified go first.
MERGE_PAUSE: Final = 0.002
# For so long a view that begins again is read in pages: no file is loaded twice for nothing.
NO_SNAPSHOTS_FOR: Final = 60
SNAPSHOT_DEADLINE: Final = 60.0
# As short as the pause after an answer: most failures are a node that stopped, and the next connection goes to another one.
FIRST_BACK_OFF: Final = POLL_PAUSE
# In the first minute of a failure, so that a feed that was lost for some seconds is heard again within one.
SHORT_BACK_OFF: Final = 0.8
SHORT_FOR: Final = 60
LAST_BACK_OFF: Final = 15.0


class FeedDriver:
    """Follows the revocation feed by long polling, so that a revocation arrives at once.

    `keys` gives the issuer's keys for the signatures of snapshots; with `unknown` True it fetches them anew.
    """

    def __init__(
        self,
        view: RevocationView,
        fetcher: Fetcher,
        discovery: Discovery,
        clock: Clock,
        random: SecureRandom,
        *,
        outage: float,
        required: bool,
        audience: str,
        lost_feed: LostFeed,
        keys: Callable[..., KeySet | None],
    ) -> None:
        self._view = view
        self._fetcher = fetcher
        self._discovery = discovery
        self._clock = clock
        self._random = random
        self._outage = outage
        self._required = required
        self._audience = audience
        self._lost_feed = lost_feed
        self._keys = keys
        self._no_snapshots_until = float("-inf")
        # An answer must arrive while the view is still fresh, or a feed without news would look like a failed one.
        self._wait = int(min(LONGEST_WAIT, outage / 3))
        self._answered = unstoppable()
        self._stop = threading.Event()
        self._merging: tuple[Merge, Future[RevokedTable]] | None = None

    @property
    def first_answer(self) -> Future[None]:
        """Return a future that is done after the first attempt, successful or not. The caller decides whether
        to wait longer."""
        return self._answered

    def start(self) -> None:
        """Start following the feed."""
        threading.Thread(target=self._run, name="doorward-revocations", daemon=True).start()

    def stop(self) -> None:
        """Request the end of the thread; the fetcher's `close` ends the poll in progress."""
        self._stop.set()

    def _run(self) -> None:
        failures, failing_since = 0, 0.0
        while not self._stop.is_set():
            if self._poll():
                failures = 0
                pause = POLL_PAUSE
            else:
                failing_since = failing_since if failures else time.monotonic()
                failed_for = time.monotonic() - failing_since
                pause = back_off(failures, failed_for) * (0.5 + 0.5 * self._random())
                failures = min(failures + 1, 10)
            if not self._answered.done():
                self._answered.set_result(None)
            self._stop.wait(pause)

    def _poll(self) -> bool:
        try:
            endpoint = self._discovery.get().revocation_feed
            if endpoint is None:
                return self._without_feed()
            # pages follow without a pause: only the last one makes the view equal to the issuer's
            while self._read(endpoint):
                pass
            self._merge()
        except (FetchFailed, InvalidFeed, InvalidMetadata) as error:
            if not self._stop.is_set():
                self._lost(str(error))
                log.warning("feed.unreadable: the revocation feed could not be read: %s", error)
                # request the whole view next, in case the cursor causes the error
                if isinstance(error, FetchFailed) and error.status is not None and 400 <= error.status < 500:
                    self._view.cursor = None
            return False
        except Exception:  # an exception that ends this thread would freeze the view for ever
            log.exception("feed.unreadable: the revocation feed could not be read")
            self._lost("an error in this program, which is in its log")
            return False
        return not self._stop.is_set()

    def _read(self, endpoint: str) -> bool:
        """Apply one answer to the view. Returns whether the next page follows at once."""
        view = self._view
        document = self._fetcher.fetch(
            self._poll_url(endpoint),
            accept="application/json",
            max_bytes=MAX_FEED_BYTES,
            deadline=self._wait + FETCH_DEADLINE / 2 if view.cursor is not None else FETCH_DEADLINE,
        )
        feed = parse_feed(document)
        if self._stop.is_set():  # a newer thread updates the view now
            return False
        for kind in feed.unknown_kinds:
            log.warning(
                "feed.unknown_kind: the feed has entries of a kind that this version does not know: %s", kind
            )
        now = self._clock()
        if feed.snapshots:
            self._begin(feed, now)
            return True
        view.apply(feed, now)
        if not feed.more:
            view.answered_at, view.error, view.trusted_until = now, None, now + self._outage
            view.fresh_until = float("inf") if self._lost_feed == "fail_open" else view.trusted_until
        return feed.more

    def _lost(self, error: str) -> None:
        self._view.error = error
        if self._lost_feed == "fail_open":
            self._view.fresh_until = float("inf")
        elif self._lost_feed == "introspect":
            self._view.fresh_until = float("-inf")

    def _begin(self, feed: Feed, now: float) -> None:
        """Begin the view with the snapshots that the feed names. When one of them cannot be used, the view is read in pages."""
        try:
            if now < self._no_snapshots_until:
                raise InvalidFeed("the feed begins with snapshots again and again")
            found = [self._snapshot(address, feed.salt or "", now) for address in feed.snapshots]
            start = beginning(feed, found)
        except (FetchFailed, InvalidFeed, AuthError) as error:
            if self._stop.is_set():
                raise FetchFailed("closed") from None
            log.warning("feed.snapshot_unusable: a snapshot of the feed cannot be used: %s", error)
            self._view.cursor = None
        else:
            kinds = {kind for one in found for kind in one.kinds}
            self._view.apply(start, now, tuple(one.table for one in found if len(one.table)), kinds)
        self._no_snapshots_until = self._clock() + NO_SNAPSHOTS_FOR

    def _snapshot(self, address: str, salt: str, now: float) -> Snapshot:
        keys = self._keys()
        if keys is None:
            raise InvalidFeed("there are no keys to check its signature")
        file = self._fetcher.fetch_big(
            address,
            accept="application/octet-stream",
            max_bytes=MAX_SNAPSHOT_BYTES,
            deadline=SNAPSHOT_DEADLINE,
        )
        part = address.rpartition(".")[2]
        try:
            return read_snapshot(file, keys, part=part, salt=salt, now=now)
        except AuthError as error:
            newer = self._keys(unknown=True) if error.reason == "unknown_key" else None
            if newer is None:
                raise
            return read_snapshot(file, newer, part=part, salt=salt, now=now)

    def _poll_url(self, endpoint: str) -> str:
        # an issuer that does not know a parameter answers in an older form, which is also understood
        asked = {"v": VERSION, "audience": self._audience}
        if self._clock() >= self._no_snapshots_until:
            asked["snapshots"] = "1"
        if self._view.cursor is not None:
            asked["after"] = self._view.cursor
            # a view that is not complete must not wait for news
            if not self._view.incomplete:
                asked["wait"] = str(self._wait)
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def _merge(self) -> None:
        """Take the table of a merge that is done, and start one that is due, in a thread of its own: the next poll must not wait for it."""
        if self._merging is not None:
            merge, done = self._merging
            if not done.done():
                return
            self._merging = None
            self._view.take(merge, done.result())
        merge = self._view.merge(self._clock())
        if merge is None:
            return
        self._merging = merge, Future()
        threading.Thread(target=_merge, args=self._merging, name="doorward-merge", daemon=True).start()

    def _without_feed(self) -> bool:
        if self._required:
            self._lost("the issuer has no revocation feed, which this API requires")
            log.warning("feed.missing: the issuer has no revocation feed, which this API requires")
            return False
        # there is no feed: check again when the metadata is read again
        self._view.fresh_until, self._view.error = float("inf"), None
        if not self._answered.done():
            self._answered.set_result(None)
        self._stop.wait(METADATA_FOR)
        return True


def back_off(failures: int, failed_for: float) -> float:
    """The longest pause (seconds) after so many failures before this one, the first of them `failed_for` seconds ago."""
    return min(FIRST_BACK_OFF * 2**failures, SHORT_BACK_OFF if failed_for < SHORT_FOR else LAST_BACK_OFF)


def _merge(merge: Merge, done: "Future[RevokedTable]") -> None:
    try:
        done.set_result(merge.table(lambda: time.sleep(MERGE_PAUSE)))
    except Exception as error:  # noqa: BLE001 - the driver's thread logs it
        done.set_exception(error)
