"""Entitlement of an app that acts for itself, whatever proves it: also one without a credential of its own."""

from __future__ import annotations

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.entitlement import Entitlement
from doorward.features.oauth.clients.rules.for_itself import for_itself
from tests.features import made


@pytest.mark.requirement(26)
def test_a_public_app_gets_its_own_permissions_under_its_own_id() -> None:
    app = made.public()
    given = for_itself(app, {}, config=made.config(app), issuer=made.ISSUER, grant_id="tis_x")
    assert isinstance(given, Entitlement)
    assert (given.account_id, given.client_id, given.grant_id) == (None, app.id, "tis_x")
    assert given.scopes == ("orders:read", "orders:write")


def test_an_app_without_access_gets_none() -> None:
    app = made.public(access={})
    refused = for_itself(app, {}, config=made.config(app), issuer=made.ISSUER, grant_id="tis_x")
    assert isinstance(refused, OAuthError)
    assert refused.code == "invalid_scope"
