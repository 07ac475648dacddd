"""Undefined scopes in every flow that issues a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from doorward.core.model.caller import Caller
from doorward.features.oauth.first_party.outcomes import Code
from tests.features import made
from tests.features.oauth.first_party.test_challenge import challenge
from tests.front_channel import CODE_CHALLENGE, PASSWORD, Front
from tests.logged import captured
from tests.tabs import said

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("front_account")]
OWN = made.client(id="app_own", name="own", first_party=True, redirect_uris=("https://own.example.com/cb",))
TV = made.public(id="app_tv", name="tv", first_party=True, redirect_uris=())
APPS = (OWN, TV)
ASKED = "openid phone address orders:raed orders:read"


def told(lines: Sequence[Any]) -> list[tuple[str, str, str | None]]:
    """App, name and nearest name of each log line about an ignored scope."""
    return [
        (line["app"], line["scope"], line["nearest"]) for line in lines if line["event"] == "scope.ignored"
    ]


async def test_an_undefined_scope_is_ignored_and_the_response_names_the_granted_ones(front: Front) -> None:
    tab = front.browser()
    await tab.sign_in()
    with captured() as lines:
        for _ in range(3):
            answer = said(await tab.get(front.asking(OWN, scope=ASKED, resource=made.API + "/")))
            tokens = await front.redeem(
                OWN, answer["code"], redirect_uri=OWN.redirect_uris[0], resource=made.API + ":443"
            )
            assert tokens["scope"] == "openid orders:read"
            form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": ASKED}
            again = await front.token(OWN, form)
            assert (again["status"], again.get("scope")) == (200, "openid orders:read")
    assert told(lines) == [
        ("own", "phone", None),
        ("own", "address", None),
        ("own", "orders:raed", "orders:read"),
    ]


async def test_a_permission_that_exists_but_is_not_the_apps_is_refused(front: Front) -> None:
    reader = made.client(
        id="app_reader",
        name="reader",
        first_party=True,
        redirect_uris=OWN.redirect_uris,
        access={made.API: ("orders:read",)},
    )
    await front.register(reader)
    tab = front.browser()
    await tab.sign_in()
    assert said(await tab.get(front.asking(reader, scope="openid orders:write")))["error"] == "invalid_scope"


async def test_the_json_sign_in_ignores_the_same_scopes(front: Front) -> None:
    asked = {"client_id": TV.id, "code_challenge": CODE_CHALLENGE, "code_challenge_method": "S256"}
    params = {**asked, "scope": ASKED, "username": "ada@example.com", "password": PASSWORD}
    with captured() as lines:
        outcome = await challenge(front).answer(
            params, authorization=None, caller=Caller("192.0.2.1", "tests", "req")
        )
    assert isinstance(outcome, Code)
    tokens = await front.redeem(TV, outcome.authorization_code)
    assert tokens["scope"] == "openid orders:read"
    assert told(lines) == [
        ("tv", "phone", None),
        ("tv", "address", None),
        ("tv", "orders:raed", "orders:read"),
    ]
