"""Tests of addresses in pages: their allowed targets, and the form of our own paths."""

from __future__ import annotations

import pytest

from doorward.web.pages.addresses import host_of, inward, with_links

ISSUER = "https://auth.example.com"


def test_a_path_follows_the_issuer_s_path() -> None:
    assert inward(ISSUER, "/sign-in") == "/sign-in"
    assert inward(ISSUER + "/tenant/", "/sign-in", flow="a&b") == "/tenant/sign-in?flow=a%26b"


def test_parameters_are_added_once_and_all_of_them() -> None:
    assert inward(ISSUER, "/a?x=1", x="2", y="3", z=None) == "/a?x=1&y=3"


@pytest.mark.parametrize(
    "path", ["", "a", "//evil.example", "/\\evil.example", "https://evil.example", "/\n/evil"]
)
def test_a_path_never_leads_to_another_host(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        inward(ISSUER, path)


def test_the_host_of_the_issuer_is_shown() -> None:
    assert host_of("http://localhost:8000/x") == "localhost:8000"


def test_only_web_addresses_in_text_become_links() -> None:
    text = 'See https://a.example/x?y=1&z="2", (http://b.example). javascript:alert(1) <b>'
    assert with_links(text) == (
        'See <a href="https://a.example/x?y=1&amp;z=">https://a.example/x?y=1&amp;z=</a>&#34;2&#34;, '
        '(<a href="http://b.example">http://b.example</a>). javascript:alert(1) &lt;b&gt;'
    )
