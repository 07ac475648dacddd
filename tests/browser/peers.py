"""What the browser tests of external providers need of each of them, and a stand-in that answers as a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2
from playwright.sync_api import Error, Page

from tests.stand_ins.plain import PlainStandIn
from tests.stand_ins.serving import served_beside
from tests.waiting import PATIENCE

SECRET = "a secret of forty-three characters, or more."
CLIENT_ID = "doorward"
PEOPLE = (
    "first",
    "linked",
    "hijacked",
    "down",
    "rotated",
    "replayed",
    "mixed",
    "back",
    "tabs",
    "cancels",
    "ended",
)
"""Who has an account at every provider: one for each scenario."""


class Known(Protocol):
    """What a server has to be told of a provider."""

    @property
    def issuer(self) -> str:
        """Its issuer, an origin."""
        ...

    @property
    def client_id(self) -> str:
        """The server's id there."""
        ...

    @property
    def secret(self) -> str:
        """The server's secret there."""
        ...

    def allow(self, redirect_uri: str, logout_uri: str) -> None:
        """Before the first start: register the server as its client."""
        ...


class Peer(Known, Protocol):
    """A provider whose accounts have confirmed addresses at example.net. `states_cancel`: its answer to Cancel has the state, as RFC 6749
    §4.1.2.1 demands."""

    tells_of_log_outs: bool
    states_cancel: bool

    def start(self) -> None:
        """Start it, at the same address as before."""
        ...

    def stop(self) -> None:
        """Stop it: nothing answers at its address."""
        ...

    def rotate(self) -> None:
        """Sign with a key from now on that nobody has seen before."""
        ...

    def approve(self, page: Page, who: str) -> None:
        """On its pages: sign in as `who` and agree, as far as it asks for either."""
        ...

    def cancel(self, page: Page, who: str) -> None:
        """On its pages: say no."""
        ...

    def asks_to_sign_in(self, page: Page) -> None:
        """Expect its sign-in page."""
        ...

    def sign_out(self, page: Page) -> None:
        """Sign out on its own pages."""
        ...


def through(page: Page, issuer: str, steps: Mapping[str, Callable[[], None]]) -> None:
    """The pages at this issuer, until the browser leaves it: on one that has the selector, do its step."""
    last = time.monotonic() + PATIENCE
    while page.url.startswith(f"{issuer}/"):
        assert time.monotonic() < last, f"{page.url}: {page.locator('body').inner_text()}"
        try:
            found = [step for selector, step in steps.items() if page.locator(selector).count()]
        except Error:
            # the page was left meanwhile
            continue
        if found:
            with page.expect_navigation():
                found[0]()
        else:
            page.wait_for_timeout(20)


@dataclass
class StandInPeer:
    """The stand-in, which runs already."""

    there: PlainStandIn
    client_id: str = CLIENT_ID
    secret: str = SECRET

    @property
    def issuer(self) -> str:
        return self.there.issuer

    def allow(self, redirect_uri: str, logout_uri: str) -> None:
        del logout_uri
        self.there.redirect_uris = (redirect_uri,)


class Now:
    """The time of the server and of the browser."""

    @property
    def time(self) -> int:
        return int(time.time())


@contextmanager
def plain_stand_in(redirect_uri: str = "") -> Iterator[PlainStandIn]:
    """The stand-in, at `localhost`."""
    there = PlainStandIn(clock=Now(), client_id=CLIENT_ID, secret=SECRET, redirect_uris=(redirect_uri,))
    with served_beside(there):
        yield there


def address(who: str) -> str:
    """The mail address that every provider confirms for this person."""
    return f"{who}@example.net"


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def aside(work: Callable[[], Any]) -> Any:
    """Run it in another thread: the browser's driver has an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
