"""Sign-in with an account at npm oidc-provider, which nobody here wrote, through its own pages."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from doorward_verify.jwk import signing_key
from tests.flows.browsing import Page, Person
from tests.flows.running import Running, running
from tests.flows.seeds import PASSWORD, seed
from tests.waiting import PATIENCE, until
from tools.system import NodePeers

pytestmark = pytest.mark.peer
SCRIPT = Path(__file__).with_name("upstream.mjs")
SECRET = "a secret of forty-three characters, or more."


@dataclass
class NodeProvider:
    """The provider in its own process."""

    process: subprocess.Popen[str]

    def say(self, **task: Any) -> dict[str, Any]:
        """Send a line, and read its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            # the library's notices about its own defaults come between
            if line.startswith("{"):
                return cast("dict[str, Any]", json.loads(line))
        raise AssertionError(self.process.communicate()[1])


@contextmanager
def provider(peers: NodePeers, **task: Any) -> Generator[NodeProvider]:
    """The provider, until the end of the block."""
    process = subprocess.Popen(
        [str(peers.node), str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PEERS_FOLDER": str(peers.folder)},
    )
    try:
        made = NodeProvider(process)
        assert made.say(**task) == {"ready": True}
        yield made
    finally:
        process.kill()
        process.communicate()


def at_provider() -> httpx2.Client:
    """A browser at the provider, with its own cookies there."""
    return httpx2.Client(follow_redirects=False, trust_env=False, timeout=PATIENCE)


def through(url: str, server: Running, login: str, there: httpx2.Client | None = None) -> str:
    """The provider's pages: sign in, agree, and the address on our server where the browser is sent."""
    with nullcontext(there) if there is not None else at_provider() as browser:
        answer = browser.get(url)
        for _ in range(20):
            if answer.is_redirect:
                url = urljoin(str(answer.url), answer.headers["location"])
                if url.startswith(server.issuer):
                    return url
                answer = browser.get(url)
                continue
            assert answer.status_code == 200, (answer.status_code, answer.text[:500])
            action = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert action is not None, answer.text[:500]
            fields = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', answer.text))
            if fields["prompt"] == "login":
                fields |= {"login": login, "password": "anything"}
            answer = browser.post(urljoin(str(answer.url), html.unescape(action[1])), data=fields)
    raise AssertionError("the provider's pages do not end")


def sign_in(server: Running, login: str, person: Person | None = None) -> tuple[Person, Page]:
    """From the button to the page where it ends."""
    person = person or server.person()
    left = person.press(person.open("/sign-in"), "provider-example")
    assert left.outside, left.words
    return person, person.open(through(left.url, server, login))


def section(port: int, **changes: Any) -> dict[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "issuer": f"http://127.0.0.1:{port}",
        "label": "Example",
        "client_id": "doorward",
        "email_domains": ["example.net"],
    }
    return {"providers.example": {**values, **changes}}


def task(server: Running, port: int, **more: Any) -> dict[str, Any]:
    return {"port": port, "redirect_uri": f"{server.issuer}/sign-in/provider/example/callback", **more}


@pytest.mark.requirement(89, 91)
@pytest.mark.parametrize(
    ("alg", "method"),
    [
        ("RS256", "client_secret_basic"),
        ("PS256", "client_secret_post"),
        ("ES256", "client_secret_basic"),
        ("EdDSA", "client_secret_post"),
    ],
)
def test_people_sign_in_with_each_signature(
    node_peers: NodePeers, tmp_path: Path, free_port: int, alg: str, method: str
) -> None:
    how = section(free_port, client_auth=method, client_secret=SECRET)
    with running(tmp_path, sections=how) as server:
        with provider(
            node_peers, **task(server, free_port, alg=alg, auth_method=method, secret=SECRET)
        ) as node:
            _, page = sign_in(server, "grace")
            assert page.path == "/account", page.words
            assert "grace@example.net" in page.text
            assert "Person grace" in page.text
            # its keys turn; nothing of the old set is there any more
            server.clock.ahead += 31
            assert node.say(rotate=True) == {"rotated": True}
            _, page = sign_in(server, "grace")
            assert page.path == "/account", page.words
        assert server.troubles() == []


def test_a_key_takes_the_place_of_the_secret(node_peers: NodePeers, tmp_path: Path, free_port: int) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = tmp_path / "client.pem"
    pem.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    how = section(free_port, client_auth="private_key_jwt", client_key_file=str(pem))
    public = signing_key(private).public_jwk()
    with running(tmp_path, sections=how) as server:
        asked = task(server, free_port, alg="ES256", auth_method="private_key_jwt", public_key=public)
        with provider(node_peers, **asked):
            _, page = sign_in(server, "grace")
            assert page.path == "/account", page.words


@pytest.mark.requirement(73, 89)
def test_an_existing_account_is_connected_by_its_owner(
    node_peers: NodePeers, tmp_path: Path, free_port: int
) -> None:
    how = section(free_port, client_secret=SECRET, email_domains=["example.com", "example.net"])
    with running(tmp_path, sections=how) as server:
        house = seed(server)
        asked = task(server, free_port, alg="RS256", auth_method="client_secret_basic", secret=SECRET)
        with provider(node_peers, **asked):
            person = server.person()
            page = person.sign_in(person.open("/sign-in"), "ada@example.com", PASSWORD)
            page = person.press(person.open("/account/methods/providers"), "connect-example")
            assert page.outside
            page = person.open(through(page.url, server, "lovelace"))
            assert "The account is connected" in page.words
            _, page = sign_in(server, "lovelace")
            assert page.path == "/account", page.words
            assert "ada@example.com" in page.text
        house.close()


def end_there(port: int, there: httpx2.Client) -> None:
    """Sign out on the provider's own page."""
    asked = there.get(f"http://127.0.0.1:{port}/session/end?client_id=doorward")
    form = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', asked.text))
    action = re.search(r'action="([^"]+)"', asked.text)
    assert action is not None, asked.text[:500]
    answer = there.post(urljoin(str(asked.url), html.unescape(action[1])), data={**form, "logout": "yes"})
    assert answer.status_code in {200, 302, 303}, (answer.status_code, answer.text[:500])


@pytest.mark.requirement(72, 76)
def test_its_log_out_ends_the_session_of_that_browser_alone(
    node_peers: NodePeers, tmp_path: Path, free_port: int
) -> None:
    how = section(free_port, client_secret=SECRET)
    with running(tmp_path, sections=how) as server:
        uri = f"{server.issuer}/sign-in/provider/example/backchannel-logout"
        asked = task(
            server,
            free_port,
            alg="RS256",
            auth_method="client_secret_basic",
            secret=SECRET,
            logout_uri=uri,
        )
        with provider(node_peers, **asked), at_provider() as there:
            person = server.person()
            left = person.press(person.open("/sign-in"), "provider-example")
            page = person.open(through(left.url, server, "grace", there))
            assert page.path == "/account", page.words
            other, page = sign_in(server, "grace")
            assert page.path == "/account", page.words
            end_there(free_port, there)
            # the provider sends its token beside the answer to the browser
            until(lambda: person.open("/account").path.startswith("/sign-in"))
            assert other.open("/account").path == "/account"
