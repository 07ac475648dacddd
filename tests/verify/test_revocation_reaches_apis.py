"""Revocations at a running `ResourceServer`, over HTTP and measured: delay, and behaviour while the feed is
unreachable."""

import itertools
import os
import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest

from doorward_verify.auth_error import AuthError
from doorward_verify.resource_server import ResourceServer
from doorward_verify.revocation import hidden
from tests.verify.issuer import Issuer, reason
from tests.waiting import keeps, until

METADATA = "/.well-known/oauth-authorization-server"


Serve = Callable[..., ResourceServer]


@pytest.mark.requirement(58)
@pytest.mark.parametrize("kind", ["jti", "grant", "sid", "sub", "client"])
def test_a_revocation_reaches_the_api_within_a_second(issuer: Issuer, serve: Serve, kind: str) -> None:
    server = serve()
    other = issuer.token(jti="grt_2.x", sid="ses_2", sub="usr_2", client_id="app_2")
    numbers = itertools.count(1)

    def until_refused() -> float:
        mark = f"{kind}_{next(numbers)}"
        token = issuer.token(
            jti=f"grt_{mark}.abc", sid=f"ses_{mark}", sub=f"usr_{mark}", client_id=f"app_{mark}"
        )
        for _ in range(3):
            assert reason(server, token) == reason(server, other) == "good"
        until(lambda: any("after=" in asked for asked in issuer.asked))
        names = {"jti": f"grt_{mark}.abc", "grant": f"grt_{mark}", "sid": f"ses_{mark}", "sub": f"usr_{mark}"}
        before = int(time.time()) if kind in ("sub", "client") else None
        began = time.monotonic()
        issuer.revoke(kind, names.get(kind, f"app_{mark}"), before=before)
        until(lambda: reason(server, token) != "good", look=0.001)
        took = time.monotonic() - began
        assert reason(server, token) == "revoked"
        assert reason(server, other) == "good"
        return took

    keeps(1, until_refused)


@pytest.mark.requirement(58)
def test_many_revocations_in_a_row_each_arrive_within_a_second(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    rounds = itertools.count()

    def the_slowest() -> float:
        mark = f"grt_{next(rounds)}"
        tokens = [issuer.token(jti=f"{mark}_{number}.x") for number in range(40)]
        for token in tokens * 2:
            assert reason(server, token) == "good"
        slowest = 0.0
        for number, token in enumerate(tokens):
            began = time.monotonic()
            issuer.revoke("grant", f"{mark}_{number}")
            until(lambda token=token: reason(server, token) == "revoked")
            slowest = max(slowest, time.monotonic() - began)
        return slowest

    keeps(1, the_slowest)


@pytest.mark.requirement(58)
def test_revocations_from_before_the_start_apply_to_the_first_request(issuer: Issuer, serve: Serve) -> None:
    issuer.revoke("sid", "ses_1")
    assert reason(serve(), issuer.token()) == "revoked"


@pytest.mark.requirement(58)
def test_with_an_unreachable_feed_tokens_are_accepted_only_for_the_documented_time(
    issuer: Issuer, serve: Serve
) -> None:
    outage = 5
    now = time.time()
    server = serve(revocation_outage=outage, clock=lambda: now)
    token = issuer.token()
    for _ in range(2):
        assert reason(server, token) == "good"
    issuer.dead_feed = True
    with issuer.changed:
        issuer.changed.notify_all()
    # counted from the last answer
    now += outage - 0.1
    assert reason(server, token) == "good"
    now += 0.2
    assert reason(server, token) == "revocation_unavailable"
    assert server.challenge(AuthError("revocation_unavailable")).status == 503
    # a bad token is refused for its own reason
    assert reason(server, issuer.token(aud="https://other.example")) == "audience"
    issuer.revoke("sid", "ses_9")
    issuer.dead_feed = False
    until(lambda: reason(server, token) == "good")


@pytest.mark.requirement(58)
@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"cursor":"1","reset":true,"entries":[{"kind":"sid"}]}'])
def test_an_invalid_feed_counts_as_unreachable(issuer: Issuer, serve: Serve, body: bytes) -> None:
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
def test_a_forked_child_updates_its_own_view(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    token = issuer.token()
    for _ in range(3):
        assert reason(server, token) == "good"
    issuer.revoke("sid", "ses_1")
    until(lambda: reason(server, token) == "revoked")
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


class Paged:
    """An issuer's feed in pages of ten, hashed with a salt. It can stop after a page, or start again with
    another salt."""

    def __init__(self, issuer: Issuer, count: int) -> None:
        self.salt = "first"
        self.names = [f"ses_{number}" for number in range(count)]
        self.broken_at: int | None = None
        self.answered: list[str] = []
        issuer.on_feed = self.answer

    def answer(self, query: dict[str, list[str]]) -> bytes:
        assert query["v"] == ["2"]
        cursor = query.get("after", [""])[0]
        self.answered.append(cursor)
        salt, _, place = cursor.partition(".")
        start = int(place) if salt == self.salt else 0
        if self.broken_at is not None and start >= self.broken_at:
            return b"<!doctype html>"
        if start == len(self.names):
            time.sleep(0.2)
        page = self.names[start : start + 10]
        exp = int(time.time()) + 900
        return msgspec.json.encode(
            {
                "cursor": f"{self.salt}.{start + len(page)}",
                "reset": salt != self.salt,
                "salt": self.salt,
                "more": start + len(page) < len(self.names),
                "entries": [
                    {"kind": "sid", "id": hidden(self.salt, "sid", name), "exp": exp} for name in page
                ],
            }
        )


@pytest.mark.requirement(58, 93)
def test_no_token_is_accepted_before_the_last_page_of_the_view(issuer: Issuer, serve: Serve) -> None:
    feed = Paged(issuer, 95)
    server = serve()
    assert reason(server, issuer.token(sid="ses_94")) == "revoked"
    assert reason(server, issuer.token(sid="ses_x")) == "good"
    assert feed.answered[:10] == ["", *(f"first.{start}" for start in range(10, 100, 10))]
    feed.names.append("ses_x")
    until(lambda: reason(server, issuer.token(sid="ses_x")) == "revoked")


@pytest.mark.requirement(58)
def test_an_interrupted_view_is_not_used_and_is_continued_later(issuer: Issuer, serve: Serve) -> None:
    feed = Paged(issuer, 95)
    feed.broken_at = 50
    server = serve(wait=1)
    assert reason(server, issuer.token(sid="ses_x")) == "revocation_unavailable"
    feed.broken_at = None
    until(lambda: reason(server, issuer.token(sid="ses_x")) == "good")
    assert reason(server, issuer.token(sid="ses_94")) == "revoked"
    assert feed.answered.count("first.10") == 1, "pages already read are not requested again"


@pytest.mark.requirement(58, 98)
def test_a_revoked_token_is_never_accepted_while_the_salt_changes(issuer: Issuer, serve: Serve) -> None:
    feed = Paged(issuer, 95)
    server = serve()
    token = issuer.token(sid="ses_94")
    assert reason(server, token) == "revoked"
    feed.salt = "second"
    until(lambda: reason(server, token) != "revoked" or "second.95" in feed.answered)
    assert reason(server, token) == "revoked"
    assert reason(server, issuer.token(sid="ses_x")) == "good"
