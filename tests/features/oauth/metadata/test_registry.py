"""Is what the server offers listed by hand, and is every plug on the list?"""

from __future__ import annotations

from typing import get_args

import pytest

from doorward.core.model.client import ClientAuthMethod, GrantType
from doorward.features.oauth.metadata import registry as index


def test_every_client_authentication_and_grant_of_the_model_is_offered_and_nothing_else() -> None:
    assert set(index.CLIENT_AUTHENTICATIONS) == set(get_args(ClientAuthMethod))
    assert set(index.GRANTS) == set(get_args(GrantType))


@pytest.mark.requirement(7)
def test_neither_implicit_nor_password_grant_is_on_the_list() -> None:
    assert not {"password", "implicit"} & set(index.GRANTS)


@pytest.mark.requirement(40)
def test_no_symmetric_or_missing_algorithm_is_accepted_from_an_app() -> None:
    assert not [alg for alg in index.ASSERTION_ALGORITHMS if alg.startswith("HS") or alg.lower() == "none"]
