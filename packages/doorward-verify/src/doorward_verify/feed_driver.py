"""The daemon thread that feeds the revocation view: it long-polls the issuer's feed. What an entry means stands in `revocation`."""

import logging
import threading
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlencode

from doorward_verify.discovery import FETCH_DEADLINE, METADATA_FOR, Chance, Clock, Discovery, unstoppable
from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.metadata import InvalidMetadata
from doorward_verify.revocation import MAX_FEED_BYTES, InvalidFeed, RevocationView, parse_feed

log = logging.getLogger("doorward_verify")

VERSION: Final = "2"
LONGEST_WAIT: Final = 20
# The least time between two polls: a feed that always has news must not be asked by every API without a break.
POLL_PAUSE: Final = 0.1
FIRST_BACK_OFF: Final = 0.25
LAST_BACK_OFF: Final = 15.0


class FeedDriver:
    """Follows the revocation feed by long polling, so that a revocation is here as soon as it is there."""

    def __init__(
        self,
        view: RevocationView,
        fetcher: Fetcher,
        discovery: Discovery,
        clock: Clock,
        chance: Chance,
        *,
        outage: float,
        required: bool,
    ) -> None:
        self._view = view
        self._fetcher = fetcher
        self._discovery = discovery
        self._clock = clock
        self._chance = chance
        self._outage = outage
        self._required = required
        # An answer must come in while the view is still fresh, or a quiet feed would look like a dead one.
        self._wait = int(min(LONGEST_WAIT, outage / 3))
        self._answered = unstoppable()
        self._stop = threading.Event()

    @property
    def first_answer(self) -> Future[None]:
        """Done after the first attempt, good or bad: waiting longer than that is for the caller to decide."""
        return self._answered

    def start(self) -> None:
        """Begin to follow the feed."""
        threading.Thread(target=self._run, name="doorward-revocations", daemon=True).start()

    def stop(self) -> None:
        """End soon; the fetcher's `close` ends the poll under way."""
        self._stop.set()

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            if self._poll():
                failures = 0
                pause = POLL_PAUSE
            else:
                pause = min(FIRST_BACK_OFF * 2**failures, LAST_BACK_OFF) * (0.5 + 0.5 * self._chance())
                failures = min(failures + 1, 10)
            if not self._answered.done():
                self._answered.set_result(None)
            self._stop.wait(pause)

    def _poll(self) -> bool:
        try:
            endpoint = self._discovery.get().revocation_feed
            if endpoint is None:
                return self._without_feed()
            # page after page without a pause: only with the last one is the view what the issuer has
            while self._read(endpoint):
                pass
        except (FetchFailed, InvalidFeed, InvalidMetadata) as error:
            if not self._stop.is_set():
                log.warning("the revocation feed could not be read: %s", error)
                # the next answer is to be the whole view: a cursor must not be what keeps us from one
                if isinstance(error, FetchFailed) and error.status is not None and 400 <= error.status < 500:
                    self._view.cursor = None
            return False
        except Exception:  # a thread that ends here would freeze the view for good
            log.exception("the revocation feed could not be read")
            return False
        return not self._stop.is_set()

    def _read(self, endpoint: str) -> bool:
        """One answer into the view; whether the next page follows at once."""
        view = self._view
        document = self._fetcher.fetch(
            _poll_url(endpoint, view.cursor, self._wait),
            accept="application/json",
            max_bytes=MAX_FEED_BYTES,
            deadline=self._wait + FETCH_DEADLINE / 2 if view.cursor is not None else FETCH_DEADLINE,
        )
        feed = parse_feed(document)
        if self._stop.is_set():  # whoever started anew feeds the view now
            return False
        for kind in feed.unknown_kinds:
            log.warning("the revocation feed has entries of a kind that this version does not know: %s", kind)
        now = self._clock()
        view.apply(feed, now)
        if not feed.more:
            view.fresh_until = now + self._outage
        return feed.more

    def _without_feed(self) -> bool:
        if self._required:
            log.warning("the issuer has no revocation feed, which this API requires")
            return False
        # nothing to follow: look again when the metadata is read anew
        self._view.fresh_until = float("inf")
        if not self._answered.done():
            self._answered.set_result(None)
        self._stop.wait(METADATA_FOR)
        return True


def _poll_url(endpoint: str, cursor: str | None, wait: int) -> str:
    # an issuer that does not know the parameter answers as it always did, which is understood as well
    asked = {"v": VERSION} | ({} if cursor is None else {"after": cursor, "wait": str(wait)})
    mark = "&" if "?" in endpoint else "?"
    return f"{endpoint}{mark}{urlencode(asked)}"
