"""`ResourceServer` as a whole: keys and revocations kept fresh with a real issuer, and behaviour without one."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward_verify import keycache
from doorward_verify.algorithms import ASYMMETRIC, ISSUED
from doorward_verify.auth_error import AuthError
from doorward_verify.background import Background
from doorward_verify.keyset import key_set
from doorward_verify.remembered import END
from doorward_verify.resource_server import ResourceServer
from doorward_verify.testing import FrozenClock, minting
from tests.verify.issuer import AUDIENCE, Issuer, new_key, reason
from tests.verify.tokens import ISSUER, NOW, P256, P384, good
from tests.waiting import PATIENCE, until

METADATA = "/.well-known/oauth-authorization-server"


Serve = Callable[..., ResourceServer]


def test_the_first_token_waits_for_the_keys_and_is_good(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    assert server.verify(issuer.token()).sub == "usr_1"
    assert (issuer.count(METADATA), issuer.count("/jwks")) == (1, 1)


class Slices(dict[Any, Any]):
    """As dictionaries are from Python 3.12 on, where slices can be keys."""

    def __getitem__(self, key: object, /) -> object:
        raise KeyError(key)


@pytest.mark.requirement(46)
@pytest.mark.parametrize("wrong", [{}, Slices(), [], (), 5, None, b"a.b.c", object()])
def test_what_is_no_text_is_malformed(issuer: Issuer, serve: Serve, wrong: Any) -> None:
    server = serve()
    assert server.verify(issuer.token()).sub == "usr_1"
    assert reason(server, wrong) == "malformed"


@pytest.mark.requirement(50)
def test_a_hundred_first_tokens_at_once_fetch_the_keys_once(issuer: Issuer, serve: Serve) -> None:
    server, found = serve(), list[str]()
    token = issuer.token()
    threads = [threading.Thread(target=lambda: found.append(reason(server, token))) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["good"] * 100
    assert issuer.count("/jwks") == 1


def test_event_loops_wait_without_blocking(issuer: Issuer, serve: Serve) -> None:
    async def main() -> None:
        slow = threading.Event()
        issuer.override["/jwks"] = lambda: (
            slow.wait(PATIENCE),
            (200, {}, json.dumps(issuer.jwks()).encode()),
        )[1]
        server = serve()
        verifying = [asyncio.create_task(server.verify_async(issuer.token())) for _ in range(20)]
        monotonic_boottime = 0
        while not issuer.count("/jwks"):
            await asyncio.sleep(0.01)
        for _ in range(20):
            await asyncio.sleep(0.005)
            monotonic_boottime += 1
        verifying[0].cancel()  # one cancelled caller does not cancel the others
        await asyncio.sleep(0)
        slow.set()
        found = await asyncio.gather(*verifying, return_exceptions=True)
        assert monotonic_boottime == 20
        assert isinstance(found[0], asyncio.CancelledError)
        assert all(getattr(one, "sub", None) == "usr_1" for one in found[1:]), found
        assert issuer.count("/jwks") == 1

    asyncio.run(main())


@pytest.mark.requirement(50, 44)
def test_a_new_key_is_found_by_its_kid_and_unknown_kids_do_not_flood_the_issuer(
    issuer: Issuer, serve: Serve
) -> None:
    server = serve()
    assert reason(server, issuer.token()) == "good"
    new = new_key("two")
    issuer.keys.append(new)
    assert reason(server, issuer.token(new)) == "good"
    assert issuer.count("/jwks") == 2
    for number in range(50):
        assert reason(server, issuer.token(new_key(f"unknown-{number}"))) == "unknown_key"
    assert issuer.count("/jwks") == 2


@pytest.mark.requirement(50)
def test_the_last_good_keys_are_used_while_the_issuer_is_unreachable(
    issuer: Issuer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keycache, "REFRESH_EVERY", 0.2)
    server = serve(revocation="off")
    assert reason(server, issuer.token()) == "good"
    issuer.dead = True
    asked = issuer.count("/jwks")
    until(lambda: issuer.count("/jwks") > asked)
    assert reason(server, issuer.token(jti="grt_1.later")) == "good"
    day = time.time() + 25 * 3600
    assert reason(server, issuer.token(exp=int(day) + 600), now=day) == "keys_unavailable"


@pytest.mark.requirement(50)
@pytest.mark.parametrize(
    "answer",
    [
        lambda: (500, {}, b""),
        lambda: (404, {}, b"{}"),
        lambda: (301, {"Location": "http://127.0.0.1:9/jwks"}, b""),
        lambda: (200, {}, b"<html>"),
        lambda: (200, {}, b'{"keys":[],"p":"' + b"x" * 600_000 + b'"}'),
        lambda: (200, {"Content-Encoding": "gzip"}, b"{}"),
    ],
    ids=["500", "404", "redirect", "html", "too big", "compressed"],
)
def test_keys_that_were_never_fetched_give_503_and_not_401(issuer: Issuer, serve: Serve, answer: Any) -> None:
    issuer.override["/jwks"] = answer
    server = serve(wait=PATIENCE)
    began = time.monotonic()
    assert reason(server, issuer.token()) == "keys_unavailable"
    error = AuthError("keys_unavailable")
    assert server.challenge(error).status == 503
    assert "WWW-Authenticate" not in server.challenge(error).headers
    # in the pause after a failure no caller waits and no request is sent
    asked = issuer.count("/jwks")
    for _ in range(20):
        assert reason(server, issuer.token()) == "keys_unavailable"
    assert issuer.count("/jwks") <= asked + 1
    assert time.monotonic() - began < PATIENCE / 2


@pytest.mark.requirement(51)
def test_metadata_of_another_issuer_is_refused(issuer: Issuer, serve: Serve) -> None:
    issuer.override[METADATA] = lambda: (
        200,
        {},
        json.dumps({**issuer.metadata(), "issuer": "https://evil.example"}).encode(),
    )
    assert reason(serve(), issuer.token()) == "keys_unavailable"
    assert issuer.count("/jwks") == 0


@pytest.mark.requirement(45, 50)
def test_a_withdrawn_key_verifies_no_token_and_no_cached_one(
    issuer: Issuer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keycache, "REFRESH_EVERY", 0.2)
    server = serve()
    token = issuer.token()
    for _ in range(3):
        assert reason(server, token) == "good"
    issuer.keys = [new_key("two")]
    until(lambda: reason(server, token) == "unknown_key")
    assert reason(server, issuer.token()) == "good"


def test_the_times_of_a_cached_token_are_still_checked() -> None:
    server = ResourceServer(ISSUER, "https://api.example.com", jwks={"keys": [P256.public_jwk()]}, leeway=0)
    token = good(nbf=NOW - 5)
    for _ in range(3):
        assert reason(server, token, now=NOW) == "good"
    assert reason(server, token, now=NOW + 289) == "good"
    assert reason(server, token, now=NOW + 290) == "expired"
    assert reason(server, token, now=NOW - 6) == "not_yet_valid"
    assert reason(server, token, now=NOW) == "good"


def test_the_cache_is_bounded_and_stores_only_accepted_tokens_seen_twice() -> None:
    server = ResourceServer(
        ISSUER, "https://api.example.com", jwks={"keys": [P256.public_jwk()]}, cache_size=10
    )
    epoch = server._epoch
    once = good(jti="grt_1.once")
    assert reason(server, once, now=NOW) == "good"
    assert once[END:] not in epoch.recent
    tokens = [good(jti=f"grt_1.{number}") for number in range(30)]
    for token in tokens:
        assert reason(server, token, now=NOW) == reason(server, token, now=NOW) == "good"
        assert len(epoch.recent) + len(epoch.older) <= 10
    assert epoch.recent[tokens[-1][END:]].token == tokens[-1]
    bad = good(exp=NOW - 100)
    for _ in range(3):
        assert reason(server, bad, now=NOW) == "expired"
    assert bad[END:] not in epoch.recent


@pytest.mark.requirement(46)
def test_a_cached_signature_vouches_for_its_own_token_alone() -> None:
    """Cached tokens are found by their last characters; another text with the same end is verified in full."""
    server = ResourceServer(
        ISSUER, "https://api.example.com", jwks={"keys": [P256.public_jwk()]}, cache_size=2
    )
    token = good()
    head, body, signature = token.split(".")
    forged = ".".join((head, good(sub="usr_2").split(".")[1], signature))
    halves: list[bool] = []
    for other in ("grt_1.1", "grt_1.2", "grt_1.3"):
        for _ in range(2):
            assert reason(server, token, now=NOW) == "good"
        assert reason(server, forged, now=NOW) == "signature"
        assert reason(server, f"{head}.{body}.{'A' * 43}{signature[43:]}", now=NOW) == "signature"
        assert reason(server, f"x{token}", now=NOW) != "good"
        halves.append(token[END:] in server._epoch.recent)
        for _ in range(2):
            # moves the token to the older half
            assert reason(server, good(jti=other), now=NOW) == "good"
    assert any(halves)


def test_the_cache_can_be_disabled() -> None:
    server = ResourceServer(
        ISSUER, "https://api.example.com", jwks={"keys": [P256.public_jwk()]}, cache_size=0
    )
    for _ in range(3):
        assert reason(server, good(), now=NOW) == "good"
    assert not server._epoch.recent


@pytest.mark.requirement(45)
def test_keys_from_a_file_verify_offline(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [P256.public_jwk()]}))
    before = set(threading.enumerate())
    server = ResourceServer(ISSUER, "https://api.example.com", jwks=path)
    assert reason(server, good(), now=NOW) == "good"
    assert reason(server, good(new_key("two")), now=NOW) == "unknown_key"
    assert reason(server, good(P384), now=NOW) == "algorithm"
    assert set(threading.enumerate()) <= before


@pytest.mark.requirement(40)
def test_issuer_and_audience_are_required_and_the_allow_list_has_only_asymmetric_algorithms() -> None:
    with pytest.raises(TypeError):
        ResourceServer(ISSUER)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        ResourceServer(audience=AUDIENCE)  # type: ignore[call-arg]
    assert set(ISSUED) <= ASYMMETRIC
    assert not [name for name in ASYMMETRIC if name.startswith("HS") or name.lower() == "none"]
    jwks = {"keys": [P256.public_jwk(), P384.public_jwk()]}
    strict = ResourceServer(ISSUER, "https://api.example.com", jwks=jwks, algorithms=["ES384"])
    assert (reason(strict, good(), now=NOW), reason(strict, good(P384), now=NOW)) == ("algorithm", "good")


@pytest.mark.requirement(40, 47, 50)
@pytest.mark.parametrize(
    "settings",
    [
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": []},
        {"algorithms": "ES256"},
        {"leeway": 61},
        {"leeway": -1},
        {"revocation": "maybe"},
        {"revocation_outage": 4},
        {"jwks_uri": "http://keys.example.com/jwks"},
        {"issuer": "http://auth.example.com"},
        {"issuer": "auth.example.com"},
        {"audience": ""},
    ],
    ids=str,
)
def test_insecure_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ResourceServer(**{"issuer": ISSUER, "audience": AUDIENCE, **settings})


def test_it_closes_at_once_and_can_start_again(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    with server:
        assert reason(server, issuer.token()) == "good"
        until(lambda: any("after=" in asked for asked in issuer.asked))
    own = {"doorward-keys", "doorward-revocations"}
    until(lambda: not [t for t in threading.enumerate() if t.name in own])
    issuer.revoke("sid", "ses_1")
    with server:
        until(lambda: reason(server, issuer.token()) == "revoked")


def test_pinned_for_tests_it_fetches_nothing_and_is_restored_afterwards(issuer: Issuer, serve: Serve) -> None:
    server = serve()
    with minting(server, now=NOW) as tokens:
        assert reason(server, tokens.token()) == "good"
        assert reason(server, tokens.unknown_key()) == "unknown_key"
    assert issuer.asked == []
    assert reason(server, issuer.token()) == "good"


def test_a_frozen_clock_moves_only_by_tick() -> None:
    server = ResourceServer(ISSUER, AUDIENCE, leeway=0)
    clock = FrozenClock(NOW)
    with server.pinned(key_set(ISSUER, [P256.public()]), clock=clock):
        assert reason(server, good(aud=AUDIENCE)) == "good"
        clock.tick(1000)
        assert reason(server, good(aud=AUDIENCE)) == "expired"


def test_keys_that_arrive_between_check_and_wait_are_used(
    issuer: Issuer, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow thread requests a fetch when the keys have already arrived, and gets no future to wait on."""
    ask_for_keys, ask_for_feed = Background.ask_for_keys, Background.ask_for_feed

    def keys_later(self: Background, *, unknown_kid: bool = False) -> Any:
        flight = ask_for_keys(self, unknown_kid=unknown_kid)
        if flight is not None:
            flight.result(5)

    def feed_later(self: Background) -> Any:
        answer = ask_for_feed(self)
        if answer is not None:
            answer.result(5)

    monkeypatch.setattr(Background, "ask_for_keys", keys_later)
    monkeypatch.setattr(Background, "ask_for_feed", feed_later)
    assert reason(serve(), issuer.token()) == "good"
    server = serve()
    assert asyncio.run(server.verify_async(issuer.token())).sub == "usr_1"
    issuer.keys.append(new_key("two"))
    assert reason(server, issuer.token(issuer.keys[1])) == "good"
    assert reason(server, issuer.token(new_key("three"))) == "unknown_key"
