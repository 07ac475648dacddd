"""Redirect URI matching: a response goes only to a registered URI."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.features.oauth.clients.rules.redirect_uri import explain, fix, matches, on_this_device

WEB = "https://app.example.com/callback"
REGISTERED = (
    WEB,
    "https://app.example.com/callback?kept=1",
    "http://127.0.0.1/cb",
    "http://[::1]:8123/cb",
    "http://localhost:3000/cb",
    "com.example.app:/cb",
)


@pytest.mark.requirement(1)
@pytest.mark.parametrize("uri", REGISTERED)
def test_a_registered_uri_matches_itself(uri: str) -> None:
    assert matches(REGISTERED, uri)


@pytest.mark.requirement(1)
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:49152/cb",
        "http://[::1]/cb",
        "http://[::1]:65535/cb",
    ],
)
def test_the_port_of_a_loopback_uri_is_free(uri: str) -> None:
    assert matches(REGISTERED, uri)


@pytest.mark.requirement(1)
@pytest.mark.parametrize(
    "uri",
    [
        "",
        WEB + "/",
        WEB + "?",
        WEB + "#",
        WEB + "#x",
        WEB + "?x=1",
        WEB + "/../callback",
        WEB + "%2f",
        WEB + "\n",
        " " + WEB,
        "https://APP.example.com/callback",
        "HTTPS://app.example.com/callback",
        "http://app.example.com/callback",
        "https://app.example.com:443/callback",
        "https://app.example.com:8443/callback",
        "https://app.example.com.evil.example/callback",
        "https://app.example.com@evil.example/callback",
        "https://evil.example/https://app.example.com/callback",
        "https://evil.example\\@app.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "https://app.example.com/%63allback",
        "https://app.example.com/callback?kept=1&more=2",
    ],
)
def test_nothing_similar_to_a_web_uri_matches(uri: str) -> None:
    assert not matches(REGISTERED, uri)


@pytest.mark.requirement(1)
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:80/cb/",
        "http://127.0.0.1:80/cb?x",
        "http://127.0.0.1:80/cb#x",
        "http://127.0.0.1:80/CB",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0080/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:x/cb",
        "http://127.0.0.1:8\n0/cb",
        "http://127.0.0.1:80\t/cb",
        "\x00http://127.0.0.1:80/cb",
        " http://127.0.0.1:80/cb",
        "ht\ntp://127.0.0.1:80/cb",
        "HTTP://127.0.0.1:80/cb",
        "https://127.0.0.1:80/cb",
        "http://127.0.0.2:80/cb",
        "http://127.1:80/cb",
        "http://2130706433/cb",
        "http://0x7f.0.0.1/cb",
        "http://user@127.0.0.1:80/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://[::1]:80/other",
        "http://[0:0:0:0:0:0:0:1]:80/cb",
        "http://[::ffff:127.0.0.1]:80/cb",
        "http://[::1/cb",
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "com.example.app:/cb/",
        "com.example.app://cb",
        "com.example.app:/cb:1",
    ],
)
def test_only_the_port_is_free_and_only_on_a_loopback_uri(uri: str) -> None:
    assert not matches(REGISTERED, uri)


@pytest.mark.requirement(1)
@given(st.text(max_size=60), st.text(max_size=10), st.integers(0, 65_535))
def test_a_free_port_is_the_only_addition_allowed(before: str, after: str, port: int) -> None:
    given_uri = f"{before}http://127.0.0.1:{port}/cb{after}"
    assert matches(REGISTERED, given_uri) == (not before and not after)


def test_the_log_names_the_received_uri_the_nearest_one_and_the_fix() -> None:
    why = explain((WEB,), WEB + "/")
    assert "Got https://app.example.com/callback/" in why
    assert "nearest https://app.example.com/callback (trailing slash)" in why
    assert fix(WEB + "/", "web") == f"doorward app add-redirect web {WEB}/"
    assert "(letter case)" in explain((WEB,), WEB.upper()) or "(letter case)" in explain(
        (WEB,), WEB.replace("callback", "Callback")
    )
    assert "(http or https)" in explain((WEB,), WEB.replace("https", "http"))
    assert "(query)" in explain((WEB,), WEB + "?a=1")
    assert "nearest" not in explain((WEB,), "zzz")
    assert len(explain((WEB,), "x" * 60_000) + fix("x" * 60_000, "web")) < 1200


def test_the_logged_command_quotes_a_uri_as_one_shell_word() -> None:
    given_uri = "https://evil.example/$(reboot);'`x`"
    assert shlex.split(fix(given_uri, "Corner shop")) == [
        "doorward",
        "app",
        "add-redirect",
        "Corner shop",
        given_uri,
    ]


@pytest.mark.requirement(1)
@pytest.mark.parametrize(
    ("given", "localhost", "same"),
    [
        ("http://localhost:49152/cb", True, True),
        ("http://localhost:49152/cb", False, False),
        ("http://localhost/cb", False, True),
        ("http://localhost:49152/cb/", True, False),
        ("http://localhost:49152/cb?x", True, False),
        ("https://localhost:49152/cb", True, False),
        ("http://localhost.evil.example:49152/cb", True, False),
        ("http://user@localhost:49152/cb", True, False),
        ("http://localhost:49152@evil.example/cb", True, False),
        ("http://LOCALHOST:49152/cb", True, False),
        ("http://127.0.0.1:49152/cb", True, False),
    ],
)
def test_the_port_of_localhost_is_free_for_apps_on_devices_alone(
    given: str, localhost: bool, same: bool
) -> None:
    assert matches(("http://localhost/cb",), given, localhost=localhost) == same


def test_which_addresses_lead_to_a_program_on_this_device() -> None:
    for uri in ("http://localhost/cb", "http://localhost:1/cb", "http://127.0.0.1:2/", "http://[::1]/"):
        assert on_this_device(uri)
    for uri in ("https://localhost/cb", "http://localhost.example/cb", "com.example:/cb", "", "http://[::1"):
        assert not on_this_device(uri)
