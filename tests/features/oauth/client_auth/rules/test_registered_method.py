"""A credential counts only in the method that the app is registered for."""

from __future__ import annotations

import itertools

import pytest

from doorward.core.errors import OAuthError
from doorward.features.oauth.client_auth.method import Presented
from doorward.features.oauth.client_auth.rules.registered_method import registered
from tests.features import made

METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
)


SECRETS = {"client_secret_basic", "client_secret_post"}


@pytest.mark.requirement(24)
@pytest.mark.parametrize("pinned", [False, True])
@pytest.mark.parametrize(("used", "registration"), list(itertools.product(METHODS, METHODS)))
def test_a_secret_may_use_either_method_unless_pinned_and_nothing_replaces_it(
    used: str, registration: str, pinned: bool
) -> None:
    error = registered(Presented(used, "app_web"), made.client(auth_method=registration, auth_pinned=pinned))
    if used == registration or (not pinned and {used, registration} == SECRETS):
        assert error is None
    else:
        assert isinstance(error, OAuthError)
        assert error.code == "invalid_client"
        # The answer must not reveal which method would have been right.
        assert registration not in error.description
        assert ("--auth-method client_secret" in error.fix) is ({used, registration} == SECRETS)
