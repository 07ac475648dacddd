"""Target of an exchange (RFC 8707 §2): one API that is allowed, and scopes that only become fewer."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.token_exchange import ExchangePolicy
from doorward.features.oauth.clients.rules.entitle import Granted
from doorward.features.oauth.grants.token_exchange.rules import target as rule
from doorward.features.oauth.grants.token_exchange.rules.presented import PresentedToken
from doorward.features.oauth.grants.token_exchange.rules.request import ACCESS_TOKEN, ExchangeRequest
from tests.features import made
from tests.features.oauth.grants.token_exchange.parties import BILLING, LEDGER, READER, api, billing, orders

APIS = {BILLING: api(BILLING, "billing"), LEDGER: api(LEDGER, "ledger"), made.API: api(made.API, "orders")}
CONFIG = made.config(orders(), billing(), made.client(), apis=APIS, roles={"reader": READER})
BOTH = ExchangePolicy(apis=(BILLING, LEDGER, "https://gone.example.com"))


def asked(**changes: Any) -> ExchangeRequest:
    values: dict[str, Any] = {
        "subject_token": "t",
        "subject": "access_token",
        "issued": ACCESS_TOKEN,
        "actor_token": None,
        "audience": None,
        "resource": None,
        "scope": None,
    }
    return ExchangeRequest(**{**values, **changes})


def aimed(policy: ExchangePolicy = BOTH, **changes: Any) -> str | OAuthError:
    return rule.audience(asked(**changes), client=orders(), policy=policy, config=CONFIG)


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "form",
    [
        {"resource": BILLING},
        {"resource": BILLING + "/"},
        {"audience": BILLING},
        {"audience": "billing"},
        {"audience": "app_billing"},
        {"resource": BILLING, "audience": "billing"},
    ],
)
def test_resource_and_audience_both_work(form: dict[str, str]) -> None:
    """keycloak#36870: `resource` counts as much as `audience`."""
    assert aimed(BOTH, **form) == BILLING


def test_the_only_api_need_not_be_named() -> None:
    assert aimed(ExchangePolicy(apis=(LEDGER,))) == LEDGER


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"resource": made.API},
        {"resource": "https://nowhere.example.com"},
        {"audience": "orders"},
        {"audience": "https://gone.example.com"},
        {"resource": BILLING, "audience": "ledger"},
        {"resource": BILLING, "audience": "nobody"},
        {"resource": "billing"},
    ],
)
def test_another_target_is_invalid(form: dict[str, str]) -> None:
    error = aimed(BOTH, **form)
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_target"


def test_the_nearest_is_named_for_the_operator() -> None:
    error = aimed(resource="https://biling.example.com")
    assert isinstance(error, OAuthError)
    assert f"nearest {BILLING}" in error.reason
    assert "biling" not in error.description


def subject(*scopes: str, **changes: Any) -> PresentedToken:
    values: dict[str, Any] = {
        "prefix": "grt_one",
        "subject": "usr_ada",
        "client_id": "app_web",
        "audience": made.API,
        "scopes": scopes,
        "until": made.NOW,
    }
    return PresentedToken(**{**values, **changes})


def cut(token: PresentedToken, scope: str | None = None, **changes: Any) -> Granted | OAuthError:
    given: dict[str, Any] = {"account": made.account(), "client": orders(), **changes}
    return rule.narrowed(
        asked(scope=scope),
        token,
        given["account"],
        target=BILLING,
        client=given["client"],
        config=CONFIG,
    )


@pytest.mark.requirement(36)
def test_scopes_only_become_fewer() -> None:
    """By the subject token, the app at the target, the API there, and the person's roles now."""
    writer = made.account(role_names=("writer",))
    all_of_them = subject("openid", "orders:read", "orders:write", "else")
    for given, expected in (
        (cut(all_of_them), ("orders:read",)),
        (cut(all_of_them, "orders:read"), ("orders:read",)),
        (cut(subject("orders:read"), "orders:read orders:write"), None),
        (cut(subject("openid"), "openid"), None),
        (cut(subject()), None),
        (cut(all_of_them, "orders:write"), None),
        (cut(all_of_them, account=writer), None),
        (cut(all_of_them, client=orders(access={})), None),
        (cut(all_of_them, client=orders(access={BILLING: ("orders:write",)})), None),
    ):
        if expected is None:
            assert isinstance(given, OAuthError)
            assert given.code == "invalid_scope"
        else:
            assert isinstance(given, Granted)
            assert given.scopes == given.permissions == expected


def test_an_app_as_subject_has_what_it_may_do_itself() -> None:
    alone = subject("orders:read", "orders:write", subject="app_billing", client_id="app_billing")
    answer = cut(alone, account=None)
    assert isinstance(answer, Granted)
    assert (answer.scopes, answer.roles) == (("orders:read", "orders:write"), ())
    for stranger in ("app_web", "app_gone"):
        assert isinstance(cut(subject("orders:read", subject=stranger), account=None), OAuthError)
