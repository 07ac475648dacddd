"""Do two spellings of a URL name the same API, and nothing else?"""

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
def test_one_api_in_any_spelling(spelled: str) -> None:
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
def test_equal_by_the_syntax_of_urls(one: str, other: str) -> None:
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
def test_another_url_is_another_api(other: str) -> None:
    assert not same(other, API)
    assert find(other, (API,)) is None


@pytest.mark.parametrize("other", ["urn:example:Orders", "URN:example:orders", "urn:example:orders/"])
def test_what_is_no_web_address_is_compared_exactly(other: str) -> None:
    assert not same(other, "urn:example:orders")
    assert canonical(other) == other


def test_of_two_registered_spellings_only_the_exact_one_is_meant() -> None:
    both = (API, API + "/")
    assert find(API, both) == API
    assert find(API + "/", both) == API + "/"
    assert find(API + ":443", both) is None


@given(st.text(max_size=40))
def test_anything_at_all_has_a_form_of_its_own(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert same(text, once)
