"""Who may hear about a token, and what?"""

from __future__ import annotations

from typing import Any

import pytest

from doorward.rules.check import introspect
from tests.rules import made


@pytest.mark.requirement(56)
def test_only_the_app_and_the_api_of_a_token_may_hear() -> None:
    said = {"client_id": "app_web", "aud": made.API}
    catalog = made.catalog()
    assert introspect.may_see(said, made.client(), catalog)
    assert introspect.may_see(said, made.client(id="app_orders"), catalog)
    assert not introspect.may_see(said, made.client(id="app_other"), catalog)
    assert not introspect.may_see({**said, "aud": made.ISSUER}, made.client(id="app_orders"), catalog)


def test_an_active_answer_repeats_the_claims() -> None:
    assert introspect.of_access({"sub": "x"}) == {"active": True, "token_type": "Bearer", "sub": "x"}


@pytest.mark.requirement(56)
@pytest.mark.parametrize(
    ("token", "grant", "client", "now"),
    [
        ({}, {}, {"id": "app_other"}, made.NOW),
        ({}, {"ended_at": made.NOW}, {}, made.NOW),
        ({"expires_at": made.NOW}, {}, {}, made.NOW),
        ({}, {}, {}, made.NOW + 86_400),
    ],
)
def test_a_refresh_token_that_does_not_hold_is_only_inactive(
    token: dict[str, Any], grant: dict[str, Any], client: dict[str, Any], now: int
) -> None:
    answer = introspect.of_refresh(
        made.refresh(**token), made.grant(**grant), made.client(**client), newest=True, now=now
    )
    assert answer == {"active": False}


@pytest.mark.requirement(56)
def test_only_the_newest_refresh_token_is_active() -> None:
    for newest in (True, False):
        answer = introspect.of_refresh(
            made.refresh(), made.grant(), made.client(), newest=newest, now=made.NOW
        )
        assert answer["active"] is newest
