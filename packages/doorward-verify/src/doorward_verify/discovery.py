"""Discovery of the issuer's metadata, fetched on demand, and helpers that the key and feed drivers share."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final

from doorward_verify.fetch import Fetcher, FetchFailed
from doorward_verify.metadata import (
    MAX_METADATA_BYTES,
    InvalidMetadata,
    Metadata,
    NoMetadata,
    metadata_urls,
    parse_metadata,
)

FETCH_DEADLINE: Final = 10.0
METADATA_FOR: Final = 3600.0

Clock = Callable[[], float]
SecureRandom = Callable[[], float]
"""Returns a number from 0 to 1 for jitter, so that a thousand APIs do not return to a restarted issuer at the
same moment."""


class Discovery:
    """The issuer's metadata, fetched on first use and again after an hour. One fetch at a time.

    `token_endpoint`, `introspection`: that endpoint of the metadata is needed too. With a `jwks_uri`, keys are read from that URL on any host, and the key location in the metadata is ignored.
    """

    def __init__(
        self,
        issuer: str,
        fetcher: Fetcher,
        clock: Clock,
        *,
        jwks_uri: str | None = None,
        token_endpoint: bool = False,
        introspection: bool = False,
    ) -> None:
        self._token_endpoint = token_endpoint
        self._introspection = introspection
        self._issuer = issuer
        self._fetcher = fetcher
        self._clock = clock
        self._jwks_uri = jwks_uri
        self._lock = threading.Lock()
        self._known: tuple[Metadata, float] | None = None

    def get(self) -> Metadata:
        """Return the metadata. Raises `FetchFailed` or `InvalidMetadata`. The last good copy is used while a
        new fetch fails."""
        with self._lock:
            now = self._clock()
            if self._known is not None and 0 <= now - self._known[1] < METADATA_FOR:
                return self._known[0]
            try:
                metadata = self._fetch()
            except FetchFailed:
                if self._known is None:
                    raise
                return self._known[0]
            self._known = (metadata, now)
            return metadata

    def jwks_uri(self) -> str:
        """URL of the keys: the caller's, otherwise the one in the metadata."""
        found = self._jwks_uri or self.get().jwks_uri
        if found is None:
            raise InvalidMetadata("the metadata has no jwks_uri")
        return found

    def _fetch(self) -> Metadata:
        """Fetch from either well-known URL. After an answer for another issuer, or a failed connection, the
        second URL is not tried."""
        missing: list[str] = []
        for url in metadata_urls(self._issuer):
            try:
                document = self._fetcher.fetch(
                    url, accept="application/json", max_bytes=MAX_METADATA_BYTES, deadline=FETCH_DEADLINE
                )
                return parse_metadata(
                    self._issuer,
                    document,
                    keys=self._jwks_uri is None,
                    token_endpoint=self._token_endpoint,
                    introspection=self._introspection,
                )
            except NoMetadata as error:
                missing.append(f"{url}: {error}")
            except FetchFailed as error:
                if error.status is None:
                    raise
                missing.append(f"{url}: {error}")
        raise FetchFailed(f"the issuer has no metadata; {'; '.join(missing)}")


def unstoppable() -> Future[None]:
    # marked as running, so that a request that stops waiting cannot cancel it for the others
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future


def within(future: Future[Any], seconds: float) -> bool:
    """Whether the future is done within these seconds, which are waited for."""
    return bool(wait((future,), timeout=max(seconds, 0)).done)
