"""Client authentication `none`: a public app passes without a credential, other apps do not."""

from __future__ import annotations

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.core.model.policy import TokenPolicy
from doorward.core.model.secret import Secret
from doorward.features.oauth.client_auth.method import Presented
from doorward.features.oauth.client_auth.methods.none.rules import PublicClient
from tests.features import made


def check(presented: Presented, client: Client) -> OAuthError | None:
    request = made.token_request()
    return PublicClient().verify(presented, client, request, issuer=made.ISSUER, policy=TokenPolicy())


def test_a_public_app_needs_no_credential() -> None:
    assert check(Presented("none", "app_spa"), made.public()) is None


def test_an_app_with_a_credential_never_passes_without_it() -> None:
    assert check(Presented("none", "app_web"), made.client()) is not None
    assert check(Presented("none", "app_web"), made.public(jwks={"keys": []} | {"x": 1})) is not None
    assert check(Presented("none", "app_spa", Secret("x")), made.public()) is not None
