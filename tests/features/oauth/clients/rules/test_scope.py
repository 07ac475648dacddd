"""Which API is a token for, and may this app ask for these scopes there?"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pytest

from doorward.core.errors import Refusal
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Catalog, Permission
from doorward.features.oauth.clients.rules import scope
from doorward.features.oauth.clients.rules.scope import Ignored, Target, ignored, target
from tests.features import made

STOCK = "urn:example:stock"
CATALOG = made.catalog(
    apis={
        made.API: made.catalog().apis[made.API],
        STOCK: Api(
            "api_stock", STOCK, "stock", (Permission("stock:read"), Permission("orders:read")), made.NOW
        ),
        "urn:example:foreign": Api("api_foreign", "urn:example:foreign", "foreign", (), made.NOW),
    }
)
ONE = made.client()
TWO = made.client(access={made.API: ("orders:read", "orders:write"), STOCK: ("stock:read", "orders:read")})
NONE = made.client(access={})


def ask(client: Client, scope: str | None, resource: str | None = None, catalog: Catalog = CATALOG) -> Any:
    return target(catalog=catalog, client=client, issuer=made.ISSUER, scope=scope, resource=resource)


@pytest.mark.requirement(37)
def test_the_only_api_is_meant() -> None:
    assert ask(ONE, "openid orders:read") == Target(("openid", "orders:read"), made.API)
    assert ask(ONE, "openid") == Target(("openid",), made.API)


@pytest.mark.requirement(37)
def test_resource_names_one_of_several() -> None:
    assert ask(TWO, "orders:read", STOCK).audience == STOCK
    assert ask(TWO, "orders:read", made.API).audience == made.API
    assert ask(TWO, "openid", made.ISSUER).audience == made.ISSUER


@pytest.mark.requirement(37)
def test_without_resource_the_scopes_may_tell() -> None:
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
def test_an_api_that_is_not_this_apps_is_no_target(resource: str) -> None:
    refused = ask(ONE, "openid", resource)
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_target"


def test_an_api_that_was_removed_is_no_target() -> None:
    gone = made.catalog(apis={})
    assert ask(ONE, "openid", catalog=gone).audience == made.ISSUER
    assert ask(ONE, "openid", made.API, catalog=gone).code == "invalid_target"


@pytest.mark.requirement(21)
@pytest.mark.parametrize(
    "scope", ["orders:delete", "Orders:read", "stock:read", "openid stock:read", "phone", "phone address"]
)
def test_what_the_app_may_not_ask_for_is_refused(scope: str) -> None:
    refused = ask(ONE, scope)
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_scope"
    # the client hears nothing of what else there is
    assert "orders:read" not in refused.say


def test_the_log_hears_the_nearest_and_the_fix() -> None:
    misspelt = ask(ONE, "orders:raed").because
    assert "nearest orders:read" in misspelt
    assert "doorward app set" not in misspelt
    # the option replaces: what the app has already is in the command too
    reader = made.client(access={made.API: ("orders:read",)}, name="Corner shop")
    assert (
        f"Fix: doorward app set 'Corner shop' --api {made.API}:orders:read,orders:write"
        in ask(reader, "orders:write").because
    )
    # with no API at all the issuer is the audience, and no `--api` can name that
    assert "--api stock:stock:read" in ask(NONE, "stock:read").because


def test_what_is_pasted_from_the_log_into_a_shell_is_one_word() -> None:
    catalog = made.catalog(
        apis={made.API: Api("api_x", made.API, "x", (Permission("a';reboot'"),), made.NOW)}
    )
    because = ask(made.client(access={made.API: ()}), "a';reboot'", catalog=catalog).because
    assert shlex.split(because.partition("Fix: ")[2])[-1] == f"{made.API}:a';reboot'"


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "é", "a\tb", "a\nb", "\x7f", "orders:read\x0bopenid"])
def test_malformed_scope(scope: str) -> None:
    assert ask(ONE, scope).code == "invalid_scope"


def test_order_stays_and_twice_is_once() -> None:
    assert ask(ONE, " openid  orders:read openid ").scopes == ("openid", "orders:read")
    assert ask(ONE, None).scopes == ()
    assert ask(NONE, "openid").audience == made.ISSUER


def test_openid_scopes_can_be_kept_from_an_app() -> None:
    assert ask(made.client(oidc_scopes=("openid",)), "openid email").code == "invalid_scope"


@pytest.mark.parametrize("scope", ["phone", "orders:raed", "openid phone stock:read", "profile address"])
def test_what_an_app_that_acts_for_itself_asks_for_is_never_left_out(scope: str) -> None:
    refused = target(
        catalog=CATALOG, client=ONE, issuer=made.ISSUER, scope=scope, resource=None, person=False
    )
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_scope"


def test_with_openid_a_name_that_nothing_defines_is_left_out() -> None:
    assert ask(ONE, "openid phone address orders:read orders:raed") == Target(
        ("openid", "orders:read"), made.API
    )
    # what is left out does not count when the API is found by the scopes
    assert ask(TWO, "openid phone stock:read").audience == STOCK


def test_what_is_left_out_is_told_with_the_nearest() -> None:
    assert ignored(CATALOG, ONE, "openid phone orders:raed") == (
        Ignored("phone", None),
        Ignored("orders:raed", "orders:read"),
    )
    assert ignored(CATALOG, ONE, "openid orders:read") == ()
    assert ignored(CATALOG, ONE, None) == ()
    # not the app's, but defined: that is refused, not left out
    assert ignored(CATALOG, ONE, "openid stock:read") == ()


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "spelled", [made.API + "/", "HTTPS://api.example.com", "https://API.example.com:443/"]
)
def test_a_resource_is_compared_as_a_url_and_answered_as_registered(spelled: str) -> None:
    assert ask(ONE, "openid", spelled) == Target(("openid",), made.API)
    assert ask(TWO, "openid", made.ISSUER + "/").audience == made.ISSUER


def test_of_thousands_of_names_some_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/incidents/0052-the-nearest-of-thousands-of-scopes.md"""
    looked_for: list[str] = []

    def nearest(name: str, among: Sequence[str], n: int) -> list[str]:
        looked_for.append(name)
        return list(among[:n])

    monkeypatch.setattr(scope, "get_close_matches", nearest)
    names = [f"{number}{'x' * 100}" for number in range(5000)]
    assert len(ignored(CATALOG, ONE, " ".join(["openid", *names]))) == scope.MOST_TOLD
    assert len(looked_for) == scope.MOST_TOLD
    assert max(map(len, looked_for)) <= 80
