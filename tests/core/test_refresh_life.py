"""Lifetime of a refresh token family, for any registered value."""

from __future__ import annotations

from doorward.core.model.client import Client
from doorward.core.model.policy import LONGEST, TokenPolicy
from doorward.core.refresh_life import refresh_life


def app(ttl: int | None) -> Client:
    return Client(id="app_1", name="App", auth_method="none", created_at=1, refresh_token_ttl=ttl)


def test_the_apps_own_life_overrides_the_servers() -> None:
    policy = TokenPolicy(refresh_ttl=500)
    assert refresh_life(app(None), policy) == 500
    assert refresh_life(app(90), policy) == 90


def test_a_registered_life_that_is_too_large_becomes_the_longest() -> None:
    assert refresh_life(app(10**20), TokenPolicy()) == LONGEST
