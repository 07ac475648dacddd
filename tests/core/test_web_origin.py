"""Web origins as browsers write them, from any typed form."""

from __future__ import annotations

import pytest

from doorward.core.web_origin import web_origin
from tests.features.origins import ORIGINS


@pytest.mark.requirement(70)
@pytest.mark.parametrize(("url", "origin"), ORIGINS.items())
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str | None) -> None:
    assert web_origin(url) == origin


@pytest.mark.parametrize("url", [url for url, origin in ORIGINS.items() if origin is not None])
def test_normalising_an_origin_twice_changes_nothing(url: str) -> None:
    plain = web_origin(url)
    assert plain is not None
    assert web_origin(plain) == plain


@pytest.mark.parametrize(
    "url",
    [
        "",
        "auth.example.com",
        "//auth.example.com",
        "ftp://auth.example.com",
        "com.example.app:/x",
        "null",
        "https:///x",
    ],
)
def test_other_text_than_a_web_address_has_no_origin(url: str) -> None:
    assert web_origin(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://b\u00fccher.example",
        "https://xn--.example",
        "https://auth%20example.com",
        "https://a%FFb.example",
        "https://a\\b",
    ],
)
def test_names_in_other_scripts_and_broken_ones_are_refused(url: str) -> None:
    """Browsers would send the first one's `xn--` form; the operator must write that."""
    assert web_origin(url) is None
