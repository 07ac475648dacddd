"""Visitors of a server that knows an external provider, in a real browser, with an attacker's provider beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, expect

from doorward.adapters.os_user import os_actor
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.browser.foreign import ForeignApp
from tests.browser.peers import Known, Peer, aside, plain_stand_in
from tests.browser.watched import Checked, audit
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD
from tests.flows.settings import listening
from tests.stand_ins.plain import PlainStandIn

BUTTON = "#provider-example-submit"
CALLBACK = "/sign-in/provider/example/callback"
SOON = 60_000
"""Milliseconds after which a browser does not wait any longer: the providers are three more servers on a busy machine."""


@dataclass
class Visitor:
    """A browser of its own."""

    place: Place
    context: BrowserContext
    page: Page
    came_back_by: list[str] = field(default_factory=list[str])
    """The addresses by which it came back from the provider."""
    broken: list[str] = field(default_factory=list[str])

    def open(self, path: str, heading: str) -> None:
        """Open a page of the server."""
        self.page.goto(self.place.here.issuer + path)
        self.arrive(heading)

    def arrive(self, heading: str, page: Page | None = None) -> None:
        """Wait for a page of the server with that heading, in which axe finds nothing."""
        page = page or self.page
        expect(page).to_have_url(re.compile(f"^{re.escape(self.place.here.issuer)}/"), timeout=SOON)
        expect(page.locator("h1")).to_have_text(heading, timeout=SOON)
        page.wait_for_load_state("load")
        self.broken += audit(page, None, self.place.checked)

    def leave(self) -> None:
        """From the sign-in page to the provider's."""
        self.open("/sign-in", "Sign in")
        self.press(BUTTON)

    def press(self, button: str, page: Page | None = None) -> None:
        """Press a button that leads to the provider."""
        page = page or self.page
        page.click(button)
        expect(page).to_have_url(re.compile(f"^{re.escape(self.place.there.issuer)}/"), timeout=SOON)

    def sign_in(self, there: Peer, who: str) -> None:
        """There and back."""
        self.leave()
        there.approve(self.page, who)
        self.arrive("Profile")

    def by_password(self, email: str) -> None:
        """Sign in at the server itself."""
        self.open("/sign-in", "Sign in")
        self.page.fill("#identifier", email)
        self.page.fill("#password", PASSWORD)
        self.page.click("#submit")
        self.arrive("Profile")

    def says(self, what: str) -> None:
        """The sentence above the form."""
        expect(self.page.locator("#problem")).to_contain_text(what, timeout=SOON)

    def signed_in_as(self, email: str | None) -> None:
        """Whose account pages this browser opens, None for nobody's."""
        tab = self.context.new_page()
        tab.goto(f"{self.place.here.issuer}/account")
        expect(tab.locator("h1")).to_have_text("Sign in" if email is None else "Profile", timeout=SOON)
        if email is not None:
            expect(tab.locator("main")).to_contain_text(email)
        tab.close()


@dataclass
class Place:
    """The server, the provider with the label Example, and an attacker's provider with the label Mallory."""

    here: Running
    there: Known
    mallory: PlainStandIn
    chrome: Browser
    checked: Checked
    apps: Sequence[ForeignApp] = ()
    _visitors: list[Visitor] = field(default_factory=list[Visitor])

    def visitor(self) -> Visitor:
        """A new one."""
        context = self.chrome.new_context(locale="en-GB", reduced_motion="reduce")
        context.set_default_timeout(SOON)
        # the pages of two providers load what is not on this machine
        context.route(re.compile(r"^https?://(?!localhost|127\.0\.0\.1)"), lambda route: route.abort())
        made = Visitor(self, context, context.new_page())
        context.on(
            "request", lambda asked: made.came_back_by.append(asked.url) if CALLBACK in asked.url else None
        )
        context.on("response", lambda got: made.broken.append(got.url) if self._broken(got) else None)
        self._visitors.append(made)
        return made

    def _broken(self, answer: Any) -> bool:
        return answer.status >= 500 and answer.url.startswith(self.here.issuer)

    def close(self) -> None:
        """Close every browser; none may have met a fault."""
        found = [fault for one in self._visitors for fault in one.broken]
        for one in self._visitors:
            one.context.close()
        self._visitors.clear()
        assert found == []

    def operate(self, work: Callable[[Services], Any]) -> Any:
        """What an operator's command does."""
        return aside(lambda: self.here.operate(work))

    def person(self, email: str) -> None:
        """Somebody with an account here, and a password."""
        given: dict[str, Any] = {"name": "Somebody", "password": Secret(PASSWORD)}
        self.operate(lambda services: services.get(admin.people).create(os_actor(), email, **given))


@contextmanager
def placed(there: Known, folder: Path, chrome: Browser, checked_in: Path) -> Iterator[Place]:
    """A server that knows the provider, which has not been started yet."""
    listener = listening()
    issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    there.allow(f"{issuer}{CALLBACK}", f"{issuer}/sign-in/provider/example/backchannel-logout")
    with plain_stand_in(f"{issuer}/sign-in/provider/mallory/callback") as mallory:
        section = {
            "issuer": there.issuer,
            "label": "Example",
            "client_id": there.client_id,
            "client_secret": there.secret,
            "email_domains": ["example.net"],
        }
        evil = {
            "issuer": mallory.issuer,
            "label": "Mallory",
            "client_id": mallory.client_id,
            "client_secret": mallory.secret,
        }
        sections = {"providers.example": section, "providers.mallory": evil}
        with running(folder, sections=sections, listener=listener) as here:
            checked = Checked(checked_in, {urlsplit(here.issuer).netloc: "issuer"})
            yield Place(here, there, mallory, chrome, checked)
            assert here.troubles() == []


def query(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
