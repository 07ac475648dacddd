"""Access that an assertion gives: what rules, apps, APIs and people have in common now."""

from __future__ import annotations

from typing import Any

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.entitlement import Entitlement
from doorward.core.model.trusted_issuer import JWT_BEARER, IssuerRule, TrustedIssuer
from doorward.features.authn.flow.rules.policy import StepDemand
from doorward.features.oauth.grants.jwt_bearer.rules.access import check_factors, of_person, of_workload
from doorward.features.oauth.grants.jwt_bearer.rules.assertion import BadAssertion
from doorward.features.oauth.grants.jwt_bearer.rules.conditions import Fitting
from doorward.features.oauth.tokens.rules import id_jag
from tests.features import made
from tests.manual_clock import NOW

TRUSTED = TrustedIssuer(
    id="tis_one", name="IdP", issuer="https://idp.example", grant_id="tis_now", created_at=NOW, id_jag=True
)
APP = made.client(grant_types=(JWT_BEARER,), redirect_uris=())
STOCK = "urn:example:stock"


def worth(access: Any = None, app: Client = APP, **form: str) -> tuple[Client, Entitlement] | OAuthError:
    rule = IssuerRule(name="deploy", client_id=app.id, claims={"sub": "x"}, access=access or {})
    return of_workload(Fitting(app.id, (rule,)), TRUSTED, form, config=made.config(app), issuer=made.ISSUER)


@pytest.mark.requirement(26)
def test_a_workload_acts_as_its_app_under_the_issuers_id() -> None:
    found = worth()
    assert not isinstance(found, OAuthError)
    client, entitlement = found
    assert client is APP
    assert (entitlement.account_id, entitlement.client_id) == (None, APP.id)
    assert entitlement.grant_id == "tis_now"
    assert entitlement.scopes == ("orders:read", "orders:write")


def test_a_rule_narrows_and_never_widens() -> None:
    found = worth({made.API: ("orders:read", "orders:delete"), STOCK: ("x",)})
    assert not isinstance(found, OAuthError)
    assert found[1].scopes == ("orders:read",)
    beyond = worth({made.API: ("orders:read",)}, scope="orders:write")
    assert isinstance(beyond, OAuthError)
    assert beyond.code == "invalid_scope"
    nothing = worth({STOCK: ("x",)})
    assert isinstance(nothing, OAuthError)


def test_an_app_that_is_gone_or_may_not_use_the_grant_gets_nothing() -> None:
    rule = IssuerRule(name="deploy", client_id="app_gone", claims={"sub": "x"})
    gone = of_workload(Fitting("app_gone", (rule,)), TRUSTED, {}, config=made.config(APP), issuer=made.ISSUER)
    assert isinstance(gone, OAuthError)
    assert gone.code == "invalid_grant"
    assert "doorward issuer disallow IdP deploy" in gone.fix
    other = worth(app=made.client())
    assert isinstance(other, OAuthError)
    assert other.code == "unauthorized_client"


def jag(**changes: Any) -> id_jag.IdJag:
    values: dict[str, Any] = {
        "iss": TRUSTED.issuer,
        "sub": "p1",
        "aud": made.ISSUER,
        "client_id": APP.id,
        "jti": "j",
        "exp": NOW + 300,
        "iat": NOW,
        "scope": "orders:read orders:write openid roles unknown",
    }
    return id_jag.IdJag(**(values | changes))


def asked(said: id_jag.IdJag, roles: tuple[str, ...] = ("reader",), **form: str) -> Entitlement | OAuthError:
    return of_person(
        said,
        TRUSTED,
        made.account(role_names=roles),
        APP,
        form,
        config=made.config(APP),
        issuer=made.ISSUER,
    )


def test_a_person_gives_what_roles_app_and_api_have_in_common_now() -> None:
    for said in (jag(), jag(resource=made.API), jag(scope=None), jag(scope=None, resource=made.API + "/")):
        found = asked(said)
        assert isinstance(found, Entitlement)
        assert (found.account_id, found.client_id, found.grant_id) == ("usr_ada", APP.id, "tis_now")
        assert (found.scopes, found.roles, found.session_id) == (("orders:read",), ("reader",), None)
    nobody = asked(jag(), roles=())
    assert isinstance(nobody, OAuthError)
    assert nobody.code == "invalid_scope"


def test_the_request_only_narrows_what_the_assertion_says() -> None:
    assert isinstance(asked(jag(scope="orders:write"), scope="orders:read"), OAuthError)
    found = asked(jag(scope=None), scope="orders:read")
    assert isinstance(found, Entitlement)
    empty = asked(jag(scope="openid"))
    assert isinstance(empty, OAuthError)


@pytest.mark.requirement(85)
@pytest.mark.parametrize("amr", [None, (), ("pwd",), ("otp", "pwd")])
def test_of_whom_a_second_factor_is_demanded_the_provider_has_to_have_seen_two(
    amr: tuple[str, ...] | None,
) -> None:
    demanded = StepDemand(steps=2, because="role")
    with pytest.raises(BadAssertion, match="role"):
        check_factors(jag(amr=amr), demanded)
    check_factors(jag(amr=amr), StepDemand())
    check_factors(jag(amr=("pwd", "mfa")), demanded)


@pytest.mark.requirement(37)
def test_an_assertion_for_one_api_gives_no_other() -> None:
    other = asked(jag(resource=made.API), resource=STOCK)
    assert isinstance(other, OAuthError)
    assert other.code == "invalid_target"
    unknown = asked(jag(resource=STOCK))
    assert isinstance(unknown, OAuthError)
    assert unknown.code == "invalid_target"
