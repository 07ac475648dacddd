"""Tokens that a client holds when its server dies: families of refresh tokens, each with its newest token and all spent ones."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx2

from tests.flows.apps import App, healed
from tests.flows.seeds import PASSWORD
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import PATIENCE, until

SCOPE = "openid orders:read"
PEOPLE = ("ada@example.com", "bob@example.com")


@dataclass
class Family:
    """One sign-in of one client. `spent` are tokens whose successor the client has received, oldest first, with the time."""

    newest: str
    spent: list[tuple[str, float]] = field(default_factory=list)
    lost: int = 0
    """Requests that reached the server and were not answered: it was killed in between."""


class Load:
    """Threads that refresh and threads that sign in until they are stopped; they wait while the server is down."""

    def __init__(self, app: App, bases: Sequence[str], *, refreshers: int, signers: int) -> None:
        self._app = app
        self._bases = bases
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.families: list[Family] = []
        self.refreshes = 0
        self.sign_ins = 0
        self.wrong: list[str] = []
        self._threads = [
            threading.Thread(target=self._refresh, args=(number, refreshers), daemon=True)
            for number in range(refreshers)
        ] + [threading.Thread(target=self._sign_in, args=(number,), daemon=True) for number in range(signers)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def goes_on(self, *, refreshes: int, sign_ins: int = 0) -> None:
        """Wait for so many more requests, or for a failure."""
        refreshed, signed_in = self.refreshes + refreshes, self.sign_ins + sign_ins
        until(
            lambda: (self.refreshes >= refreshed and self.sign_ins >= signed_in) or self.wrong,
            lambda: f"{self.refreshes} refreshes, {self.sign_ins} sign-ins",
        )

    def stop(self) -> None:
        """Stop, once every request in progress has been answered or lost."""
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE + 10)
            assert not thread.is_alive()

    def _own(self, number: int) -> App:
        """The app with its own connections, to one of the processes."""
        app = self._app
        base = self._bases[number % len(self._bases)]
        return App(app.issuer, app.client_id, app.secret, app.redirect_uri, base=base)

    def _sign_in(self, number: int) -> None:
        app = self._own(number)
        while not self._stop.is_set():
            try:
                tokens = tokens_by_challenge(app, PEOPLE[number % 2], SCOPE, password=PASSWORD)
            except httpx2.TransportError:
                time.sleep(0.02)
                continue
            except AssertionError as said:
                self.wrong.append(f"sign-in: {said}")
                return
            with self._lock:
                self.families.append(Family(tokens.refresh))
                self.sign_ins += 1
        app.close()

    def _refresh(self, number: int, of: int) -> None:
        app = self._own(number)
        rng = random.Random(number)
        while not self._stop.is_set():
            with self._lock:
                # each family belongs to one client: no other thread refreshes it
                mine = self.families[number::of]
            if not mine:
                time.sleep(0.01)
                continue
            # some families are active, others idle: both kinds must survive the server's death
            family = rng.choice(mine[-6:])
            try:
                answer = app.refresh(family.newest)
            except httpx2.ConnectError:
                time.sleep(0.02)
                continue
            except httpx2.TransportError:
                family.lost += 1
                continue
            if answer.status_code == 503:
                # after a delay of a second the server refuses: the client retries, as any client must
                time.sleep(0.05)
                continue
            if answer.status_code != 200:
                self.wrong.append(f"refresh: {answer.status_code} {answer.text}")
                return
            family.spent.append((family.newest, time.monotonic()))
            family.newest = answer.json()["refresh_token"]
            self.refreshes += 1
        app.close()


def every_newest_refreshes(app: App, families: list[Family]) -> None:
    """Assert that every token that a client holds as its newest still refreshes; the client continues with the new one."""
    for family in families:
        tokens = healed(lambda family=family: app.refresh(family.newest))
        family.spent.append((family.newest, time.monotonic()))
        family.newest = tokens.refresh


def no_spent_one_refreshes(app: App, families: list[Family], leeway: float) -> int:
    """Present an old token of each of these families after the leeway; assert that it is refused and its family revoked. Returns
    how many were tested."""
    tried = 0
    for family in families:
        # a token's leeway begins when its successor is spent; the newest spent one may be repeated without limit
        old = family.spent[:-1]
        if not old:
            continue
        token, _ = old[len(old) // 2]
        used = family.spent[len(old) // 2 + 1][1]
        time.sleep(max(0.0, used + leeway + 1.1 - time.monotonic()))
        answer = app.refresh(token)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), answer.text
        after = app.refresh(family.newest)
        assert (after.status_code, after.json()["error"]) == (400, "invalid_grant"), after.text
        tried += 1
    return tried
