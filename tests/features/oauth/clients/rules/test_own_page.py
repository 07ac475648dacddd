"""Origin check for an app's requests: its own pages and non-browser callers pass, other pages do not."""

from __future__ import annotations

import pytest

from doorward.features.oauth.clients.rules.own_page import known, may_ask, origins
from tests.features import made

OWN = "https://auth.example.com"
PAGE = "https://tv.example.com"
APP = made.public(
    first_party=True, origins=(PAGE,), redirect_uris=("https://app.example.com:443/cb", "com.example:/cb")
)
FOREIGN = (
    "https://evil.example",
    "null",
    "",
    "http://tv.example.com",
    PAGE + "/",
    PAGE.upper(),
    PAGE + ":8443",
    "com.example:",
)


def asked(origin: str | None) -> bool:
    return may_ask(APP, origin=origin, own_origin=OWN) is None


def test_the_apps_own_pages_and_requests_without_origin_pass() -> None:
    assert asked(PAGE)
    assert asked("https://app.example.com"), "the origin of its redirect URI"
    assert asked(OWN)
    assert asked(None)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_is_refused(origin: str) -> None:
    assert not asked(origin)
    assert not known([APP], origin)


def test_an_app_with_a_credential_is_not_checked() -> None:
    confidential = made.client(first_party=True)
    assert may_ask(confidential, origin="https://evil.example", own_origin=OWN) is None


def test_a_preflight_is_answered_only_for_first_party_apps() -> None:
    assert known([APP], PAGE)
    assert not known([made.public(origins=(PAGE,))], PAGE)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://app.example.com/cb", "https://app.example.com"),
        ("https://app.example.com:8443/cb", "https://app.example.com:8443"),
        ("http://127.0.0.1:5000/cb", "http://127.0.0.1:5000"),
        ("http://[::1]:80/cb", "http://[::1]"),
        ("com.example.app:/cb", None),
        ("https://a.example:x/", None),
    ],
)
def test_the_origin_of_a_redirect_uri_has_the_form_that_browsers_send(uri: str, origin: str | None) -> None:
    assert origins(made.public(redirect_uris=(uri,))) == ({origin} if origin else set())


def test_the_log_names_the_fix_and_truncates_a_long_origin() -> None:
    error = may_ask(APP, origin="https://" + "x" * 9000, own_origin=OWN)
    assert error is not None
    assert f"--origin {PAGE} --origin https://xxx" in error.fix
    assert len(error.reason + error.fix) < 1500
