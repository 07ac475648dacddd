"""Scope and resource: the API that a token is for, and the scopes that the app may request there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, ConfigSnapshot, Permission
from doorward.features.oauth.clients.rules import scope
from doorward.features.oauth.clients.rules.scope import Ignored, Target, ignored, target
from tests.features import made

STOCK = "urn:example:stock"
CONFIG = made.config(
    apis={
        made.API: made.config().apis[made.API],
        STOCK: Api(
            "api_stock", STOCK, "stock", (Permission("stock:read"), Permission("orders:read")), made.NOW
        ),
        "urn:example:foreign": Api("api_foreign", "urn:example:foreign", "foreign", (), made.NOW),
    }
)
ONE = made.client()
TWO = made.client(access={made.API: ("orders:read", "orders:write"), STOCK: ("stock:read", "orders:read")})
NONE = made.client(access={})


def ask(
    client: Client, scope: str | None, resource: str | None = None, config: ConfigSnapshot = CONFIG
) -> Any:
    return target(config=config, client=client, issuer=made.ISSUER, scope=scope, resource=resource)


@pytest.mark.requirement(37)
def test_the_only_api_is_the_default() -> None:
    assert ask(ONE, "openid orders:read") == Target(("openid", "orders:read"), made.API)
    assert ask(ONE, "openid") == Target(("openid",), made.API)


@pytest.mark.requirement(37)
def test_resource_selects_one_of_several() -> None:
    assert ask(TWO, "orders:read", STOCK).audience == STOCK
    assert ask(TWO, "orders:read", made.API).audience == made.API
    assert ask(TWO, "openid", made.ISSUER).audience == made.ISSUER


@pytest.mark.requirement(37)
def test_without_resource_the_scopes_select_the_api() -> None:
    assert ask(TWO, "orders:write").audience == made.API
    assert ask(TWO, "openid stock:read").audience == STOCK
    assert ask(TWO, "openid email").audience == made.ISSUER
    assert ask(TWO, None).audience == made.ISSUER
    for unclear in ("orders:read", "orders:write stock:read"):
        assert ask(TWO, unclear).code == "invalid_target"


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "resource",
    ["urn:example:foreign", "urn:example:nowhere", made.API + "/orders", STOCK.upper(), "orders", "", "*"],
)
def test_an_api_not_granted_to_the_app_is_refused(resource: str) -> None:
    refused = ask(ONE, "openid", resource)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_target"


def test_a_removed_api_is_refused() -> None:
    gone = made.config(apis={})
    assert ask(ONE, "openid", config=gone).audience == made.ISSUER
    assert ask(ONE, "openid", made.API, config=gone).code == "invalid_target"


@pytest.mark.requirement(21)
@pytest.mark.parametrize(
    "scope", ["orders:delete", "Orders:read", "stock:read", "openid stock:read", "phone", "phone address"]
)
def test_a_scope_not_allowed_for_the_app_is_refused(scope: str) -> None:
    refused = ask(ONE, scope)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_scope"
    # the client must not learn which other scopes exist
    assert "orders:read" not in refused.description


def test_the_log_names_the_nearest_scope_and_the_fix() -> None:
    misspelt = ask(ONE, "orders:raed")
    assert "nearest orders:read" in misspelt.reason
    assert "doorward app set" not in misspelt.fix
    # the option replaces the list, so the command includes what the app already has
    reader = made.client(access={made.API: ("orders:read",)}, name="Corner shop")
    assert (
        f"doorward app set 'Corner shop' --api {made.API}:orders:read,orders:write"
        == ask(reader, "orders:write").fix
    )
    # without an API the audience is the issuer, which `--api` cannot name
    assert "--api stock:stock:read" in ask(NONE, "stock:read").fix


def test_the_logged_command_quotes_a_scope_as_one_shell_word() -> None:
    config = made.config(apis={made.API: Api("api_x", made.API, "x", (Permission("a';reboot'"),), made.NOW)})
    fix = ask(made.client(access={made.API: ()}), "a';reboot'", config=config).fix
    assert shlex.split(fix)[-1] == f"{made.API}:a';reboot'"


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "é", "a\tb", "a\nb", "\x7f", "orders:read\x0bopenid"])
def test_a_malformed_scope_is_refused(scope: str) -> None:
    assert ask(ONE, scope).code == "invalid_scope"


def test_order_is_kept_and_duplicates_are_removed() -> None:
    assert ask(ONE, " openid  orders:read openid ").scopes == ("openid", "orders:read")
    assert ask(ONE, None).scopes == ()
    assert ask(NONE, "openid").audience == made.ISSUER


def test_openid_scopes_can_be_withheld_from_an_app() -> None:
    assert ask(made.client(oidc_scopes=("openid",)), "openid email").code == "invalid_scope"


@pytest.mark.parametrize("scope", ["phone", "orders:raed", "openid phone stock:read", "profile address"])
def test_an_app_acting_for_itself_gets_an_error_for_unknown_scopes(scope: str) -> None:
    refused = target(config=CONFIG, client=ONE, issuer=made.ISSUER, scope=scope, resource=None, person=False)
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_scope"


def test_with_openid_an_undefined_scope_is_ignored() -> None:
    assert ask(ONE, "openid phone address orders:read orders:raed") == Target(
        ("openid", "orders:read"), made.API
    )
    # ignored scopes do not count when the scopes select the API
    assert ask(TWO, "openid phone stock:read").audience == STOCK


def test_ignored_scopes_are_reported_with_the_nearest_name() -> None:
    assert ignored(CONFIG, ONE, "openid phone orders:raed") == (
        Ignored("phone", None),
        Ignored("orders:raed", "orders:read"),
    )
    assert ignored(CONFIG, ONE, "openid orders:read") == ()
    assert ignored(CONFIG, ONE, None) == ()
    # defined, but not granted to the app: an error, not ignored
    assert ignored(CONFIG, ONE, "openid stock:read") == ()


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "spelled", [made.API + "/", "HTTPS://api.example.com", "https://API.example.com:443/"]
)
def test_a_resource_is_compared_as_a_url_and_answered_as_registered(spelled: str) -> None:
    assert ask(ONE, "openid", spelled) == Target(("openid",), made.API)
    assert ask(TWO, "openid", made.ISSUER + "/").audience == made.ISSUER


def test_only_some_of_thousands_of_ignored_names_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0052-the-nearest-of-thousands-of-scopes.md"""
    looked_for: list[str] = []

    def nearest(name: str, among: Sequence[str], n: int) -> list[str]:
        looked_for.append(name)
        return list(among[:n])

    monkeypatch.setattr(scope, "get_close_matches", nearest)
    names = [f"{number}{'x' * 100}" for number in range(5000)]
    assert len(ignored(CONFIG, ONE, " ".join(["openid", *names]))) == scope.MOST_TOLD
    assert len(looked_for) == scope.MOST_TOLD
    assert max(map(len, looked_for)) <= 80
