"""Load of well-behaved apps: after a 503 an app waits for Retry-After and retries with the same token.

with patient_load(app, bases, stop) as load:        # threads with a chain of refresh tokens each
    ...                                             # break things
    stop.set()
load.nobody_is_signed_out()                         # every chain goes on, and no token ever had two successors
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import httpx2

from tests.flows.apps import App, healed
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import PATIENCE, until

SCOPE = "openid orders:read"


class Patient:
    """The token chains, and observations from their renewal."""

    def __init__(self, app: App, bases: Sequence[str], stop: threading.Event, chains: int) -> None:
        self._app = app
        self._stop = stop
        self.refreshes = 0
        self.refused = 0
        self.longest = 0.0
        """Longest time in seconds from the first 503 to a success."""
        self.wrong: list[str] = []
        self.successors: dict[str, set[str]] = defaultdict(set)
        self.newest = [tokens_by_challenge(app, "ada@example.com", SCOPE).refresh for _ in range(chains)]
        self._bases = bases
        self._threads = [
            threading.Thread(target=self._renew, args=(number,), daemon=True) for number in range(chains)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def goes_on(self, refreshes: int) -> None:
        """Wait for so many more renewals, or for a failure."""
        before = self.refreshes
        until(lambda: self.refreshes >= before + refreshes or self.wrong, lambda: f"{self.refused} refused")

    def is_refused(self) -> None:
        """Wait until one more request got a 503."""
        before = self.refused
        until(lambda: self.refused > before or self.wrong, lambda: f"{self.refreshes} refreshed")

    def join(self) -> None:
        """Wait until each thread has its last response."""
        for thread in self._threads:
            thread.join(PATIENCE + 30)
            assert not thread.is_alive(), "an app still waits"

    def _renew(self, number: int) -> None:
        one = App(self._app.issuer, self._app.client_id, self._app.secret, base=self._bases[0])
        turn = number
        while not self._stop.is_set():
            began = time.monotonic()
            while True:
                turn += 1
                one.base = self._bases[turn % len(self._bases)]
                try:
                    answer = one.refresh(self.newest[number])
                except httpx2.TransportError as problem:
                    self.wrong.append(f"no answer: {problem!r}")
                    return
                if answer.status_code != 503:
                    break
                self.refused += 1
                later = answer.headers.get("retry-after", "")
                if not later.isdigit() or answer.json().get("error") != "temporarily_unavailable":
                    self.wrong.append(f"503 with Retry-After {later!r}: {answer.text}")
                    return
                if time.monotonic() - began > PATIENCE:
                    self.wrong.append("503 for too long")
                    return
                time.sleep(min(int(later), 0.3))
            if answer.status_code != 200:
                self.wrong.append(f"{answer.status_code} {answer.text}")
                return
            self.longest = max(self.longest, time.monotonic() - began)
            self.successors[self.newest[number]].add(answer.json()["refresh_token"])
            self.newest[number] = answer.json()["refresh_token"]
            self.refreshes += 1
        one.close()

    def nobody_is_signed_out(self) -> None:
        """Assert that every chain continues, and that a repeat of the previous token gets the same successor."""
        assert self.refreshes > 0
        for newest in self.newest:
            successor = healed(lambda newest=newest: self._app.refresh(newest)).refresh
            assert healed(lambda newest=newest: self._app.refresh(newest)).refresh == successor
            following = healed(lambda successor=successor: self._app.refresh(successor))
            assert self._app.introspect(following.access)["active"] is True
        assert max((len(found) for found in self.successors.values()), default=0) <= 1


@contextmanager
def patient_load(
    app: App, bases: Sequence[str], stop: threading.Event, *, chains: int = 6
) -> Generator[Patient]:
    """The load runs until `stop` is set; leaving the block waits for its end."""
    load = Patient(app, bases, stop, chains)
    load.start()
    try:
        yield load
    finally:
        stop.set()
        load.join()
