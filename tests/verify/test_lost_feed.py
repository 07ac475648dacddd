"""Policies for a lost feed at a running `ResourceServer`, and what it says about how fresh it is."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from doorward_verify.feed_driver import back_off
from doorward_verify.lost_feed import ANSWER_FOR, Introspection
from doorward_verify.resource_server import ResourceServer
from tests.verify.issuer import AUDIENCE, Issuer, reason
from tests.waiting import until

Serve = Callable[..., ResourceServer]
APP = Introspection(client_id="app_api", client_secret="the secret")


class Clock:
    """Time that the test moves, from now."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def lose(issuer: Issuer, server: ResourceServer) -> None:
    """The feed is gone, and the verifier knows."""
    issuer.dead_feed = True
    with issuer.changed:
        issuer.changed.notify_all()
    until(lambda: server.revocation_status().lost)


class Introspected:
    """The introspection endpoint of the issuer: tokens in `ended` are not active."""

    def __init__(self, issuer: Issuer) -> None:
        self.ended: set[str] = set()
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        issuer.on_introspect = self.answer

    def answer(self, form: dict[str, list[str]]) -> tuple[int, bytes]:
        self.asked.append(form)
        return self.status, msgspec.json.encode({"active": form["token"][0] not in self.ended})


@pytest.fixture
def introspected(issuer: Issuer) -> Introspected:
    return Introspected(issuer)


@pytest.mark.requirement(58)
def test_fail_open_accepts_until_tokens_expire_and_refuses_what_it_knows(
    issuer: Issuer, serve: Serve
) -> None:
    clock = Clock()
    server = serve(lost_feed="fail_open", revocation_outage=5, clock=clock)
    token, other = issuer.token(), issuer.token(sid="ses_2")
    assert reason(server, token) == reason(server, other) == "good"
    issuer.revoke("sid", "ses_2")
    until(lambda: reason(server, other) == "revoked")
    lose(issuer, server)
    clock.ahead = 200
    assert (reason(server, token), reason(server, other)) == ("good", "revoked")
    clock.ahead = 400
    assert reason(server, token) == "expired"


@pytest.mark.requirement(58)
def test_fail_open_accepts_after_a_first_attempt_that_failed(issuer: Issuer, serve: Serve) -> None:
    issuer.dead_feed = True
    server = serve(lost_feed="fail_open")
    assert reason(server, issuer.token()) == "good"
    assert server.revocation_status().lost
    assert server.revocation_status().age is None


@pytest.mark.requirement(58)
def test_fail_closed_refuses_after_the_outage(issuer: Issuer, serve: Serve) -> None:
    clock = Clock()
    server = serve(lost_feed="fail_closed", revocation_outage=60, clock=clock)
    token = issuer.token()
    assert reason(server, token) == "good"
    lose(issuer, server)
    clock.ahead = 50
    assert reason(server, token) == "good"
    clock.ahead = 70
    assert reason(server, token) == "revocation_unavailable"


@pytest.mark.requirement(58)
@pytest.mark.parametrize("loop", [False, True], ids=["threads", "event loop"])
def test_introspect_asks_for_each_token_while_the_feed_is_lost(
    issuer: Issuer, serve: Serve, introspected: Introspected, *, loop: bool
) -> None:
    clock = Clock()
    server = serve(lost_feed="introspect", introspection=APP, clock=clock)

    def ask(token: str) -> str:
        if not loop:
            return reason(server, token)

        async def asked() -> str:
            try:
                await server.verify_async(token)
            except Exception as error:
                return str(error.args[0])
            return "good"

        return asyncio.run(asked())

    good, bad = issuer.token(), issuer.token(sid="ses_2")
    assert (ask(good), ask(bad)) == ("good", "good")
    assert introspected.asked == []
    lose(issuer, server)
    introspected.ended.add(bad)
    assert (ask(good), ask(bad), ask(good), ask(bad)) == ("good", "revoked", "good", "revoked")
    # each once, as the app that it was told
    assert [one["token"] for one in introspected.asked] == [[good], [bad]]
    assert introspected.asked[0]["client_id"] == ["app_api"]
    assert introspected.asked[0]["client_secret"] == ["the secret"]
    # an answer is used for some seconds and no longer
    introspected.ended.add(good)
    clock.ahead = ANSWER_FOR + 0.5
    assert ask(good) == "revoked"
    # nobody is asked about a token that is bad anyway
    assert ask(issuer.token(aud="https://other.example")) == "audience"
    assert len(introspected.asked) == 3
    issuer.dead_feed = False
    until(lambda: not server.revocation_status().lost)
    assert ask(issuer.token(sid="ses_3")) == "good"
    assert len(introspected.asked) == 3


@pytest.mark.requirement(58)
@pytest.mark.parametrize("fault", ["no answer", "500", "401", "other text"])
def test_when_the_issuer_does_not_say_the_outage_counts(
    issuer: Issuer, serve: Serve, introspected: Introspected, fault: str
) -> None:
    clock = Clock()
    server = serve(lost_feed="introspect", introspection=APP, revocation_outage=60, clock=clock)
    token = issuer.token()
    assert reason(server, token) == "good"
    lose(issuer, server)
    if fault == "no answer":
        issuer.on_introspect = None
    elif fault == "other text":
        issuer.on_introspect = lambda _: (200, b"<html>")
    else:
        introspected.status = int(fault)
    assert reason(server, token) == "good"
    clock.ahead = 70
    assert reason(server, token) == "revocation_unavailable"


@pytest.mark.requirement(58)
def test_introspect_works_before_a_first_view(
    issuer: Issuer, serve: Serve, introspected: Introspected
) -> None:
    issuer.dead_feed = True
    server = serve(lost_feed="introspect", introspection=APP)
    good, bad = issuer.token(), issuer.token(sid="ses_2")
    introspected.ended.add(bad)
    assert (reason(server, good), reason(server, bad)) == ("good", "revoked")
    issuer.on_introspect = None
    assert reason(server, issuer.token(sid="ses_3")) == "revocation_unavailable"


def test_what_is_remembered_of_introspection_is_bounded(
    issuer: Issuer, serve: Serve, introspected: Introspected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorward_verify.lost_feed.MOST_ANSWERS", 3)
    server = serve(lost_feed="introspect", introspection=APP)
    assert reason(server, issuer.token()) == "good"
    lose(issuer, server)
    for number in range(6):
        assert reason(server, issuer.token(sid=f"ses_{number}")) == "good"
    assert server._introspector is not None
    assert len(server._introspector._answers) == 3
    assert "the secret" not in repr(APP)


@pytest.mark.requirement(58)
def test_the_status_says_how_fresh_the_view_is(issuer: Issuer, serve: Serve) -> None:
    clock = Clock()
    server = serve(clock=clock)
    before = server.revocation_status()
    assert (before.follows, before.lost, before.age, before.entries) == (True, True, None, 0)
    issuer.revoke("sid", "ses_9")
    assert reason(server, issuer.token()) == "good"
    fresh = server.revocation_status()
    assert (fresh.lost, fresh.entries, fresh.policy, fresh.last_error) == (False, 1, "fail_closed", None)
    assert fresh.age is not None
    assert fresh.bytes > 0
    lose(issuer, server)
    clock.ahead = 100
    lost = server.revocation_status()
    assert lost.age is not None
    assert lost.age >= 100
    assert lost.last_error
    issuer.dead_feed = False
    until(lambda: not server.revocation_status().lost)
    assert server.revocation_status().last_error is None


@pytest.mark.requirement(58)
def test_a_feed_that_was_lost_for_a_minute_at_most_is_tried_again_within_a_second() -> None:
    assert [back_off(failures, 3.0) for failures in range(5)] == [0.1, 0.2, 0.4, 0.8, 0.8]
    assert back_off(10, 59.0) == 0.8
    assert back_off(10, 61.0) == 15


def test_an_api_without_a_feed_has_lost_none(issuer: Issuer, serve: Serve) -> None:
    assert serve(revocation="off").revocation_status().follows is False
    assert not serve(revocation="off").revocation_status().lost
    issuer.has_feed = False
    server = serve()
    assert reason(server, issuer.token()) == "good"
    assert not server.revocation_status().lost


@pytest.mark.parametrize(
    "settings",
    [
        {"lost_feed": "open"},
        {"lost_feed": "introspect"},
        {"introspection": APP},
        {"lost_feed": "fail_open", "introspection": APP},
        {"lost_feed": "fail_open", "revocation": "off"},
    ],
    ids=str,
)
def test_policies_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"lost_feed|introspection"):
        ResourceServer("https://auth.example.com", AUDIENCE, **settings)
