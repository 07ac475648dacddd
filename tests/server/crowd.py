"""Load on a server during a reload or restart: apps over kept and fresh connections, and an API that long-polls.

with Crowd(port, form) as crowd:
    ...                                     # reload, restart, upgrade
assert crowd.failures == []
"""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode

from tests.waiting import PATIENCE, until

# New processes that start during the load need CPU time as well.
_BREATH = 0.05


class Crowd:
    """Threads that send requests in a loop. A broken connection, an invalid response, or a status other than 200 is a failure."""

    def __init__(
        self,
        port: int,
        app: tuple[str, str],
        *,
        kept: int = 4,
        fresh: int = 4,
        resting: int = 1,
        connect: Callable[[], http.client.HTTPConnection] | None = None,
        prefix: str = "",
    ) -> None:
        self.failures: list[str] = []
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        proof = base64.b64encode(":".join(app).encode()).decode()
        self._headers = {
            "authorization": f"Basic {proof}",
            "content-type": "application/x-www-form-urlencoded",
        }
        self._prefix = prefix
        self._connect = connect or (lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))
        self._stop = threading.Event()
        kinds: list[tuple[str, Callable[[str], None], int]] = [
            ("kept", self._kept, kept),
            ("fresh", self._fresh, fresh),
            ("resting", self._resting, resting),
            ("waiting", self._waiting, 1),
        ]
        self._threads = [
            threading.Thread(target=self._guard, args=(name, work), name=f"{name} {number}")
            for name, work, count in kinds
            for number in range(count)
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in self._threads)

    def has_asked(self, times: int, *kinds: str) -> None:
        """Wait until each of these kinds has been answered so often, counted from now."""
        before = Counter(self.answers)
        until(
            lambda: min(self.answers[kind] - before[kind] for kind in kinds) >= times or self.failures,
            lambda: self.answers,
        )

    def _guard(self, name: str, work: Callable[[str], None]) -> None:
        while not self._stop.is_set():
            try:
                work(name)
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append(f"{name}: {problem!r}")

    def _token(self, name: str, connection: http.client.HTTPConnection) -> None:
        began = time.monotonic()
        connection.request("POST", f"{self._prefix}/token", "grant_type=client_credentials", self._headers)
        answer = connection.getresponse()
        text = answer.read()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[name] += 1
        if answer.status != 200:
            self.failures.append(f"{name}: {answer.status} {text[:200]!r}")

    def _kept(self, name: str) -> None:
        # http.client opens a new connection after a response with `Connection: close`
        connection = self._connect()
        try:
            while not self._stop.is_set():
                self._token(name, connection)
                self._stop.wait(_BREATH)
        finally:
            connection.close()

    def _fresh(self, name: str) -> None:
        connection = self._connect()
        try:
            self._token(name, connection)
        finally:
            connection.close()
        self._stop.wait(_BREATH)

    def _resting(self, name: str) -> None:
        """A connection pool that sends now and then, within the second that a stopping server keeps idle connections open."""
        connection = self._connect()
        try:
            while not self._stop.is_set():
                self._token(name, connection)
                self._stop.wait(0.4)
        finally:
            connection.close()

    def _waiting(self, name: str) -> None:
        connection = self._connect()
        try:
            cursor: str | None = None
            while not self._stop.is_set():
                query = urlencode({"after": cursor, "wait": "5"}) if cursor else ""
                connection.request("GET", f"{self._prefix}/revocations?{query}")
                answer = connection.getresponse()
                text = answer.read()
                self.answers[name] += 1
                if answer.status != 200:
                    self.failures.append(f"{name}: {answer.status} {text[:200]!r}")
                    return
                cursor = json.loads(text)["cursor"]
        finally:
            connection.close()
