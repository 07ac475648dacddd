"""A CI job from end to end: its platform's token becomes ours over HTTP, an API takes it, and an operator ends it within a second."""

from __future__ import annotations

import itertools
import time
from collections.abc import Generator
from typing import Any

import httpx2
import pytest

from doorward.adapters.os_user import os_actor
from doorward.core.model.trusted_issuer import JWT_BEARER, TrustedIssuer
from doorward.features.admin import build as admin
from doorward.features.services import Services
from tests.flows.running import Running
from tests.flows.seeds import API, House, draft
from tests.stand_ins.serving import served_beside
from tests.stand_ins.workloads import GitHubActions
from tests.waiting import keeps

CLAIMS = {"repository_id": "74", "environment": "prod"}


@pytest.fixture
def github(server: Running, house: House) -> Generator[GitHubActions]:
    """A trusted platform, one of whose jobs may act as an app without any credential."""
    assert house
    platform = GitHubActions()

    async def work(services: Services) -> None:
        made = draft("deployer", "service", auth_method="none", grant_types=(JWT_BEARER,))
        await services.get(admin.apps).create(os_actor(), made, kind="service", access=[f"{API}:orders:read"])
        trusted = TrustedIssuer(
            id="", name="github", issuer=platform.issuer, grant_id="", created_at=0, preset="github-actions"
        )
        await services.get(admin.issuers).create(os_actor(), trusted)
        await services.get(admin.issuers).allow(os_actor(), "github", "deploy", app="deployer", claims=CLAIMS)

    with served_beside(platform):
        server.operate(work)
        yield platform


def exchanged(server: Running, platform: GitHubActions, **claims: Any) -> httpx2.Response:
    platform.now = int(time.time())
    form = {"grant_type": JWT_BEARER, "assertion": platform.token(server.issuer, **claims)}
    return httpx2.post(f"{server.issuer}/token", data=form, trust_env=False)


def test_a_job_calls_an_api_without_a_secret_until_its_platform_is_trusted_no_more(
    server: Running, github: GitHubActions
) -> None:
    turns = itertools.count()
    keeps(1, lambda: until_it_is_disabled(server, github, first=next(turns) == 0))


def until_it_is_disabled(server: Running, github: GitHubActions, *, first: bool) -> float:
    """Returns for how many seconds an API accepted a token of an issuer that was disabled."""
    if not first:
        server.operate(lambda services: services.get(admin.issuers).enable(os_actor(), "github"))
    wrong = exchanged(server, github, environment="staging")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_grant")
    assert "staging" not in wrong.text
    answer = exchanged(server, github)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    with server.api(API) as api:
        token = answer.json()["access_token"]
        caller = api.verify(token)
        assert caller.sub == caller.client_id
        assert caller.sub.startswith("app_")
        server.operate(lambda services: services.get(admin.issuers).disable(os_actor(), "github"))
        seconds, why = api.refused_after(token)
        assert why == "revoked"
    assert exchanged(server, github).json()["error"] == "invalid_grant"
    return seconds
