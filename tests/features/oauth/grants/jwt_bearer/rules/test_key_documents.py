"""Documents of a trusted issuer: metadata of its own name, usable keys, and how long they are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorward.features.oauth.grants.jwt_bearer.rules.key_documents import (
    KEPT,
    LEAST,
    MOST,
    BadIssuerDocument,
    discovery_url,
    jwks_uri_of,
    kept_for,
    keys_of,
)
from tests.stand_ins.workloads import GitHubActions

ISSUER = "https://github.example"


def test_metadata_are_where_discovery_says() -> None:
    assert discovery_url("https://a.example/x/") == "https://a.example/x/.well-known/openid-configuration"


@pytest.mark.parametrize(
    "document",
    [
        b"[]",
        b"{",
        b'{"issuer": "https://github.example/", "jwks_uri": "https://github.example/k"}',
        b'{"issuer": "https://github.example"}',
        b'{"issuer": "https://github.example", "jwks_uri": 7}',
        b'{"issuer": "https://github.example", "jwks_uri": "https://github.example/a\\nb"}',
        b'{"issuer": "https://github.example", "jwks_uri": ""}',
    ],
)
def test_metadata_of_another_issuer_or_without_keys_are_refused(document: bytes) -> None:
    with pytest.raises(BadIssuerDocument):
        jwks_uri_of(ISSUER, document)


def test_the_address_of_the_keys_is_taken() -> None:
    document = json.dumps({"issuer": ISSUER, "jwks_uri": "https://keys.example/k"}).encode()
    assert jwks_uri_of(ISSUER, document) == "https://keys.example/k"


@pytest.mark.parametrize(
    "document", [b"{", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AAAA"}]}']
)
def test_a_key_set_without_a_usable_key_is_refused(document: bytes) -> None:
    with pytest.raises(BadIssuerDocument):
        keys_of(ISSUER, document)


def test_usable_keys_are_found() -> None:
    jwks: dict[str, Any] = GitHubActions(origin=ISSUER).jwks()
    assert keys_of(ISSUER, json.dumps(jwks).encode()).knows("w1")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", KEPT),
        ("public", KEPT),
        ("max-age=600", 600),
        ("public, MAX-AGE = 600", 600),
        ("max-age=0", LEAST),
        ("max-age=99999999", MOST),
        ("no-store, max-age=600", LEAST),
        ("no-cache", LEAST),
        ("s-maxage=10", KEPT),
        ("max-age=x", KEPT),
    ],
)
def test_keys_are_kept_as_long_as_the_answer_says_within_bounds(said: str, seconds: int) -> None:
    assert kept_for(said) == seconds
