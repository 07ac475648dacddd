"""Tests of the files outside a grant's folder that name it: the list of each grant, which may not grow unseen."""

from __future__ import annotations

import pytest

from tests.repository.test_where_to_add import MOST
from tools.grant_touch import GRANTS

LIST = "features/oauth/index.py"
"""One line for the folder."""
STORE = "storage/sql/store.py"
"""One line for the noun of what the grant rests on."""
KIND = "features/oauth/clients/rules/kinds.py"
"""What kind of app has the grant."""

OUTSIDE = {
    "api_key": [LIST],
    "device_code": [
        "core/model/client.py",
        "features/authn/flow/outcomes.py",
        "features/index.py",
        KIND,
        LIST,
        STORE,
    ],
    "jwt_bearer": [
        "cli/app.py",
        "features/admin/build.py",
        LIST,
        "features/oauth/revocation/service.py",
        "ops/doctor/doctor.py",
        STORE,
    ],
    "token_exchange": [
        "cli/app.py",
        "core/model/client.py",
        "features/oauth/clients/rules/registration.py",
        LIST,
        "features/sessions/grant_revoker.py",
        STORE,
    ],
}
"""The decision on files of grants says why these lists are as long as they are."""


@pytest.mark.parametrize("grant", GRANTS.names)
def test_no_other_file_names_the_grant(grant: str) -> None:
    """A file that is new here: keep what it needs in the folder of the grant, or add it to the list with its reason in the decision. A file
    that is gone: remove it from the list."""
    assert GRANTS.touched(grant) == sorted(OUTSIDE[grant])


@pytest.mark.parametrize("grant", GRANTS.names)
def test_a_grant_is_named_in_six_files_at_most(grant: str) -> None:
    assert len(OUTSIDE[grant]) <= MOST


def test_every_grant_but_the_first_three_has_its_words() -> None:
    """Those that OAuth 2.1 itself defines are what the others were added to."""
    folders = {path.name for path in GRANTS.folder.iterdir() if (path / "__init__.py").is_file()}
    assert folders - {"authorization_code", "refresh_token", "client_credentials"} == set(GRANTS.names)


@pytest.mark.parametrize(
    ("text", "grant", "is_named"),
    [
        ("TokenExchangeGrant", "token_exchange", True),
        ("doorward.features.oauth.grants.token_exchange.build", "token_exchange", True),
        ("exchanges", "token_exchange", True),
        ("exchange", "token_exchange", False),
        ("TRUSTED_ISSUER", "jwt_bearer", True),
        ("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "jwt_bearer", False),
        ("device_authorization_endpoint", "device_code", True),
        ("remembered_devices", "device_code", False),
        ("doorward.features.oauth.grants.api_key.build", "api_key", True),
        ("api_keys", "api_key", False),
    ],
)
def test_identifiers_and_addresses_are_split_into_words(text: str, grant: str, is_named: bool) -> None:
    assert GRANTS.named(text, grant) is is_named
