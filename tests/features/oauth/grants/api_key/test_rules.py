"""Rules of the API key grant: whose keys an app may exchange, and narrowing."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.features.api_keys.rules.cut import Allowed
from doorward.features.oauth.grants.api_key.rules import audiences, entitlement, narrowed
from tests.features import made
from tests.storage.samples_keys import api_key

CONFIG = made.config()
API_APP = made.client(id="app_orders")


def test_a_key_alone_may_be_for_any_api_and_a_resource_chooses() -> None:
    assert audiences(None, None, CONFIG) is None
    assert audiences(None, made.API, CONFIG) == {made.API}
    assert isinstance(audiences(None, "https://elsewhere.example", CONFIG), OAuthError)


def test_an_app_exchanges_keys_for_the_apis_as_which_it_introspects() -> None:
    assert audiences(API_APP, None, CONFIG) == {made.API}
    assert audiences(API_APP, made.API, CONFIG) == {made.API}
    for client, resource in (
        (made.client(), None),
        (made.public(id="app_orders"), None),
        (API_APP, "https://elsewhere.example"),
    ):
        assert isinstance(audiences(client, resource, CONFIG), OAuthError)


def test_scope_only_narrows() -> None:
    allowed = Allowed(("a", "b"), ("r",))
    assert narrowed(allowed, None) == narrowed(allowed, " ") == narrowed(allowed, "b a") == allowed
    assert narrowed(allowed, "b") == Allowed(("b",), ("r",))
    wider = narrowed(allowed, "a c")
    assert isinstance(wider, OAuthError)
    assert wider.code == "invalid_scope"


def test_the_key_is_the_client_of_a_persons_token() -> None:
    key = api_key()
    assert entitlement(key, Allowed(("a",))).client_id == key.id
    assert entitlement(api_key(account_id=None, client_id="app_x"), Allowed(("a",))).client_id == "app_x"
