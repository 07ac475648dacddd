"""Discovery of keys and feed: both well-known addresses, and keys on another host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import msgspec
import pytest

from doorward_verify.resource_server import ResourceServer
from tests.verify.issuer import Issuer, reason, running
from tests.waiting import until

OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"
Serve = Callable[..., ResourceServer]


@pytest.fixture
def keys_host() -> Generator[Issuer]:
    """Another origin that serves only keys."""
    with running() as started:
        started.override = {path: lambda: (404, {}, b"") for path in (OAUTH, OPENID)}
        yield started


def says(by: Issuer, **changes: Any) -> tuple[int, dict[str, str], bytes]:
    document = {**by.metadata(), **changes}
    return (
        200,
        {},
        msgspec.json.encode({name: value for name, value in document.items() if value is not None}),
    )


def moved_keys(issuer: Issuer, keys_host: Issuer) -> str:
    """Move the issuer's keys to the other host. Returns their URL."""
    keys_host.keys = issuer.keys
    issuer.override["/jwks"] = lambda: (404, {}, b"")
    return f"{keys_host.url}/jwks"


@pytest.mark.parametrize(
    "missing",
    [
        (404, {}, b"{}"),
        (500, {}, b""),
        (403, {}, b"no"),
        (200, {}, b"<!doctype html>"),
        (301, {"Location": "/"}, b""),
    ],
    ids=str,
)
def test_metadata_at_the_openid_address_alone_is_found(
    issuer: Issuer, serve: Serve, missing: tuple[int, dict[str, str], bytes]
) -> None:
    issuer.override = {OAUTH: lambda: missing, OPENID: lambda: says(issuer)}
    server = serve()
    token = issuer.token()
    assert reason(server, token) == "good"
    issuer.revoke("sid", "ses_1")
    until(lambda: reason(server, token) == "revoked")


@pytest.mark.parametrize("place", [OAUTH, OPENID])
@pytest.mark.parametrize("named", ["there", None])
def test_with_jwks_uri_keys_are_read_from_another_host_and_the_feed_is_followed(
    issuer: Issuer, keys_host: Issuer, serve: Serve, place: str, named: str | None
) -> None:
    there = moved_keys(issuer, keys_host)
    other = OPENID if place == OAUTH else OAUTH
    issuer.override[place] = lambda: says(issuer, jwks_uri=there if named else None)
    issuer.override[other] = lambda: (404, {}, b"")
    server = serve(jwks_uri=there, revocation="required")
    token = issuer.token()
    assert reason(server, token) == "good"
    issuer.revoke("sid", "ses_1")
    until(lambda: reason(server, token) == "revoked")
    assert keys_host.count("/revocations") == 0


@pytest.mark.requirement(50)
def test_without_jwks_uri_keys_on_another_host_are_refused_and_the_log_names_the_setting(
    issuer: Issuer, keys_host: Issuer, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    there = moved_keys(issuer, keys_host)
    issuer.override[OAUTH] = lambda: says(issuer, jwks_uri=there)
    with caplog.at_level(logging.WARNING, "doorward_verify"):
        assert reason(serve(wait=1), issuer.token()) == "keys_unavailable"
        until(lambda: "name their address as jwks_uri=" in caplog.text)
    assert keys_host.count("/jwks") == 0


@pytest.mark.requirement(51)
def test_an_answer_for_another_issuer_ends_the_search(issuer: Issuer, serve: Serve) -> None:
    issuer.override = {
        OAUTH: lambda: says(issuer, issuer="https://evil.example"),
        OPENID: lambda: says(issuer),
    }
    assert reason(serve(wait=1), issuer.token()) == "keys_unavailable"
    assert issuer.count(OPENID) == 0


@pytest.mark.requirement(58)
def test_failed_discovery_does_not_count_as_an_issuer_without_a_feed(
    issuer: Issuer, keys_host: Issuer, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    there = moved_keys(issuer, keys_host)
    issuer.override |= {path: (lambda: (404, {}, b"")) for path in (OAUTH, OPENID)}
    with caplog.at_level(logging.WARNING, "doorward_verify"):
        assert reason(serve(jwks_uri=there, wait=1), issuer.token()) == "revocation_unavailable"
        until(lambda: OAUTH in caplog.text and OPENID in caplog.text)
    assert reason(serve(jwks_uri=there, revocation="off"), issuer.token()) == "good"


@pytest.mark.requirement(50)
def test_a_feed_on_another_host_is_not_followed(issuer: Issuer, keys_host: Issuer, serve: Serve) -> None:
    there = moved_keys(issuer, keys_host)
    issuer.override[OAUTH] = lambda: says(issuer, revocation_feed_endpoint=f"{keys_host.url}/revocations")
    assert reason(serve(jwks_uri=there, wait=1), issuer.token()) == "revocation_unavailable"
    assert keys_host.count("/revocations") == 0
