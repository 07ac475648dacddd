"""Does a public app pass with nothing, and only with nothing?"""

from __future__ import annotations

from doorward.core.model.secret import Secret
from doorward.features.oauth.client_auth.methods.none import rules as none
from doorward.features.oauth.client_auth.rules.presented import Presented
from tests.features import made


def test_a_public_app_shows_nothing() -> None:
    assert none.check(Presented("none", "app_spa"), made.public()) is None


def test_an_app_that_holds_a_credential_never_passes_without_it() -> None:
    assert none.check(Presented("none", "app_web"), made.client()) is not None
    assert none.check(Presented("none", "app_web"), made.public(jwks={"keys": []} | {"x": 1})) is not None
    assert none.check(Presented("none", "app_spa", Secret("x")), made.public()) is not None
