"""Cookie delivery rules: the pages that may use it, and the proof that an unsafe request needs."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

import pytest

from doorward.core.errors import OAuthError
from doorward.core.model.client import Client
from doorward.features.oauth.first_party.rules import allowed, csrf_holds, csrf_token
from tests.features import made

OWN = "https://auth.example.com"
PAGE = "https://app.example.com"
APP = made.public(first_party=True, origins=(PAGE,))


def ask(
    client: Client | None = APP,
    origin: str | None = PAGE,
    fetch_site: str | None = "same-site",
    *,
    reading: bool = False,
) -> str | None:
    error = allowed(client, origin=origin, own_origin=OWN, fetch_site=fetch_site, reading=reading)
    return error.code if isinstance(error, OAuthError) else None


@pytest.mark.requirement(70)
def test_a_page_of_a_registered_origin_is_allowed() -> None:
    assert ask() is None
    assert ask(origin=OWN, fetch_site="same-origin") is None
    assert ask(fetch_site=None) is None


@pytest.mark.requirement(70)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        PAGE + "/",
        PAGE + ":443",
        PAGE.upper(),
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://evil.app.example.com",
    ],
)
def test_pages_of_other_origins_are_refused(origin: str) -> None:
    assert ask(origin=origin) == "access_denied"
    assert ask(origin=origin, reading=True) == "access_denied"


@pytest.mark.requirement(70)
def test_a_request_without_an_origin_may_only_read_and_only_same_origin() -> None:
    assert ask(origin=None, fetch_site=None) == "invalid_request"
    assert ask(origin=None, fetch_site="same-origin") == "invalid_request"
    for site in ("same-origin", "none", None):
        assert ask(origin=None, fetch_site=site, reading=True) is None
    for site in ("same-site", "cross-site", "weird"):
        assert ask(origin=None, fetch_site=site, reading=True) == "invalid_request"


@pytest.mark.requirement(70)
def test_a_request_that_the_browser_marks_cross_site_is_refused() -> None:
    assert ask(fetch_site="cross-site") == "access_denied"


def test_only_first_party_public_apps_are_allowed() -> None:
    assert ask(None) == "invalid_client"
    assert ask(made.public(origins=(PAGE,))) == "unauthorized_client"
    assert ask(made.client(first_party=True, origins=(PAGE,))) == "unauthorized_client"
    other = made.public(first_party=True, origins=("https://other.example.com",))
    assert ask(other) == "access_denied"


@pytest.mark.requirement(70)
def test_the_csrf_token_is_derived_from_the_access_token() -> None:
    hashed = hashlib.sha256(b"doorward-csrf:a.b.c").digest()
    assert csrf_token("a.b.c") == urlsafe_b64encode(hashed).rstrip(b"=").decode()
    assert csrf_holds("a.b.c", csrf_token("a.b.c"))
    for wrong in (None, "", "é", csrf_token("a.b.d"), csrf_token("a.b.c") + "=", csrf_token("a.b.c")[:-1]):
        assert not csrf_holds("a.b.c", wrong)
