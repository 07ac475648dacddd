"""The client_credentials grant: what an app gets that acts for itself."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.config_snapshot import Api, Permission
from doorward.core.model.entitlement import Entitlement
from doorward.features.oauth.grants.client_credentials.rules import check
from tests.features import made


def ask(client: Client | None = None, **form: str) -> Entitlement | OAuthError:
    app = client or made.client()
    return check(app, form, config=made.config(app), issuer=made.ISSUER, grant_id="grt_x")


@pytest.mark.requirement(26)
def test_an_app_gets_what_app_and_api_allow() -> None:
    given = ask(scope="orders:write orders:read openid")
    assert isinstance(given, Entitlement)
    assert given.account_id is None
    assert given.scopes == given.permissions == ("orders:write", "orders:read")
    assert given.roles == ()
    assert given.audience == made.API
    assert given.grant_id == "grt_x"


def test_without_scope_it_gets_everything_it_has_at_that_api() -> None:
    for form in ({}, {"scope": " "}, {"resource": made.API}, {"resource": made.API + "/"}):
        given = ask(None, **form)
        assert isinstance(given, Entitlement)
        assert given.scopes == given.permissions == ("orders:read", "orders:write")
        assert given.audience == made.API
    # a permission removed from the API is not granted
    gone = ask(made.client(access={made.API: ("orders:read", "orders:gone")}))
    assert isinstance(gone, Entitlement)
    assert gone.scopes == ("orders:read",)


@pytest.mark.parametrize(
    ("access", "form"),
    [
        ({}, {}),
        ({}, {"resource": made.ISSUER}),
        ({made.API: ()}, {}),
        ({made.API: ("orders:gone",)}, {}),
        ({made.API: ("orders:read",)}, {"resource": made.ISSUER}),
        ({made.API: ("orders:read",)}, {"scope": "openid"}),
    ],
)
def test_a_token_without_permissions_is_not_issued(
    access: dict[str, tuple[str, ...]], form: dict[str, str]
) -> None:
    error = ask(made.client(access=access), **form)
    assert isinstance(error, OAuthError)
    assert error.code == "invalid_scope"
    assert "doorward app set web --api" in error.fix


@pytest.mark.requirement(37)
def test_with_several_apis_the_resource_must_be_named() -> None:
    stock = "urn:example:stock"
    config = made.config(
        apis={
            **made.config().apis,
            stock: Api("api_stock", stock, "stock", (Permission("stock:read"),), made.NOW),
        }
    )
    app = made.client(access={made.API: ("orders:read",), stock: ("stock:read",)})

    def get(**form: str) -> Entitlement | OAuthError:
        return check(app, form, config=config, issuer=made.ISSUER, grant_id="grt_x")

    unsaid = get()
    assert isinstance(unsaid, OAuthError)
    assert unsaid.code == "invalid_target"
    said = get(resource=stock)
    assert isinstance(said, Entitlement)
    assert (said.audience, said.scopes) == (stock, ("stock:read",))


@pytest.mark.requirement(37)
def test_a_foreign_resource_or_scope_is_refused() -> None:
    target = ask(resource="https://other.example.com")
    assert isinstance(target, OAuthError)
    assert target.code == "invalid_target"
    scope = ask(scope="orders:delete")
    assert isinstance(scope, OAuthError)
    assert scope.code == "invalid_scope"


def test_a_public_app_is_refused() -> None:
    error = ask(made.public())
    assert isinstance(error, OAuthError)
    assert error.code == "unauthorized_client"
