"""What does an app get that asks for itself?"""

from __future__ import annotations

import pytest

from doorward.model.client import Client
from doorward.model.entitlement import Entitlement
from doorward.model.refusal import Refusal
from doorward.rules.issue.grants.client_credentials import check
from tests.rules import made


def ask(client: Client | None = None, **form: str) -> Entitlement | Refusal:
    app = client or made.client()
    return check(app, form, catalog=made.catalog(app), issuer=made.ISSUER, grant_id="grt_x")


@pytest.mark.requirement(26)
def test_it_acts_as_itself_with_what_app_and_api_share() -> None:
    given = ask(scope="orders:write orders:read openid")
    assert isinstance(given, Entitlement)
    assert given.account_id is None
    assert given.scopes == given.permissions == ("orders:write", "orders:read")
    assert given.roles == ()
    assert given.audience == made.API
    assert given.grant_id == "grt_x"


def test_what_was_not_asked_for_is_not_given() -> None:
    given = ask()
    assert isinstance(given, Entitlement)
    assert given.scopes == ()


@pytest.mark.requirement(37)
def test_a_foreign_resource_or_scope_is_refused() -> None:
    target = ask(resource="https://other.example.com")
    assert isinstance(target, Refusal)
    assert target.code == "invalid_target"
    scope = ask(scope="orders:delete")
    assert isinstance(scope, Refusal)
    assert scope.code == "invalid_scope"


def test_a_public_app_cannot() -> None:
    refusal = ask(made.public())
    assert isinstance(refusal, Refusal)
    assert refusal.code == "unauthorized_client"
