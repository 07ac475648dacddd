"""Load of apps during a move: they refresh in a loop, and retry after a 503."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

from tests.flows.apps import App
from tests.flows.processes import Fleet
from tests.waiting import PATIENCE


class Refreshing:
    """One app's refreshes, each with the newest token that it got."""

    def __init__(self, fleet: Fleet, tokens: dict[int, str]) -> None:
        self.tokens = tokens
        self.done = 0
        self.told_to_wait = 0
        self.wrong: list[str] = []
        self._stop = threading.Event()
        own = fleet.house.own
        self._apps = [App(fleet.issuer, own.client_id, own.secret) for _ in range(3)]
        numbers = sorted(tokens)
        self._threads = [
            threading.Thread(target=self._run, args=(app, numbers[place :: len(self._apps)]), daemon=True)
            for place, app in enumerate(self._apps)
        ]

    def _run(self, app: App, numbers: list[int]) -> None:
        while not self._stop.is_set():
            for number in numbers:
                answer = app.refresh(self.tokens[number])
                if answer.status_code == 200:
                    self.tokens[number] = answer.json()["refresh_token"]
                    self.done += 1
                elif answer.status_code == 503 and "retry-after" in answer.headers:
                    self.told_to_wait += 1
                    time.sleep(0.05)
                else:
                    self.wrong.append(f"{answer.status_code} {answer.text[:200]}")

    def start(self) -> None:
        """Start."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, when every request was answered."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        for app in self._apps:
            app.close()


@contextmanager
def refreshing(fleet: Fleet, tokens: dict[int, str]) -> Generator[Refreshing]:
    """`tokens` are kept up to date. Only successful responses and 503 with Retry-After may come."""
    load = Refreshing(fleet, tokens)
    load.start()
    try:
        yield load
    finally:
        load.stop()
    assert load.wrong == []
