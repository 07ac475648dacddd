"""A house for moves: a server on a SQLite file with a crowd and a few people who really signed in, and assertions on what they
can do after a move. Used by the quick test and by the soak.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pyotp.totp import TOTP

from tests.flows.apps import App, Tokens, good
from tests.flows.browsing import Person
from tests.flows.processes import Fleet, Process
from tests.flows.seeds import API, PASSWORD
from tests.flows.settings import environment, write_settings
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.moving.crowd import Crowd, crowd, settle, sqlite_store
from tests.waiting import PATIENCE, until

FACTORED = "twice@example.com"


@dataclass
class Kept:
    """Credentials of people and apps, and answers of the server before the move."""

    crowd: Crowd
    tokens: Tokens
    browser: Person
    phone: TOTP
    recovery: list[str]
    jwks: Any
    cursor: str
    refreshed: dict[int, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def doorward(fleet_or_folder: Fleet | Path, *arguments: str) -> subprocess.Popen[str]:
    """Run a command, as an operator does, beside the server."""
    folder = fleet_or_folder if isinstance(fleet_or_folder, Path) else fleet_or_folder.config.parent
    return subprocess.Popen(
        [sys.executable, "-m", "doorward", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(process: subprocess.Popen[str], status: int = 0) -> dict[str, Any]:
    """The command's JSON document; it must have ended with this status."""
    out, err = process.communicate(timeout=900)
    assert process.returncode == status, f"{process.returncode}\n{out}\n{err}"
    return json.loads(out)


def fill(fleet: Fleet, people: int) -> Kept:
    """Create the real people first, then the crowd, with ada's password."""
    house, base = fleet.house, fleet.servers[0].base
    tokens = tokens_by_challenge(house.own, "ada@example.com", "openid orders:read offline_access")
    browser = Person(fleet.issuer)
    page = browser.sign_up(browser.open(house.own.begin("openid", prompt="create").url), FACTORED, PASSWORD)
    assert page.outside
    page = browser.click(browser.open("/account/methods"), "authenticator-add")
    phone = TOTP(page.inside("key").replace(" ", ""))
    # a code of the previous period, so that the next sign-in has an unused one; repeated if the period had passed at the server's
    # check
    for _ in range(2):
        if "authenticator" in page.forms:
            page = browser.press(page, "authenticator", code=phone.at(int(time.time()) - 30))
    assert page.problem is None, page.problem
    recovery = [line for line in page.words.split() if line.count("-") >= 2]

    async def write() -> Crowd:
        async with sqlite_store(fleet.config.parent / "doorward.db") as store:
            ada = await store.accounts.by_email("ada@example.com")
            assert ada is not None
            assert ada.password_hash
            some = crowd(house.own.client_id, API, ada.password_hash)
            await settle(store, some, 0, people)
            return some

    http = httpx2.Client(trust_env=False, timeout=PATIENCE)
    some = asyncio.run(write())
    kept = Kept(some, tokens, browser, phone, recovery, http.get(f"{base}/jwks").json(), feed(base)["cursor"])
    http.close()
    return kept


def feed(base: str, after: str = "") -> dict[str, Any]:
    """The revocation feed."""
    answer = httpx2.get(f"{base}/revocations", params={"after": after} if after else None, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def on(fleet: Fleet, database: str, sections: dict[str, dict[str, Any]] | None = None) -> Process:
    """The server, restarted on the same port with the same key on another database."""
    for old in fleet.servers:
        old.stop()
    config = write_settings(fleet.config.parent, fleet.issuer, sections, database=database)
    server = Process(config, fleet.servers[0].port, fleet.config.parent / "server-moved.log")
    # so that it is stopped at the end in any case
    fleet.servers.append(server)
    server.start()
    return server


def everything_works(fleet: Fleet, kept: Kept, sample: list[int], *, signing_in: int = 6) -> None:
    """Assert that passwords, second factors, sessions, refresh tokens, access tokens, keys and cursors still work."""
    own = fleet.house.own
    assert httpx2.get(f"{fleet.issuer}/jwks", trust_env=False).json() == kept.jwks
    news = feed(fleet.issuer, kept.cursor)
    assert news["reset"] is False, "an API's cursor is still understood"
    assert own.userinfo(kept.tokens.access).status_code == 200
    kept.tokens = good(own.refresh(kept.tokens.refresh))
    assert kept.browser.open("/account").path == "/account", "the browser is still signed in"
    tokens_by_challenge(own, "bob@example.com", "openid orders:read")
    for number in sample[:signing_in]:
        tokens_by_challenge(own, kept.crowd.email(number), "openid orders:read")
    for number in sample:
        held = kept.refreshed.get(number) or kept.crowd.refresh_token(number)
        kept.refreshed[number] = good(own.refresh(held)).refresh
    other = Person(fleet.issuer)
    page = other.sign_in(other.open("/sign-in"), FACTORED, PASSWORD)
    assert page.path == "/sign-in/code"
    code = kept.phone.now()
    after = other.press(page, "second-factor", code=code)
    # a code that was accepted on the other database is not accepted again on this one
    assert after.path == "/sign-in/code" if code in kept.used else after.path == "/account"
    kept.used.add(code)
    other.close()
    third = Person(fleet.issuer)
    page = third.click(third.sign_in(third.open("/sign-in"), FACTORED, PASSWORD), "other-method")
    assert third.press(page, "second-factor", code=kept.recovery.pop()).path == "/account"
    third.close()


def told_to_come_back(answer: httpx2.Response) -> None:
    """Assert 503 with Retry-After."""
    assert answer.status_code == 503, f"{answer.status_code} {answer.text[:300]}"
    assert int(answer.headers["retry-after"]) > 0


def refuses_everything(fleet: Fleet, base: str) -> None:
    """Assert that a server on a database that has moved answers every endpoint with a refusal: within a second, or a little later
    on a machine busy with other tests."""
    until(lambda: httpx2.get(f"{base}/jwks", trust_env=False, timeout=PATIENCE).status_code != 200)
    service = App(fleet.issuer, fleet.house.service.client_id, fleet.house.service.secret, base=base)
    told_to_come_back(service.token(grant_type="client_credentials", resource=API))
    told_to_come_back(service.post("/introspect", token="x"))
    service.close()
    for path in (
        "/jwks",
        "/sign-in",
        "/revocations",
        "/readyz",
        "/userinfo",
        "/.well-known/openid-configuration",
    ):
        told_to_come_back(httpx2.get(base + path, trust_env=False, headers={"accept": "text/html"}))
    assert httpx2.get(f"{base}/healthz", trust_env=False).status_code == 200


def goes_on_reading(fleet: Fleet, kept: Kept) -> None:
    """Assert that during a move requests without a write succeed, and others get 503."""
    assert fleet.house.service.token(grant_type="client_credentials", resource=API).status_code == 200
    assert fleet.house.own.userinfo(kept.tokens.access).status_code == 200
    told_to_come_back(fleet.house.own.refresh(kept.tokens.refresh))
    answer = challenge(fleet.house.own, username="ada@example.com", password=PASSWORD, scope="openid")
    assert answer.status_code in {400, 503}, answer.text
