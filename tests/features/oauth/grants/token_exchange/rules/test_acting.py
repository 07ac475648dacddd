"""Actors of an exchanged token (RFC 8693 §4.1, §4.4): who acts, who may, and that nobody is dropped."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.grants.token_exchange.rules.acting import MOST_ACTORS, Acting, chain, decide
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from tests.features import made

DELEGATE = ExchangePolicy(apis=("a",))
IMPERSONATE = ExchangePolicy(apis=("a",), impersonate=True)
API_APP = made.client(id="app_api")


def token(**changes: Any) -> PresentedToken:
    values: dict[str, Any] = {
        "prefix": "grt_one",
        "subject": "usr_ada",
        "client_id": "app_web",
        "audience": made.API,
        "scopes": (),
        "until": made.NOW,
    }
    return PresentedToken(**{**values, **changes})


def decided(
    subject: PresentedToken,
    actor: PresentedToken | None = None,
    policy: ExchangePolicy = DELEGATE,
    client: Any = API_APP,
) -> Acting | OAuthError:
    return decide(subject, actor, client=client, policy=policy, issuer=made.ISSUER)


EVE = token(subject="usr_eve", client_id="app_api")


def test_the_app_acts_that_presents_the_token_of_another_one() -> None:
    assert decided(token()) == Acting({"sub": "app_api"}, "app_api")
    assert decided(token(), EVE) == Acting({"sub": "usr_eve"}, "usr_eve")
    assert decided(token(client_id="app_api")) == Acting(None, None)
    assert decided(token(client_id="app_api"), EVE) == Acting({"sub": "usr_eve"}, "usr_eve")
    assert decided(token(), policy=IMPERSONATE) == Acting(None, None)
    assert decided(token(), EVE, IMPERSONATE) == Acting({"sub": "usr_eve"}, "usr_eve")


def test_an_actor_that_is_there_is_never_dropped() -> None:
    """keycloak PR#51492: neither by delegation, nor by impersonation, nor by an exchange of one's own token."""
    before = {"sub": "app_web", "act": {"sub": "usr_eve"}}
    assert decided(token(actor=before)) == Acting({"sub": "app_api", "act": before}, "app_api")
    assert decided(token(actor=before), EVE) == Acting({"sub": "usr_eve", "act": before}, "usr_eve")
    assert decided(token(actor=before), policy=IMPERSONATE) == Acting(before, None)
    assert decided(token(actor=before, client_id="app_api")) == Acting(before, None)


def test_an_actor_token_with_an_actor_is_refused() -> None:
    assert isinstance(decided(token(), token(subject="usr_eve", actor={"sub": "app_x"})), OAuthError)


@pytest.mark.parametrize("policy", [DELEGATE, IMPERSONATE])
@pytest.mark.parametrize("actor", [None, EVE])
@pytest.mark.parametrize("client_id", ["app_web", "app_api"])
def test_may_act_binds_in_every_form_of_request(
    policy: ExchangePolicy, actor: PresentedToken | None, client_id: str
) -> None:
    """keycloak#52691: also without an actor token, where the app that asks is the actor."""
    meant = "app_api" if actor is None else "usr_eve"
    for may_act, allowed in (
        ({"sub": meant}, True),
        ({"sub": meant, "iss": made.ISSUER}, True),
        ({"sub": meant, "iss": "https://other.example.com"}, False),
        ({"sub": "app_other"}, False),
        ({"sub": meant, "tenant": "one"}, False),
        ({"iss": made.ISSUER}, False),
        ({}, False),
    ):
        answer = decided(token(may_act=may_act, client_id=client_id), actor, policy)
        assert isinstance(answer, Acting) is allowed, may_act


def test_a_chain_is_bounded() -> None:
    act: dict[str, Any] | None = None
    for number in range(MOST_ACTORS):
        answer = decided(token(actor=act), client=made.client(id=f"app_{number}"))
        assert isinstance(answer, Acting)
        act = answer.act
    assert list(chain(act)) == [f"app_{number}" for number in reversed(range(MOST_ACTORS))]
    assert isinstance(decided(token(actor=act)), OAuthError)
