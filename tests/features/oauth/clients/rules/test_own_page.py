"""Does an app's own page alone ask in its name, and whatever is no page as ever?"""

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


def test_the_apps_pages_and_what_is_no_page_may() -> None:
    assert asked(PAGE)
    assert asked("https://app.example.com"), "where its codes arrive"
    assert asked(OWN)
    assert asked(None)


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_strangers_page_may_not(origin: str) -> None:
    assert not asked(origin)
    assert not known([APP], origin)


def test_an_app_with_a_credential_is_no_page() -> None:
    confidential = made.client(first_party=True)
    assert may_ask(confidential, origin="https://evil.example", own_origin=OWN) is None


def test_a_preflight_is_answered_for_apps_of_the_house_alone() -> None:
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
def test_the_origin_of_a_redirect_uri_is_written_as_browsers_write_it(uri: str, origin: str | None) -> None:
    assert origins(made.public(redirect_uris=(uri,))) == ({origin} if origin else set())


def test_the_log_hears_what_mends_it_and_no_more_of_a_long_origin() -> None:
    refusal = may_ask(APP, origin="https://" + "x" * 9000, own_origin=OWN)
    assert refusal is not None
    assert f"--origin {PAGE} --origin https://xxx" in refusal.because
    assert len(refusal.because) < 1500
