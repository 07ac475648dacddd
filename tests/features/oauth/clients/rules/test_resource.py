"""Resource URL comparison: two spellings of one URL name the same API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.oauth.clients.rules.resource import canonical, find, same

API = "https://api.example.com"


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "spelled",
    [
        API,
        API + "/",
        "https://API.Example.COM",
        "HTTPS://api.example.com/",
        "https://api.example.com:443",
        "https://api.example.com:443/",
    ],
)
def test_one_api_is_found_in_any_spelling(spelled: str) -> None:
    assert same(spelled, API)
    assert find(spelled, ("urn:example:stock", API)) == API


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.example.com/v1/%7eada", "https://api.example.com/v1/~ada"),
        ("https://api.example.com/%c3%a9", "https://api.example.com/%C3%A9"),
        ("http://[::1]:80", "http://[0:0:0:0:0:0:0:1]/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/"),
    ],
)
def test_urls_equal_by_syntax_normalization_are_equal(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.requirement(37)
@pytest.mark.parametrize(
    "other",
    [
        "http://api.example.com",
        "https://api.example.com:444",
        "https://api.example.com/orders",
        "https://api.example.com//",
        "https://api.example.com?x=1",
        "https://api.example.com#",
        "https://api.example.com#orders",
        "https://ada@api.example.com",
        "https://@api.example.com",
        "https://api.example.com.",
        "https://api.example.com\n",
        "https://api.exam\tple.com",
        " https://api.example.com",
        "https:\\\\api.example.com",
        "https://api.example.com:99999",
        "https://[::1",
        "https:",
        "",
    ],
)
def test_a_different_url_is_a_different_api(other: str) -> None:
    assert not same(other, API)
    assert find(other, (API,)) is None


@pytest.mark.parametrize("other", ["urn:example:Orders", "URN:example:orders", "urn:example:orders/"])
def test_a_uri_that_is_not_a_web_url_is_compared_exactly(other: str) -> None:
    assert not same(other, "urn:example:orders")
    assert canonical(other) == other


def test_of_two_registered_spellings_only_the_exact_one_matches() -> None:
    both = (API, API + "/")
    assert find(API, both) == API
    assert find(API + "/", both) == API + "/"
    assert find(API + ":443", both) is None


@given(st.text(max_size=40))
def test_any_text_has_a_canonical_form(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert same(text, once)
