"""Sign-in with an account at PyPI oidc-provider-mock, a provider made for tests that nobody here wrote, through its own page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.flows.browsing import Page, Person
from tests.flows.running import Running, running
from tests.peers.test_upstream import section
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.peer
GRACE = {"sub": "grace", "email": "grace@example.net", "email_verified": True, "name": "Grace"}


@contextmanager
def provider(port: int) -> Generator[None]:
    """The provider in its own process, with one person, until the end of the block."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--require-nonce", "true"]
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", *options, "--user-claims", json.dumps(GRACE)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        assert process.poll() is None
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/jwks", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        until(answers)
        yield
    finally:
        process.kill()
        process.wait()


def back(server: Running, person: Person, **answer: Any) -> Page:
    """From the button to the provider's page, its form with these fields, and back."""
    left = person.press(person.open("/sign-in"), "provider-example")
    assert left.outside, left.words
    said = httpx2.post(left.url, data=answer, trust_env=False, timeout=PATIENCE)
    assert said.is_redirect, (said.status_code, said.text[:500])
    assert said.headers["location"].startswith(server.issuer)
    return person.open(said.headers["location"])


@pytest.mark.requirement(89, 91)
def test_somebody_signs_in_comes_again_and_cancels(tmp_path: Path, free_port: int) -> None:
    with (
        running(tmp_path, sections=section(free_port, client_secret="any that it is told")) as server,
        provider(free_port),
    ):
        grace = server.person()
        assert back(server, grace, sub="grace").path == "/account"
        assert "grace@example.net" in grace.open("/account").words
        # the second time, in another browser, it is the same account: the mock's address for a stranger is not confirmed
        again = server.person()
        assert back(server, again, sub="grace").path == "/account"
        stranger = server.person()
        asked = back(server, stranger, sub="mallory@example.net")
        assert asked.path != "/account"
        assert stranger.open("/account").path.startswith("/sign-in")
        cancelled = back(server, server.person(), action="deny")
        assert cancelled.path.startswith("/sign-in"), cancelled.words
