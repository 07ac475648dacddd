"""How soon does a running `ResourceServer` hear of a revocation, and what does it do while it cannot? Over HTTP, measured."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from doorward_verify.refused import Refused
from doorward_verify.resource_server import ResourceServer
from tests.verify.issuer import Issuer, eventually, reason

METADATA = "/.well-known/oauth-authorization-server"


Serve = Callable[..., ResourceServer]


@pytest.mark.requirement(58)
@pytest.mark.parametrize("kind", ["jti", "grant", "sid", "sub", "client"])
def test_a_revocation_reaches_the_api_within_a_second(issuer: Issuer, serve: Serve, kind: str) -> None:
    server = serve()
    token, other = issuer.token(), issuer.token(jti="grt_2.x", sid="ses_2", sub="usr_2", client_id="app_2")
    for _ in range(3):
        assert reason(server, token) == reason(server, other) == "good"
    assert eventually(lambda: any("after=" in asked for asked in issuer.asked))
    ids = {"jti": "grt_1.abc", "grant": "grt_1", "sid": "ses_1", "sub": "usr_1", "client": "app_1"}
    before = int(time.time()) if kind in ("sub", "client") else None
    began = time.monotonic()
    issuer.revoke(kind, ids[kind], before=before)
    while reason(server, token) == "good":
        assert time.monotonic() - began < 1
        time.sleep(0.001)
    took = time.monotonic() - began
    assert took < 1
    assert reason(server, token) == "revoked"
    assert reason(server, other) == "good"


@pytest.mark.requirement(58)
def test_many_revocations_in_a_row_each_arrive_within_a_second(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    tokens = [issuer.token(jti=f"grt_{number}.x") for number in range(40)]
    for token in tokens * 2:
        assert reason(server, token) == "good"
    slowest = 0.0
    for number, token in enumerate(tokens):
        began = time.monotonic()
        issuer.revoke("grant", f"grt_{number}")
        assert eventually(lambda token=token: reason(server, token) == "revoked", 1)
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < 1


@pytest.mark.requirement(58)
def test_what_was_revoked_before_the_start_is_revoked_from_the_first_request_on(
    issuer: Issuer, serve: Serve
) -> None:
    issuer.revoke("sid", "ses_1")
    assert reason(serve(), issuer.token()) == "revoked"


@pytest.mark.requirement(58)
def test_while_the_feed_is_away_tokens_are_accepted_for_the_documented_time_and_then_not(
    issuer: Issuer, serve: Serve
) -> None:
    server = serve(revocation_outage=5)
    token = issuer.token()
    for _ in range(2):
        assert reason(server, token) == "good"
    issuer.dead_feed = True
    with issuer.changed:
        issuer.changed.notify_all()
    began = time.monotonic()
    assert eventually(lambda: reason(server, token) == "revocation_unavailable", 10)
    # counted from the last answer, which may be one poll (a second here) before the feed went away
    assert 3 < time.monotonic() - began < 6
    assert server.challenge(Refused("revocation_unavailable")).status == 503
    # a bad token is still a bad token
    assert reason(server, issuer.token(aud="https://other.example")) == "audience"
    issuer.revoke("sid", "ses_9")
    issuer.dead_feed = False
    assert eventually(lambda: reason(server, token) == "good", 16)


@pytest.mark.requirement(58)
@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"cursor":"1","reset":true,"entries":[{"kind":"sid"}]}'])
def test_a_feed_that_cannot_be_read_is_a_feed_that_is_away(issuer: Issuer, serve: Serve, body: bytes) -> None:
    issuer.override["/revocations"] = lambda: (200, {}, body)
    assert reason(serve(wait=1), issuer.token()) == "revocation_unavailable"


@pytest.mark.requirement(58)
def test_an_issuer_without_a_feed_is_accepted_unless_one_is_required(issuer: Issuer, serve: Serve) -> None:
    issuer.has_feed = False
    assert reason(serve(), issuer.token()) == "good"
    assert reason(serve(revocation="required", wait=1), issuer.token()) == "revocation_unavailable"
    issuer.has_feed = True
    issuer.revoke("sid", "ses_1")
    assert reason(serve(revocation="off"), issuer.token()) == "good"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_feeds_its_own_view(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    token = issuer.token()
    for _ in range(3):
        assert reason(server, token) == "good"
    issuer.revoke("sid", "ses_1")
    assert eventually(lambda: reason(server, token) == "revoked", 2)
    other = issuer.token(sid="ses_2")
    assert reason(server, other) == "good"
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os._exit(0 if (reason(server, other), reason(server, token)) == ("good", "revoked") else 1)
        os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.requirement(58)
def test_without_a_first_view_nothing_is_accepted(issuer: Issuer, serve: Serve) -> None:
    issuer.override["/revocations"] = lambda: (500, {}, b"")
    assert reason(serve(wait=1), issuer.token()) == "revocation_unavailable"
