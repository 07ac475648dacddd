"""Relying party ids."""

from __future__ import annotations

import pytest

from doorward.features.authn.factors.passkeys.rules.rp_id import default_rp_id, usable_rp_id


@pytest.mark.parametrize(
    ("issuer", "rp_id"),
    [
        ("https://auth.example.com", "auth.example.com"),
        ("https://Auth.Example.com:8443/tenant", "auth.example.com"),
        ("http://localhost:8000", "localhost"),
        ("http://127.0.0.1:8000", None),
        ("https://[2001:db8::1]/", None),
    ],
)
def test_the_relying_party_is_the_issuers_host_unless_that_is_an_address(
    issuer: str, rp_id: str | None
) -> None:
    assert default_rp_id(issuer) == rp_id


@pytest.mark.parametrize(
    ("rp_id", "issuer", "usable"),
    [
        ("auth.example.com", "https://auth.example.com", True),
        ("example.com", "https://auth.example.com", True),
        ("localhost", "http://localhost:8000", True),
        ("com", "https://auth.example.com", False),
        ("co.uk", "https://example.co.uk", False),
        ("github.io", "https://me.github.io", False),
        ("other.com", "https://auth.example.com", False),
        ("uth.example.com", "https://auth.example.com", False),
        ("127.0.0.1", "https://127.0.0.1", False),
        ("", "https://auth.example.com", False),
    ],
)
def test_a_relying_party_id_is_a_suffix_that_is_not_public(rp_id: str, issuer: str, usable: bool) -> None:
    assert usable_rp_id(rp_id, issuer) is usable
