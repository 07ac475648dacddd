"""Client-ID metadata document: addresses, contents and how long a copy is fresh."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.json import encode

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.oauth.client_documents.rules import document as rule
from doorward.features.oauth.client_documents.rules.document import (
    address_problem,
    client_at,
    fresh_for,
    keys_problem,
    parse,
)
from tests.features import made

URL = "https://app.example.com/oauth/client.json"
pytestmark = pytest.mark.requirement(64)


@pytest.mark.parametrize(
    "url", [URL, "https://app.example.com:8443/a", "https://xn--bcher-kva.example/a", URL + "?v=1"]
)
def test_good_addresses(url: str) -> None:
    assert address_problem(url) is None
    assert keys_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/a",
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/a#b",
        "https://user@app.example.com/a",
        "https://user:pass@app.example.com/a",
        "https://app.example.com/../a",
        "https://app.example.com/%2e%2E/a",
        "https://APP.example.com/a",
        "https://app.example.com:443/a",
        "https://app.example.com:99999/a",
        "https://0x7f.1/a",
        "https://2130706433/a",
        "https:///a",
        "https://[::1/a",
        "https://app.example.com/a b",
        "https://app.example.com/a\\b",
        "https://ümlaut.example/a",
        "https://app.example.com/" + "a" * 500,
        "",
    ],
)
def test_bad_addresses(url: str) -> None:
    assert address_problem(url) is not None
    assert keys_problem(url) is not None


def read(**members: Any) -> Client | OAuthError:
    document = {"client_id": URL, "redirect_uris": ["https://app.example.com/cb"], **members}
    parsed = parse(URL, encode({name: value for name, value in document.items() if value is not None}))
    return (
        parsed
        if isinstance(parsed, OAuthError)
        else client_at(URL, *parsed, now=made.NOW, schemes=("cursor",))
    )


def test_a_document_of_an_editor_may_have_its_scheme() -> None:
    client = read(redirect_uris=["cursor://anysphere.cursor-mcp/oauth/callback", "http://localhost/cb"])
    assert isinstance(client, Client)
    assert (client.native, client.auth_method, client.pkce) == (True, "none", "required")
    assert isinstance(read(redirect_uris=["unheardof://x/cb"]), OAuthError)


def test_an_app_of_a_document() -> None:
    client = read(client_name="Example", logo_uri="https://169.254.169.254/")
    assert isinstance(client, Client)
    assert (client.id, client.auth_method, client.registered_by, client.first_party) == (
        URL,
        "none",
        "document",
        False,
    )


@pytest.mark.parametrize(
    "members",
    [
        {"client_id": URL + "/"},
        {"client_id": "https://APP.example.com/oauth/client.json"},
        {"client_id": None},
        {"client_id": 7},
        {"client_secret": "x"},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"redirect_uris": None},
        {"redirect_uris": ["javascript:x"]},
    ],
)
def test_what_is_refused(members: dict[str, Any]) -> None:
    assert isinstance(read(**members), OAuthError)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"x"', b'{"client_id": 1, "client_id": 2}', b"\xff", b"<html>", b"[" * 9000]
)
def test_what_is_no_document(body: bytes) -> None:
    assert isinstance(parse(URL, body), OAuthError)


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    assert isinstance(parse(URL, body), OAuthError)


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("", "", rule.FRESH),
        ("max-age=7200", "", 7200),
        ("public, max-age=7200", "200", 7000),
        ("max-age=1", "", rule.SHORTEST_FRESH),
        ("max-age=99999999", "", rule.LONGEST_FRESH),
        ("no-store", "", rule.SHORTEST_FRESH),
        ("max-age=7200, no-cache", "", rule.SHORTEST_FRESH),
        ("s-max-age=1", "x", rule.FRESH),
        ("MAX-AGE = 7200", "-5", 7200),
    ],
)
def test_how_long_a_copy_is_fresh(cache_control: str, age: str, seconds: int) -> None:
    assert fresh_for(cache_control, age) == seconds
