"""Tests that one person or app cannot fill the revocation view of every API: access tokens without end, each revoked at once, at
two processes.

docs/incidents/0049-one-person-filled-everybodys-revocation-view.md
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from doorward.features.sessions.rules.bounds import OF_APP, OF_GRANT
from doorward.storage.sql.open import open_store
from doorward_verify import ResourceServer
from doorward_verify.auth_error import AuthError
from tests.engines import BOTH
from tests.flows.apps import good, healed, payload
from tests.flows.processes import Fleet, processes
from tests.flows.seeds import API
from tests.flows.signing_in import tokens_by_challenge
from tests.waiting import until

ENGINES = BOTH
SCOPE = "openid orders:read"
MANY = 80


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, database: str | None) -> Generator[Fleet]:
    with processes(tmp_path_factory.mktemp("fleet"), 2, database=database) as started:
        yield started
        assert [trouble for server in started.servers for trouble in server.troubles()] == []


def entries(fleet: Fleet) -> list[dict[str, Any]]:
    """The complete view."""
    return httpx2.get(f"{fleet.servers[0].base}/revocations", trust_env=False).json()["entries"]


def of(found: list[dict[str, Any]], kind: str, start: str = "") -> list[str]:
    return [entry["id"] for entry in found if entry["kind"] == kind and entry["id"].startswith(start)]


def revoked_lines(fleet: Fleet, database: str | None) -> int:
    """How many audit lines report a revoked token."""

    async def count() -> int:
        store = await open_store(database or str(fleet.config.parent / "doorward.db"), migrate=False)
        try:
            return len(await store.audit.page(kind="token.revoked", limit=1000))
        finally:
            await store.close()

    return asyncio.run(count())


def reason(api: ResourceServer, token: str) -> str:
    try:
        api.verify(token)
    except AuthError as why:
        return why.reason
    return "good"


@pytest.mark.requirement(93)
def test_a_spent_parent_used_repeatedly_ends_its_grant_and_adds_few_entries(
    fleet: Fleet, database: str | None
) -> None:
    apps = fleet.everywhere(fleet.house.own)
    tokens = tokens_by_challenge(fleet.house.own, "ada@example.com", SCOPE)
    grant = tokens.claims["jti"].partition(".")[0]
    healed(lambda: apps[0].refresh(tokens.refresh))
    lines, before = revoked_lines(fleet, database), len(entries(fleet))
    given: list[str] = []

    def flood(number: int) -> None:
        for turn in range(MANY // 2):
            app = apps[(number + turn) % 2]
            repeated = app.refresh(tokens.refresh)
            if repeated.status_code == 200:
                token = good(repeated).access
                given.append(token)
                assert app.post("/revoke", token=token).status_code == 200

    with ResourceServer(fleet.issuer, API) as api:
        flooding = [threading.Thread(target=flood, args=(number,)) for number in range(2)]
        began = time.monotonic()
        for one in flooding:
            one.start()
        until(lambda: reason(api, tokens.access) in {"good", "revoked"})
        print(f"an API that starts during the flood is ready after {time.monotonic() - began:.2f} s")
        for one in flooding:
            one.join()
        found = entries(fleet)
        assert len(of(found, "jti", f"{grant}.")) == OF_GRANT
        assert of(found, "grant", grant) == [grant]
        until(lambda: reason(api, tokens.access) == "revoked")
        for token in given:
            assert reason(api, token) == "revoked"
        assert len(api._view) <= before + OF_GRANT + 1
    assert apps[1].refresh(tokens.refresh).status_code == 400
    assert revoked_lines(fleet, database) == lines + 1
    for app in apps:
        app.close()


@pytest.mark.requirement(93)
def test_64_tokens_of_one_grant_revoked_at_once_make_no_more_entries_than_the_bound(fleet: Fleet) -> None:
    apps = fleet.everywhere(fleet.house.own)
    tokens = tokens_by_challenge(fleet.house.own, "bob@example.com", SCOPE)
    grant = tokens.claims["jti"].partition(".")[0]
    healed(lambda: apps[0].refresh(tokens.refresh))
    given = [healed(lambda: apps[0].refresh(tokens.refresh)).access for _ in range(64)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(
            pool.map(lambda pair: apps[pair[0] % 2].post("/revoke", token=pair[1]), enumerate(given))
        )
    assert {answer.status_code for answer in answers} == {200}
    found = entries(fleet)
    assert len(of(found, "jti", f"{grant}.")) == OF_GRANT
    assert of(found, "grant", grant) == [grant]
    for app in apps:
        app.close()


@pytest.mark.requirement(93)
def test_one_refresh_token_revoked_64_times_at_once_makes_one_entry_and_one_line(
    fleet: Fleet, database: str | None
) -> None:
    apps = fleet.everywhere(fleet.house.own)
    tokens = tokens_by_challenge(fleet.house.own, "bob@example.com", SCOPE)
    grant = tokens.claims["jti"].partition(".")[0]
    lines = revoked_lines(fleet, database)
    with ThreadPoolExecutor(32) as pool:
        answers = list(
            pool.map(lambda n: apps[n % 2].post("/revoke", token=tokens.refresh).status_code, range(64))
        )
    assert set(answers) == {200}
    assert of(entries(fleet), "grant", grant) == [grant]
    assert revoked_lines(fleet, database) == lines + 1
    for app in apps:
        app.close()


@pytest.mark.requirement(93)
def test_endless_revocations_by_one_app_become_one_entry(fleet: Fleet, database: str | None) -> None:
    apps = fleet.everywhere(fleet.house.service)
    lines = revoked_lines(fleet, database)

    def one(number: int) -> str:
        app = apps[number % 2]
        token = good(app.token(grant_type="client_credentials")).access
        assert app.post("/revoke", token=token).status_code == 200
        return token

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(one, range(OF_APP + 60)))
    found = entries(fleet)
    own = set(of(found, "jti")) & {jti_of(token) for token in given}
    assert len(own) == OF_APP
    assert of(found, "client") == [fleet.house.service.client_id]
    with ResourceServer(fleet.issuer, API) as api:
        until(lambda: reason(api, given[0]) == "revoked")
        assert {reason(api, token) for token in given} == {"revoked"}
        # the app can continue: a token issued in a later second is valid
        until(lambda: reason(api, good(apps[0].token(grant_type="client_credentials")).access) == "good")
    assert revoked_lines(fleet, database) == lines + 1
    for app in apps:
        app.close()


def jti_of(token: str) -> str:
    return payload(token)["jti"]
