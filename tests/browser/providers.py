"""External providers in a browser, each with its own pages: npm oidc-provider, PyPI oidc-provider-mock, and a second Doorward.

All are at `localhost`, which is another site for the browser than the server at 127.0.0.1.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from doorward.adapters.os_user import os_actor
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.browser.peers import CLIENT_ID, PEOPLE, SECRET, address, answers, aside, through
from tests.flows.processes import Process
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD, draft
from tests.flows.settings import write_settings
from tests.peers.test_upstream import NodeProvider
from tests.peers.test_upstream import provider as node_provider
from tests.ports import free_port
from tests.waiting import until
from tools.system import NodePeers


@dataclass
class NodePeer:
    """npm oidc-provider: its pages ask for a name, and then for consent."""

    peers: NodePeers
    port: int = field(default_factory=free_port)
    client_id: str = CLIENT_ID
    secret: str = SECRET
    tells_of_log_outs: bool = True
    states_cancel: bool = True
    _task: dict[str, Any] = field(default_factory=dict[str, Any])
    _running: ExitStack = field(default_factory=ExitStack)
    _node: NodeProvider | None = None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def allow(self, redirect_uri: str, logout_uri: str) -> None:
        self._task = {
            "port": self.port,
            "host": "localhost",
            "redirect_uri": redirect_uri,
            "logout_uri": logout_uri,
            "alg": "RS256",
            "auth_method": "client_secret_basic",
            "secret": SECRET,
        }

    def start(self) -> None:
        self._node = self._running.enter_context(node_provider(self.peers, **self._task))

    def stop(self) -> None:
        self._running.close()

    def rotate(self) -> None:
        assert self._node is not None
        assert self._node.say(rotate=True) == {"rotated": True}

    def approve(self, page: Page, who: str) -> None:
        def sign_in() -> None:
            page.fill("input[name=login]", who)
            page.fill("input[name=password]", "anything")
            page.click("button[type=submit]")

        consent = "input[name=prompt][value=consent]"
        through(
            page,
            self.issuer,
            {"input[name=login]": sign_in, consent: lambda: page.click("button[type=submit]")},
        )

    def cancel(self, page: Page, who: str) -> None:
        del who
        page.click("text=[ Cancel ]")

    def asks_to_sign_in(self, page: Page) -> None:
        expect(page.locator("input[name=login]")).to_be_visible()

    def sign_out(self, page: Page) -> None:
        page.goto(f"{self.issuer}/session/end?client_id={CLIENT_ID}")
        page.click("button[name=logout]")


@dataclass
class MockPeer:
    """PyPI oidc-provider-mock: one page, without sessions, and the key of its one process."""

    port: int = field(default_factory=free_port)
    client_id: str = CLIENT_ID
    secret: str = SECRET
    tells_of_log_outs: bool = False
    states_cancel: bool = False
    _process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def allow(self, redirect_uri: str, logout_uri: str) -> None:
        del redirect_uri, logout_uri

    def start(self) -> None:
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--require-nonce", "true"]
        for who in PEOPLE:
            claims = {"sub": who, "email": address(who), "email_verified": True, "name": f"Person {who}"}
            options += ["--user-claims", json.dumps(claims)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "oidc_provider_mock", *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: answers(f"{self.issuer}/jwks"))

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def rotate(self) -> None:
        self.stop()
        self.start()

    def approve(self, page: Page, who: str) -> None:
        page.fill("input[name=sub]", who)
        page.click("button:text-is('Authorize')")

    def cancel(self, page: Page, who: str) -> None:
        del who
        page.click("button[value=deny]")

    def asks_to_sign_in(self, page: Page) -> None:
        expect(page.locator("input[name=sub]")).to_be_visible()

    def sign_out(self, page: Page) -> None:
        page.goto(f"{self.issuer}/oauth2/end_session")
        page.click("button[type=submit]")


@dataclass
class DoorwardPeer:
    """A second Doorward in a process of its own, which asks for a password and, as for any app of others, for consent."""

    folder: Path
    port: int = field(default_factory=free_port)
    client_id: str = ""
    secret: str = ""
    tells_of_log_outs: bool = True
    states_cancel: bool = True
    _known: set[str] = field(default_factory=set[str])
    _process: Process | None = None

    @property
    def issuer(self) -> str:
        return f"http://localhost:{self.port}"

    def allow(self, redirect_uri: str, logout_uri: str) -> None:
        config = write_settings(
            self.folder,
            self.issuer,
        )

        async def work(services: Services) -> None:
            app = draft("doorward", "web", redirect_uris=(redirect_uri,), backchannel_logout_uri=logout_uri)
            made = await services.get(admin.apps).create(os_actor(), app, kind="web")
            assert made.secret is not None
            self.client_id, self.secret = made.client.id, made.secret.reveal()

        aside(lambda: operate(config, work))
        self._process = Process(config, self.port, self.folder / "there.log")

    @property
    def process(self) -> Process:
        """Its process."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.stop()

    def rotate(self) -> None:
        async def work(services: Services) -> None:
            for _ in range(2):
                # the next key is published before it signs, so it is the one after it that nobody has seen
                await services.get(admin.keys).rotate(os_actor(), "RS256", force=True)

        aside(lambda: operate(self.process.config, work))

    def approve(self, page: Page, who: str) -> None:
        steps = {
            "#identifier": lambda: self._sign_in(page, who),
            "#allow": lambda: page.click("#allow"),
        }
        through(page, self.issuer, steps)

    def cancel(self, page: Page, who: str) -> None:
        self._sign_in(page, who)
        page.click("#deny")

    def _sign_in(self, page: Page, who: str) -> None:
        if who not in self._known:
            given: dict[str, Any] = {"name": f"Person {who}", "password": Secret(PASSWORD)}
            aside(
                lambda: operate(
                    self.process.config,
                    lambda services: services.get(admin.people).create(os_actor(), address(who), **given),
                )
            )
            self._known.add(who)
        page.fill("#identifier", address(who))
        page.fill("#password", PASSWORD)
        page.click("#submit")

    def asks_to_sign_in(self, page: Page) -> None:
        expect(page.locator("#identifier")).to_be_visible()

    def sign_out(self, page: Page) -> None:
        page.goto(f"{self.issuer}/logout")
        page.click("#submit")
        expect(page.locator("h1")).to_have_text("You are signed out")
