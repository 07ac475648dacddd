"""Is an origin written as browsers write it, however it was typed?"""

from __future__ import annotations

import pytest

from doorward.core.web_origin import web_origin
from tests.features.origins import ORIGINS


@pytest.mark.requirement(70)
@pytest.mark.parametrize(("url", "origin"), ORIGINS.items())
def test_as_browsers_write_it(url: str, origin: str | None) -> None:
    assert web_origin(url) == origin


@pytest.mark.parametrize("url", [url for url, origin in ORIGINS.items() if origin is not None])
def test_once_written_so_it_stays_so(url: str) -> None:
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
def test_what_is_no_web_address_has_none(url: str) -> None:
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
    """Browsers would send the first one's `xn--` form; it is for the operator to write that."""
    assert web_origin(url) is None
