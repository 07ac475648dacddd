"""Server metadata: what clients need, and nothing that is not supported."""

from __future__ import annotations

from typing import get_args

import pytest

from doorward.core.model.client import ResponseMode, SigningAlgorithm
from doorward.features.oauth.index import CLIENT_AUTH_METHODS, GRANT_TYPES
from doorward.features.oauth.metadata.rules import metadata
from doorward.features.oauth.tokens.rules.id_jag import PROFILE
from tests.features import made

SAID = metadata(
    made.ISSUER,
    locales=("en",),
    grant_types=[one.name for one in GRANT_TYPES],
    endpoints={name: path for one in GRANT_TYPES for name, path in one.endpoints.items()},
    client_auth=CLIENT_AUTH_METHODS,
    levels=("urn:doorward:aal1", "phr"),
)


def test_every_required_member_is_present() -> None:
    # RFC 8414 §2 and OpenID Connect Discovery 1.0 §3.
    assert {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    } <= SAID.keys()
    assert "RS256" in SAID["id_token_signing_alg_values_supported"]
    assert SAID["revocation_feed_endpoint"] == f"{made.ISSUER}/revocations"


@pytest.mark.requirement(4, 7, 8)
def test_only_code_with_s256_and_iss_is_offered() -> None:
    assert SAID["response_types_supported"] == ["code"]
    assert SAID["code_challenge_methods_supported"] == ["S256"]
    assert SAID["authorization_response_iss_parameter_supported"] is True
    assert not {"implicit", "password"} & set(SAID["grant_types_supported"])
    assert SAID["request_uri_parameter_supported"] is False


@pytest.mark.requirement(40, 42)
def test_no_weak_algorithm_is_offered() -> None:
    offered = {alg for name, value in SAID.items() if name.endswith("alg_values_supported") for alg in value}
    assert not {alg for alg in offered if alg.startswith("HS") or alg == "none"}
    assert set(SAID["id_token_signing_alg_values_supported"]) == set(get_args(SigningAlgorithm))
    assert set(SAID["response_modes_supported"]) == set(get_args(ResponseMode))


def test_a_profile_of_a_grant_is_named_where_there_is_one() -> None:
    # MCP's enterprise-managed authorization, § Discovery
    said = metadata(
        made.ISSUER,
        locales=(),
        grant_types=(),
        endpoints={},
        profiles=[PROFILE],
        client_auth=(),
        levels=(),
    )
    assert said["authorization_grant_profiles_supported"] == ["urn:ietf:params:oauth:grant-profile:id-jag"]
    assert "authorization_grant_profiles_supported" not in SAID


@pytest.mark.requirement(13)
def test_the_levels_are_those_that_people_can_reach() -> None:
    assert SAID["acr_values_supported"] == ["urn:doorward:aal1", "phr"]


@pytest.mark.requirement(56)
def test_public_apps_cannot_introspect() -> None:
    assert "none" not in SAID["introspection_endpoint_auth_methods_supported"]
    assert "none" in SAID["token_endpoint_auth_methods_supported"]
