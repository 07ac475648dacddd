"""Ownership check before revocation."""

from __future__ import annotations

import pytest

from doorward.features.oauth.revocation.rules import owner
from tests.features import made


@pytest.mark.requirement(54)
def test_only_the_app_that_was_given_a_token_may_revoke_it() -> None:
    assert owner(made.client(), "app_web") is None
    error = owner(made.client(), "app_other")
    assert error is not None
    assert error.code == "unauthorized_client"
    assert "app_other" not in error.description
