"""What an API does while the revocation feed is lost, and introspection of tokens in that time (RFC 7662)."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from hashlib import sha256
from typing import Final, Literal

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from doorward_verify.discovery import within

LostFeed = Literal["fail_closed", "fail_open", "introspect"]
LOST_FEED: Final = ("fail_closed", "fail_open", "introspect")
ANSWER_FOR: Final = 5.0
"""Seconds for which an answer is used again."""
MOST_ANSWERS: Final = 10_000
MOST_AT_ONCE: Final = 16
"""Questions in progress; further tokens are treated as if the issuer did not answer."""


class Introspection(Struct, frozen=True, kw_only=True):
    """The app as which an API introspects (`doorward api introspect-as`)."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Introspection(client_id={self.client_id!r}, ***)"


class RevocationStatus(Struct, frozen=True, kw_only=True):
    """How fresh an API's knowledge of revocations is, for its health page or its metrics.

    `follows`: whether it follows a feed. `lost`: whether the last attempt failed, or there was none; then `policy` counts. `age`: seconds
    since the view equalled the issuer's (None: never). `entries` are the live revocations, `bytes` the memory that they take.
    `last_error`: why the last attempt failed, None after a good one.
    """

    follows: bool
    lost: bool
    age: float | None
    entries: int
    bytes: int
    policy: LostFeed
    last_error: str | None


class _Body(Struct):
    active: bool


Post = Callable[[dict[str, str]], tuple[int, bytes]]
"""Sends a form to the introspection endpoint. Raises `ConnectionError` when there is no answer."""
Asked = bool | Future[bool | None] | None
"""An answer, or one that is awaited: whether a token is active, None if the issuer does not say."""
_decode = Decoder(_Body).decode


class Introspector:
    """Asks whether tokens are active, each once at a time, and uses an answer for `ANSWER_FOR` seconds. Holds hashes of tokens."""

    def __init__(self, settings: Introspection, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._answers: dict[bytes, tuple[float, bool]] = {}
        self._running: dict[bytes, Future[bool | None]] = {}

    def ask(self, token: str, post: Post) -> Asked:
        """Whether the token is active, or a future of that. None: the issuer does not say."""
        if self._pid != os.getpid():
            self._begin()  # threads do not survive a fork
        place, now = sha256(token.encode("utf-8", "surrogatepass")).digest(), self._clock()
        with self._lock:
            until, active = self._answers.get(place, (0.0, False))
            if now < until <= now + ANSWER_FOR:
                return active
            running = self._running.get(place)
            if running is not None:
                return running
            if len(self._running) >= MOST_AT_ONCE:
                return None
            running = self._running[place] = Future[bool | None]()
            running.set_running_or_notify_cancel()
        threading.Thread(
            target=self._ask, args=(token, place, post, running), name="doorward-introspection", daemon=True
        ).start()
        return running

    def _ask(self, token: str, place: bytes, post: Post, running: "Future[bool | None]") -> None:
        settings, began = self._settings, self._clock()
        form = {
            "token": token,
            "token_type_hint": "access_token",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        active: bool | None = None
        try:
            status, body = post(form)
            active = _decode(body).active if status == 200 else None
        except (ConnectionError, DecodeError, ValueError):
            pass
        with self._lock:
            self._running.pop(place, None)
            if active is not None:
                self._answers.pop(place, None)
                if len(self._answers) >= MOST_ANSWERS:
                    del self._answers[next(iter(self._answers))]
                self._answers[place] = began + ANSWER_FOR, active
        running.set_result(active)


def answered(asked: Asked, seconds: float) -> bool | None:
    """The answer if it is there within these seconds, else None."""
    if isinstance(asked, Future):
        return asked.result() if within(asked, seconds) else None
    return asked


async def answered_async(asked: Asked, seconds: float) -> bool | None:
    """`answered` for event loops."""
    if isinstance(asked, Future):
        done, _ = await asyncio.wait({asyncio.wrap_future(asked)}, timeout=max(seconds, 0))
        return asked.result() if done else None
    return asked
