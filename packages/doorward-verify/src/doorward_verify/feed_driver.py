"""Daemon thread that updates the revocation view by long polling. The module `revocation` interprets the entries."""

import logging
import threading
import time
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlencode

from doorward_verify.discovery import (
    FETCH_DEADLINE,
    METADATA_FOR,
    Clock,
    Discovery,
    SecureRandom,
    unstoppable,
)
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.metadata import InvalidMetadata
from doorward_verify.revocation import MAX_FEED_BYTES, InvalidFeed, Merge, RevocationView, parse_feed
from doorward_verify.revoked_table import RevokedTable

log = logging.getLogger("doorward_verify")

VERSION: Final = "2"
LONGEST_WAIT: Final = 20
# The shortest time between two polls: a feed with constant news must not be polled by every API without a pause.
POLL_PAUSE: Final = 0.1
# Between the 256 parts of a merge: requests that are being verified go first.
MERGE_PAUSE: Final = 0.002
FIRST_BACK_OFF: Final = 0.25
LAST_BACK_OFF: Final = 15.0


class FeedDriver:
    """Follows the revocation feed by long polling, so that a revocation arrives at once."""

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
    ) -> None:
        self._view = view
        self._fetcher = fetcher
        self._discovery = discovery
        self._clock = clock
        self._random = random
        self._outage = outage
        self._required = required
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
        failures = 0
        while not self._stop.is_set():
            if self._poll():
                failures = 0
                pause = POLL_PAUSE
            else:
                pause = min(FIRST_BACK_OFF * 2**failures, LAST_BACK_OFF) * (0.5 + 0.5 * self._random())
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
                log.warning("feed.unreadable: the revocation feed could not be read: %s", error)
                # request the whole view next, in case the cursor causes the error
                if isinstance(error, FetchFailed) and error.status is not None and 400 <= error.status < 500:
                    self._view.cursor = None
            return False
        except Exception:  # an exception that ends this thread would freeze the view for ever
            log.exception("feed.unreadable: the revocation feed could not be read")
            return False
        return not self._stop.is_set()

    def _read(self, endpoint: str) -> bool:
        """Apply one answer to the view. Returns whether the next page follows at once."""
        view = self._view
        document = self._fetcher.fetch(
            _poll_url(endpoint, view.cursor, self._wait),
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
        view.apply(feed, now)
        if not feed.more:
            view.fresh_until = now + self._outage
        return feed.more

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
            log.warning("feed.missing: the issuer has no revocation feed, which this API requires")
            return False
        # there is no feed: check again when the metadata is read again
        self._view.fresh_until = float("inf")
        if not self._answered.done():
            self._answered.set_result(None)
        self._stop.wait(METADATA_FOR)
        return True


def _merge(merge: Merge, done: "Future[RevokedTable]") -> None:
    try:
        done.set_result(merge.table(lambda: time.sleep(MERGE_PAUSE)))
    except Exception as error:  # noqa: BLE001 - the driver's thread logs it
        done.set_exception(error)


def _poll_url(endpoint: str, cursor: str | None, wait: int) -> str:
    # an issuer that does not know the parameter answers in its old form, which is also understood
    asked = {"v": VERSION} | ({} if cursor is None else {"after": cursor, "wait": str(wait)})
    mark = "&" if "?" in endpoint else "?"
    return f"{endpoint}{mark}{urlencode(asked)}"
