"""A real Keycloak: people made in it as its administrators do, an authenticator set up on its own pages, and its export."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pyotp.totp import TOTP

from tests.flows.apps import pkce
from tests.ports import free_ports
from tests.waiting import PATIENCE, until

REALM = "shop"
ADMIN = {"username": "root", "password": "only for this test"}
_ACTION = re.compile(r'<form[^>]* action="([^"]*)"')
_SECRET = re.compile(r'name="totpSecret" value="([^"]*)"')


@dataclass
class Keycloak:
    """A server of its own, in a copy of the distribution. `realm` is the address of the realm below its administration."""

    base: str
    _client: httpx2.Client = field(default_factory=lambda: httpx2.Client(timeout=PATIENCE, trust_env=False))

    @property
    def realm(self) -> str:
        """The realm in the administration."""
        return f"{self.base}/admin/realms/{REALM}"

    def administer(self, method: str, url: str, body: Any = None) -> httpx2.Response:
        """A call of the administration."""
        form = {"grant_type": "password", "client_id": "admin-cli", **ADMIN}
        token = self._client.post(f"{self.base}/realms/master/protocol/openid-connect/token", data=form)
        assert token.status_code == 200, token.text
        bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
        answer = self._client.request(method, url, json=body, headers=bearer)
        assert answer.status_code < 300, answer.text
        return answer

    def add(
        self, username: str, password: str, *, email: str | None = None, algorithm: str = "", **members: Any
    ) -> None:
        """A person, whose address is their user name unless named, and whose password is hashed by `algorithm` (a password policy of
        the realm), or as it does by itself."""
        self.administer("PUT", self.realm, {"realm": REALM, "enabled": True, "passwordPolicy": algorithm})
        credentials = [{"type": "password", "value": password, "temporary": False}]
        person = {
            "username": username, "email": username if email is None else email, "emailVerified": True, "enabled": True,
            "firstName": "Ada", "lastName": "Lovelace", "credentials": credentials, **members,
        }  # fmt: skip
        self.administer("POST", f"{self.realm}/users", person)

    def set_up_authenticator(self, email: str, password: str) -> str:
        """Sign in on its pages, which demand an authenticator app, and set one up there. The key as an app has it, in Base32."""
        with httpx2.Client(timeout=PATIENCE, trust_env=False, follow_redirects=True) as browser:

            def keep(_: httpx2.Response) -> None:
                # as browsers do on this machine: its cookies are marked Secure, and come over http
                for cookie in browser.cookies.jar:
                    cookie.secure = False

            browser.event_hooks = {"response": [keep]}
            asked = {
                "client_id": "account-console", "response_type": "code", "scope": "openid",
                "redirect_uri": f"{self.base}/realms/{REALM}/account/",
                "code_challenge": pkce()[1], "code_challenge_method": "S256",
            }  # fmt: skip
            page = browser.get(f"{self.base}/realms/{REALM}/protocol/openid-connect/auth", params=asked)
            page = browser.post(_action(page), data={"username": email, "password": password})
            secret = _SECRET.search(page.text)
            assert secret, page.text
            text = html.unescape(secret[1])
            key = _base32(text)
            form = {"totp": TOTP(key).now(), "totpSecret": text, "userLabel": "phone"}
            done = browser.post(_action(page), data=form)
            assert "totpSecret" not in done.text, done.text
            return key


def _action(page: httpx2.Response) -> str:
    found = _ACTION.search(page.text)
    assert found, page.text
    return html.unescape(found[1])


def _base32(text: str) -> str:
    import base64

    return base64.b32encode(text.encode()).decode().rstrip("=")


def copied(distribution: Path, folder: Path) -> Path:
    """The distribution in a folder of the test: it writes into itself. Its files are linked where the disk allows."""
    shutil.copytree(distribution, folder, copy_function=_linked)
    return folder


def _linked(source: str, target: str) -> None:
    # what it rewrites is no library
    if source.endswith(".jar") and "/providers/" not in source:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
        return
    shutil.copy2(source, target)


@contextmanager
def keycloak(home: Path) -> Generator[Keycloak]:
    """The server in `home`, with an empty realm, for the duration of the block."""
    port = free_ports(1)
    environment = {
        **os.environ,
        "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN["username"],
        "KC_BOOTSTRAP_ADMIN_PASSWORD": ADMIN["password"],
    }
    log = home / "server.log"
    command = ["sh", str(home / "bin" / "kc.sh"), "start-dev", f"--http-port={port}", "--http-host=127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True
        )
    try:
        server = Keycloak(f"http://127.0.0.1:{port}")
        until(lambda: process.poll() is not None or _answers(server.base), log.read_text, look=0.5)
        assert process.poll() is None, log.read_text()
        server.administer("POST", f"{server.base}/admin/realms", {"realm": REALM, "enabled": True})
        yield server
    finally:
        os.killpg(process.pid, 15)
        process.wait(PATIENCE)


def _answers(base: str) -> bool:
    try:
        return httpx2.get(f"{base}/realms/master", trust_env=False, timeout=5).status_code == 200
    except httpx2.HTTPError:
        return False


def exported(home: Path, folder: Path) -> list[Path]:
    """The files of people of its own export, two in each."""
    began = time.monotonic()
    command = [
        "sh", str(home / "bin" / "kc.sh"), "export", "--dir", str(folder), "--realm", REALM,
        "--users", "different_files", "--users-per-file", "2",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, (time.monotonic() - began, done.stdout[-3000:], done.stderr[-3000:])
    return sorted(folder.glob(f"{REALM}-users-*.json"))
