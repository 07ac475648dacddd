"""Issuer metadata: the issuer must be identical, and only allowed URLs are fetched."""

from typing import Any

import msgspec
import pytest

from doorward_verify.metadata import (
    InvalidMetadata,
    NoMetadata,
    check_issuer,
    check_url,
    metadata_urls,
    parse_metadata,
)
from tests.verify.tokens import ISSUER

GOOD = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/jwks", "revocation_feed_endpoint": f"{ISSUER}/revocations"}


def document(**others: Any) -> bytes:
    return msgspec.json.encode(
        {name: value for name, value in {**GOOD, **others}.items() if value is not None}
    )


def test_good_metadata() -> None:
    found = parse_metadata(ISSUER, document())
    assert (found.jwks_uri, found.revocation_feed) == (f"{ISSUER}/jwks", f"{ISSUER}/revocations")
    assert parse_metadata(ISSUER, document(revocation_feed_endpoint=None)).revocation_feed is None


@pytest.mark.requirement(51)
@pytest.mark.parametrize(
    "named", [ISSUER + "/", ISSUER.upper(), "https://evil.example", "", None, 5, [ISSUER]]
)
def test_the_issuer_must_be_identical_to_the_requested_one(named: Any) -> None:
    with pytest.raises(InvalidMetadata, match="another issuer"):
        parse_metadata(ISSUER, document(issuer=named))


@pytest.mark.requirement(51)
def test_metadata_with_two_issuers_is_refused() -> None:
    with pytest.raises(InvalidMetadata, match="twice"):
        parse_metadata(ISSUER, document()[:-1] + b',"issuer":"https://evil.example"}')


@pytest.mark.requirement(50)
@pytest.mark.parametrize("member", ["jwks_uri", "revocation_feed_endpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/jwks",
        "http://auth.example.com/jwks",
        "https://auth.example.com:444/jwks",
        "https://auth.example.com@evil.example/jwks",
        "https://auth.example.com.evil.example/jwks",
        "file:///etc/passwd",
        "//evil.example/jwks",
        "/jwks",
        "https://[",
        5,
    ],
)
def test_endpoints_are_on_the_issuers_own_origin(member: str, url: Any) -> None:
    with pytest.raises(InvalidMetadata):
        parse_metadata(ISSUER, document(**{member: url}))


@pytest.mark.requirement(50)
def test_only_https_is_fetched_and_http_only_from_loopback() -> None:
    for good in (
        "https://a.example/x",
        "http://127.0.0.1:8000",
        "http://localhost:1",
        "http://[::1]:80/x",
        "http://127.9.9.9",
    ):
        assert check_url(good) == good
    for bad in (
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "ftp://a.example",
        "file:///x",
        "a.example",
    ):
        with pytest.raises(InvalidMetadata):
            check_url(bad)


def test_an_issuer_has_no_query_and_no_fragment() -> None:
    for bad in (ISSUER + "?x=1", ISSUER + "#x", "http://auth.example.com", "auth.example.com"):
        with pytest.raises(InvalidMetadata):
            check_issuer(bad)


@pytest.mark.parametrize("path", ["", "/", "/tenant/a", "/tenant/a/"])
def test_the_well_known_part_comes_before_the_path_or_in_the_openid_form_after_it(path: str) -> None:
    before, behind = metadata_urls(f"{ISSUER}{path}")
    assert before == f"{ISSUER}/.well-known/oauth-authorization-server{path.rstrip('/')}"
    assert behind == f"{ISSUER}{path.rstrip('/')}/.well-known/openid-configuration"


def test_metadata_may_lack_jwks_uri_when_the_caller_gives_one() -> None:
    for jwks_uri in (None, "https://keys.example.net/jwks", 5):
        found = parse_metadata(ISSUER, document(jwks_uri=jwks_uri), keys=False)
        assert (found.jwks_uri, found.revocation_feed) == (None, f"{ISSUER}/revocations")
    with pytest.raises(InvalidMetadata, match="jwks_uri="):
        parse_metadata(ISSUER, document(jwks_uri="https://keys.example.net/jwks"))
    with pytest.raises(InvalidMetadata, match="another issuer"):
        parse_metadata(ISSUER, document(issuer="https://evil.example"), keys=False)


def test_an_html_page_is_no_metadata() -> None:
    with pytest.raises(NoMetadata):
        parse_metadata(ISSUER, b"<!doctype html>")


def test_metadata_must_be_an_object_of_limited_size() -> None:
    for bad in (b"", b"[]", b"{}", document(x="y" * 200_000), document(jwks_uri=None)):
        with pytest.raises(InvalidMetadata):
            parse_metadata(ISSUER, bad)
