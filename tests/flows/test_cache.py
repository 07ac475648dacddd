"""Tests of sign-in while the shared cache fails: it continues, and an attacker gains no guesses."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.policy import ThrottlePolicy
from doorward.core.model.secret import Secret
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.engines import POSTGRES_IN_SOAK
from tests.flows.apps import App, pkce
from tests.flows.processes import processes
from tests.flows.running import operate
from tests.flows.seeds import PASSWORD
from tests.flows.signing_in import challenge, tokens_by_challenge
from tests.valkey import ValkeyServer, valkey_server
from tests.waiting import PATIENCE, keeps

ENGINES = POSTGRES_IN_SOAK
LIMIT = ThrottlePolicy().per_account


def guess(app: App, email: str) -> int:
    _, hashed = pkce()
    return challenge(
        app,
        username=email,
        password="a wrong guess of many",
        scope="openid",
        code_challenge=hashed,
        code_challenge_method="S256",
    ).status_code


def guesses(apps: list[App], email: str, count: int) -> Counter[int]:
    with ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(lambda number: guess(apps[number % len(apps)], email), range(count)))


def looked_at(answers: Counter[int]) -> int:
    """How many tries were checked; the others got Retry-After, and none an error."""
    assert set(answers) <= {400, 401, 403, 429}, answers
    return sum(answers.values()) - answers[429]


@pytest.mark.requirement(81)
def test_two_servers_that_share_a_cache_check_no_more_guesses_than_one(
    tmp_path: Path, own_database: str | None
) -> None:
    with valkey_server() as cache, processes(tmp_path, 2, database=own_database, cache=cache.url) as fleet:
        apps = fleet.everywhere(fleet.house.own)
        assert looked_at(guesses(apps, "bob@example.com", 40)) == LIMIT
        # the owner of another account is not affected
        assert tokens_by_challenge(apps[1], "ada@example.com", "openid").body["id_token"]
        for app in apps:
            app.close()
        for server in fleet.servers:
            server.stop()
            assert server.troubles() == []


@pytest.mark.requirement(81)
def test_a_cache_outage_locks_nobody_out_and_gives_no_extra_guess(
    tmp_path: Path, own_database: str | None
) -> None:
    # one case per engine: both exercise the same code, and each takes its time
    what = "frozen" if own_database is None else "killed"
    with valkey_server() as cache, processes(tmp_path, 2, database=own_database, cache=cache.url) as fleet:
        apps = fleet.everywhere(fleet.house.own)
        judged = looked_at(guesses(apps, "bob@example.com", LIMIT - 4))
        assert judged == LIMIT - 4
        # the counts are in the database a second later at the latest
        time.sleep(1.5)
        away(cache, what)
        judged += looked_at(guesses(apps, "bob@example.com", 6))
        assert judged <= LIMIT
        keeps(5, lambda: seconds_to_sign_in(apps[0]))
        back(cache, what)
        # as long as a process skips the cache at most
        time.sleep(6)
        judged += looked_at(guesses(apps, "bob@example.com", 20))
        assert judged == LIMIT
        assert tokens_by_challenge(apps[1], "ada@example.com", "openid").body["id_token"]
        for app in apps:
            app.close()
        for server in fleet.servers:
            server.stop()
            assert server.troubles() == []


def seconds_to_sign_in(app: App) -> float:
    began = time.monotonic()
    assert tokens_by_challenge(app, "ada@example.com", "openid").body["id_token"]
    return time.monotonic() - began


def away(cache: ValkeyServer, what: str) -> None:
    if what == "killed":
        cache.kill()
    else:
        cache.freeze()


def back(cache: ValkeyServer, what: str) -> None:
    if what == "killed":
        cache.start()
    else:
        cache.thaw()


def test_servers_start_without_their_configured_cache(tmp_path: Path, own_database: str | None) -> None:
    with valkey_server() as cache:
        cache.kill()
        with processes(tmp_path, 1, database=own_database, cache=cache.url) as fleet:
            apps = fleet.everywhere(fleet.house.own)
            assert tokens_by_challenge(apps[0], "ada@example.com", "openid").body["id_token"]
            apps[0].close()


def test_the_cache_also_announces_changes(tmp_path: Path, own_database: str | None) -> None:
    with valkey_server() as cache, processes(tmp_path, 2, database=own_database, cache=cache.url) as fleet:
        apps = fleet.everywhere(fleet.house.own)

        def until_told() -> float:
            tokens = tokens_by_challenge(apps[0], "ada@example.com", "openid orders:read offline_access")
            first = apps[1].http.get(f"{apps[1].base}/revocations").json()["cursor"]
            with ThreadPoolExecutor(1) as pool:
                poll = pool.submit(
                    apps[1].http.get, f"{apps[1].base}/revocations", params={"after": first, "wait": "20"}
                )
                time.sleep(0.5)
                began = time.monotonic()
                assert apps[0].post("/revoke", token=tokens.refresh).status_code == 200
                assert poll.result(PATIENCE).json()["entries"]
                return time.monotonic() - began

        keeps(1, until_told)

        async def another(services: Services) -> None:
            await services.get(admin.people).create(
                os_actor(), "new@example.com", name=None, password=Secret(PASSWORD), roles=None
            )

        operate(fleet.config, another)
        assert tokens_by_challenge(apps[1], "new@example.com", "openid").body["id_token"]
        for app in apps:
            app.close()
