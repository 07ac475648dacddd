"""Private-use schemes without a domain in them: which may be permitted, and how they are named to people."""

from __future__ import annotations

import pytest

from doorward.features.oauth.clients.rules.private_schemes import (
    NEVER,
    WIDELY_USED,
    names_one_of,
    place,
    private_scheme,
    scheme_problem,
)

CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"

pytestmark = pytest.mark.requirement(3)


def test_the_default_schemes_may_be_permitted() -> None:
    assert [name for name in WIDELY_USED if scheme_problem(name) is not None] == []
    assert scheme_problem("com.example.app") is None


@pytest.mark.parametrize(
    "name",
    [
        *sorted(NEVER),
        "https",
        "http",
        "mailto",
        "tel",
        "sms",
        "intent",
        "ms-settings",
        "ms-msdt",
        "search-ms",
        "search",
        "shell",
        "itms-services",
        "x-apple.systempreferences",
        "chrome-extension",
        "web+app",
        "otpauth",
        "openid4vp",
    ],
)
def test_a_scheme_that_something_else_opens_is_refused(name: str) -> None:
    assert scheme_problem(name) is not None


@pytest.mark.parametrize(
    "name", ["", "c", "Cursor", "cursor:", "cursor://", "1password", "a b", "a" * 41, "ü"]
)
def test_what_is_no_scheme_is_refused(name: str) -> None:
    assert "is no scheme" in (scheme_problem(name) or "")


def test_what_looks_like_a_host_after_a_private_scheme_is_not_shown_as_one() -> None:
    assert place("cursor://bank.example.com/oauth") == "cursor:"
    assert place("com.example.app:/cb") == "com.example.app:"
    assert place("https://app.example.com:8443/cb") == "app.example.com:8443"
    assert place("http://[::1]:80/cb") == "[::1]:80"
    assert (private_scheme(CURSOR), private_scheme("https://a.example/cb")) == ("cursor", None)
    assert names_one_of(("https://a.example/cb", CURSOR), WIDELY_USED)
    assert not names_one_of(("https://cursor/cb", "com.example.app:/cb"), WIDELY_USED)
