"""Metadata of a provider: only its own, and only addresses that may be called."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from doorward.features.authn.providers.rules import metadata
from doorward.features.authn.providers.rules.metadata import BadProviderMetadata, ProviderMetadata

ISSUER = "https://accounts.example.com/tenant"
GOOD: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize?tenant=1",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": "https://keys.example.net/",
}


def parsed(local: bool = False, **changes: Any) -> ProviderMetadata:
    members = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return metadata.parse_provider_metadata(ISSUER, msgspec.json.encode(members), local=local)


def test_the_place_is_below_the_issuer() -> None:
    assert metadata.metadata_url(ISSUER) == f"{ISSUER}/.well-known/openid-configuration"
    assert metadata.metadata_url("https://a.example/") == "https://a.example/.well-known/openid-configuration"


def test_what_is_used_is_read() -> None:
    found = parsed(userinfo_endpoint=f"{ISSUER}/me", authorization_response_iss_parameter_supported=True)
    assert found.token_endpoint == f"{ISSUER}/token"
    assert found.userinfo_endpoint == f"{ISSUER}/me"
    assert found.names_issuer
    assert not parsed().names_issuer
    assert parsed().userinfo_endpoint is None


@pytest.mark.requirement(51)
@pytest.mark.parametrize("issuer", [f"{ISSUER}/", "https://evil.example", ISSUER.upper(), None, 1])
def test_another_issuer_is_refused(issuer: object) -> None:
    with pytest.raises(BadProviderMetadata, match="the settings name"):
        parsed(issuer=issuer)


@pytest.mark.requirement(63)
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "url",
    [
        None,
        1,
        "",
        "/token",
        "http://accounts.example.com/",
        "http://127.0.0.1/",
        "javascript:alert(1)",
        "https://u:p@accounts.example.com/",
        "https://accounts.example.com/#x",
        "https://accounts.example.com/ x",
        "https://[/",
        "https://ä.example/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_an_address_that_may_not_be_called_is_refused(name: str, url: object) -> None:
    changed: dict[str, Any] = {name: url}
    with pytest.raises(BadProviderMetadata, match=name):
        parsed(**changed)


def test_http_is_for_this_machine_in_development() -> None:
    assert parsed(local=True, jwks_uri="http://localhost:1/").jwks_uri == "http://localhost:1/"
    with pytest.raises(BadProviderMetadata):
        parsed(local=True, jwks_uri="http://keys.example.net/")


@pytest.mark.parametrize("document", [b"", b"[]", b"<html>", b'{"issuer": "a", "issuer": "b"}'])
def test_what_is_no_object_is_refused(document: bytes) -> None:
    with pytest.raises(BadProviderMetadata):
        metadata.parse_provider_metadata(ISSUER, document)


@pytest.mark.requirement(91)
def test_the_issuer_of_a_response_is_the_one_that_was_asked() -> None:
    """RFC 9207 §2.4: compared to the letter, and required where the metadata promises it."""
    promised = parsed(authorization_response_iss_parameter_supported=True)
    for one in (promised, parsed()):
        assert metadata.response_issuer_problem(one, ISSUER) is None
        assert metadata.response_issuer_problem(one, f"{ISSUER}/") is not None
        assert metadata.response_issuer_problem(one, "") is not None
    assert metadata.response_issuer_problem(promised, None) is not None
    assert metadata.response_issuer_problem(parsed(), None) is None
