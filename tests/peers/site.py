"""Web site that signs people in through a third-party client: its own process, and a visitor's cookies there.

with site("mozilla", server, folder, peers=peers) as place:
    page = place.sign_in(server.person())
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2

from tests.flows.browsing import Page, Person
from tests.flows.running import Running
from tests.flows.seeds import PASSWORD
from tests.ports import free_port
from tests.waiting import PATIENCE, until
from tools.system import NodePeers

SITES = Path(__file__).with_name("sites")


@dataclass(frozen=True)
class Kind:
    """The particulars of one client. Paths are the site's; `options` are registration options besides the defaults."""

    program: tuple[str, ...]
    callback: str = "/callback"
    login: str = "/login"
    logout: str = "/logout"
    options: tuple[str, ...] = ()
    renews: bool = True
    """Whether it has a refresh token and uses it."""
    leaves: bool = True
    """Whether its log-out continues at the provider."""


KINDS: dict[str, Kind] = {
    "django-allauth": Kind(
        ("django_site.py", "allauth"),
        callback="/accounts/oidc/doorward/login/callback/",
        # it sends neither a code challenge nor a nonce
        options=("--pkce", "optional"),
        renews=False,
        leaves=False,
    ),
    "mozilla-django-oidc": Kind(
        ("django_site.py", "mozilla"),
        callback="/oidc/callback/",
        login="/oidc/authenticate/",
        logout="/oidc/logout/",
        renews=False,
    ),
    "Authlib": Kind(("authlib_starlette.py",)),
    "openid-client 5": Kind(("openid_client_5.mjs",)),
    "express-openid-connect": Kind(("express_openid_connect.mjs",)),
}


@dataclass
class Site:
    """A running site. `client` is one visitor's connection to it."""

    kind: Kind
    base: str
    client: httpx2.Client
    log: Path

    def get(self, path: str) -> httpx2.Response:
        """Request an address of the site, and follow redirects within the site."""
        return self._within(self.client.get(urljoin(self.base, path)))

    def json(self, path: str) -> dict[str, Any]:
        """The JSON document at that address."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:600]} {self.told()}"
        return answer.json()

    def sign_in(self, person: Person) -> Page:
        """Sign in from the site's own link, through the server's pages. Returns the last page before the
        return to the site."""
        page = person.open(self.leads_out(self.get(self.kind.login)))
        if "sign-in" in page.forms:
            page = person.sign_in(page, "ada@example.com", PASSWORD)
        if "consent" in page.forms:
            page = person.press(page, "consent", "allow")
        assert page.outside, f"{page.status} {page.url}: {page.words[:600]}"
        self.brought(page)
        return page

    def brought(self, page: Page) -> None:
        """Pass the browser's result from the server to the site."""
        arrived = self.client.post(page.url, data=page.sent) if page.sent else self.client.get(page.url)
        answer = self._within(arrived)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:600]} {self.told()}"

    def leads_out(self, answer: httpx2.Response) -> str:
        """The target of the site's redirect, outside the site."""
        assert answer.is_redirect, f"{answer.status_code} {answer.text[:600]} {self.told()}"
        return urljoin(str(answer.url), answer.headers["location"])

    def told(self) -> str:
        """The end of the site's log."""
        return self.log.read_text("utf-8", "replace")[-3000:]

    def _within(self, answer: httpx2.Response) -> httpx2.Response:
        for _ in range(6):
            if not answer.is_redirect:
                break
            there = urljoin(str(answer.url), answer.headers["location"])
            if urlsplit(there).netloc != urlsplit(self.base).netloc:
                break
            answer = self.client.get(there)
        return answer


def register(server: Running, name: str, *options: str) -> tuple[str, str]:
    """Register an app with `doorward app create`. Returns its id and secret."""
    made = subprocess.run(
        [sys.executable, "-m", "doorward", "app", "create", name, "--json", "--config", str(server.config), *options],
        cwd=server.config.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    said = json.loads(made.stdout)
    return said["client_id"], said["client_secret"]


@contextmanager
def site(name: str, server: Running, folder: Path, peers: NodePeers | None = None) -> Generator[Site]:
    """The site of this client, registered and running, for the duration of the block."""
    kind = KINDS[name]
    base = f"http://127.0.0.1:{(port := free_port())}"
    client_id, secret = register(
        server, f"{name} {port}", "--redirect", base + kind.callback, "--post-logout", base, *kind.options
    )
    script, *arguments = kind.program
    program = [str(peers.node)] if script.endswith(".mjs") and peers else [sys.executable]
    trusted = str(server.ca)
    log = folder / "site.log"
    environment = {
        **os.environ,
        "ISSUER": server.issuer,
        "BASE": base,
        "PORT": str(port),
        "CLIENT_ID": client_id,
        "CLIENT_SECRET": secret,
        "FOLDER": str(folder),
        "PEERS_FOLDER": str(peers.folder) if peers else "",
        # the test's own certificate authority, configured as each platform requires
        "NODE_EXTRA_CA_CERTS": trusted,
        "REQUESTS_CA_BUNDLE": trusted,
        "SSL_CERT_FILE": trusted,
    }
    with log.open("ab") as written, httpx2.Client(trust_env=False, timeout=PATIENCE) as client:
        process = subprocess.Popen(
            [*program, str(SITES / script), *arguments],
            env=environment,
            stdout=written,
            stderr=written,
            cwd=folder,
        )
        try:
            place = Site(kind, base, client, log)
            until(lambda: _answers(client, base) or process.poll() is not None, place.told, look=0.05)
            assert process.poll() is None, place.told()
            yield place
        finally:
            process.kill()
            process.wait()


def _answers(client: httpx2.Client, base: str) -> bool:
    try:
        return client.get(base).status_code == 200
    except httpx2.HTTPError:
        return False
