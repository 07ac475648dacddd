"""Streams over HTTP: made, read, changed, paused and removed by their app alone (SSF 1.0 §7, §8.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from doorward.features.oauth.token.rules import TokenResponse
from doorward.features.security_events.build import stream_endpoints
from doorward.features.security_events.routes import routes
from doorward.features.security_events.settings import EventStreamPolicy
from tests.engines import POSTGRES_IN_SOAK
from tests.features import made
from tests.features.oauth.logout.back_channel import basic
from tests.features.security_events.conftest import SSF, Transmitter
from tests.web.asgi import Asgi

ENGINES = POSTGRES_IN_SOAK
pytestmark = pytest.mark.anyio

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
PUSH = {
    "method": "urn:ietf:rfc:8935",
    "endpoint_url": "https://shop.example/events",
    "authorization_header": "Bearer of-the-shop",
}


async def test_the_configuration_names_every_endpoint(transmitter: Transmitter) -> None:
    answer = await transmitter.asgi("GET", "/.well-known/ssf-configuration")
    assert answer.status == 200
    assert answer.json == {
        "spec_version": "1_0",
        "issuer": made.ISSUER,
        "jwks_uri": f"{made.ISSUER}/jwks",
        "delivery_methods_supported": ["urn:ietf:rfc:8935", "urn:ietf:rfc:8936"],
        "configuration_endpoint": f"{SSF}/stream",
        "status_endpoint": f"{SSF}/status",
        "verification_endpoint": f"{SSF}/verify",
        "authorization_schemes": [{"spec_urn": "urn:ietf:rfc:6749"}],
        "default_subjects": "ALL",
    }


@pytest.mark.requirement(59)
async def test_a_stream_is_made_read_changed_and_removed(transmitter: Transmitter) -> None:
    shop = await transmitter.app("shop")
    asked = [f"{CAEP}session-revoked", f"{CAEP}credential-change", "https://example.com/unknown"]
    made_ = await transmitter.stream(shop, delivery=PUSH, events_requested=asked, description="the shop")
    stream_id = made_["stream_id"]
    assert made_ == {
        "stream_id": stream_id,
        "iss": made.ISSUER,
        "aud": "app_shop",
        "description": "the shop",
        "delivery": {"method": PUSH["method"], "endpoint_url": PUSH["endpoint_url"]},
        "events_supported": made_["events_supported"],
        "events_requested": asked[:2],
        "events_delivered": asked[:2],
        "min_verification_interval": 30,
    }
    assert len(made_["events_supported"]) == 5
    one = await transmitter.ask(shop, "GET", "/ssf/stream", query=f"stream_id={stream_id}")
    assert one.json == made_
    assert (await transmitter.ask(shop, "GET", "/ssf/stream")).json == [made_]
    body = {"stream_id": stream_id, "events_requested": asked[:1], "iss": made.ISSUER}
    changed = await transmitter.ask(shop, "PATCH", "/ssf/stream", body)
    assert (changed.status, changed.json) == (
        200,
        {**made_, "events_requested": asked[:1], "events_delivered": asked[:1]},
    )
    replaced = await transmitter.ask(shop, "PUT", "/ssf/stream", {"stream_id": stream_id})
    assert replaced.json["delivery"] == {
        "method": "urn:ietf:rfc:8936",
        "endpoint_url": f"{SSF}/poll/{stream_id}",
    }
    assert len(replaced.json["events_delivered"]) == 5
    assert "description" not in replaced.json
    gone = await transmitter.ask(shop, "DELETE", "/ssf/stream", query=f"stream_id={stream_id}")
    assert (gone.status, gone.body) == (204, b"")
    assert (await transmitter.ask(shop, "GET", "/ssf/stream", query=f"stream_id={stream_id}")).status == 404
    assert (await transmitter.ask(shop, "GET", "/ssf/stream")).json == []
    kinds = ("created", "changed", "deleted")
    audited = [await transmitter.channel.audited(f"event_stream.{kind}") for kind in kinds]
    assert audited == [1, 2, 1]


async def test_the_authorization_of_a_push_is_sealed_and_never_shown(transmitter: Transmitter) -> None:
    """Push carries the stream's own authorization, which nobody can read back."""
    shop = await transmitter.app("shop")
    made_ = await transmitter.stream(shop, delivery=PUSH)
    assert "of-the-shop" not in str(made_)
    stored = await transmitter.channel.store.security_events.get(made_["stream_id"])
    assert stored is not None
    assert stored.sealed is not None
    assert b"of-the-shop" not in stored.sealed
    # it stays for the same address alone: another one never gets it
    body = {"stream_id": stored.id, "delivery": {**PUSH, "endpoint_url": "https://thief.example/e"}}
    del body["delivery"]["authorization_header"]
    assert (await transmitter.ask(shop, "PATCH", "/ssf/stream", body)).status == 200
    changed = await transmitter.channel.store.security_events.get(stored.id)
    assert changed is not None
    assert changed.sealed is None


@pytest.mark.parametrize(
    "body",
    [
        {"delivery": "push"},
        {"delivery": {"method": "smoke"}},
        {"delivery": {**PUSH, "endpoint_url": 5}},
        {"delivery": {**PUSH, "endpoint_url": "http://shop.example/events"}},
        {"delivery": {**PUSH, "endpoint_url": "https://a:b@shop.example/events"}},
        {"delivery": {**PUSH, "endpoint_url": "https://shop.example/\r\nx: y"}},
        {"delivery": {**PUSH, "endpoint_url": "https://[shop.example/"}},
        {"delivery": {**PUSH, "authorization_header": "Bearer x\r\nHost: y"}},
        {"delivery": {**PUSH, "authorization_header": ""}},
        {"events_requested": "all"},
        {"events_requested": [1]},
        {"events_requested": ["x"] * 101},
        {"description": "x" * 501},
        {"description": ["x"]},
    ],
)
async def test_a_bad_request_for_a_stream_is_refused_with_its_reason(
    transmitter: Transmitter, body: dict[str, Any]
) -> None:
    shop = await transmitter.app("shop")
    answer = await transmitter.ask(shop, "POST", "/ssf/stream", body)
    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"
    assert answer.json["error_description"]


async def test_what_the_server_decides_cannot_be_changed(transmitter: Transmitter) -> None:
    shop = await transmitter.app("shop")
    stream_id = (await transmitter.stream(shop))["stream_id"]
    for member, value in (("iss", "https://evil.example"), ("aud", "app_news"), ("events_supported", [])):
        for method in ("PATCH", "PUT"):
            answer = await transmitter.ask(
                shop, method, "/ssf/stream", {"stream_id": stream_id, member: value}
            )
            assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    for method, path, body in (
        ("PATCH", "/ssf/stream", {}),
        ("DELETE", "/ssf/stream", None),
        ("GET", "/ssf/status", None),
        ("POST", "/ssf/status", {"stream_id": stream_id, "status": "gone"}),
        ("POST", "/ssf/verify", {"stream_id": stream_id, "state": 7}),
        ("POST", f"/ssf/poll/{stream_id}", {"maxEvents": "many"}),
        ("POST", f"/ssf/poll/{stream_id}", {"maxEvents": -1}),
        ("POST", f"/ssf/poll/{stream_id}", {"ack": "all"}),
        ("POST", f"/ssf/poll/{stream_id}", {"ack": ["x"] * 101}),
        ("POST", f"/ssf/poll/{stream_id}", {"setErrs": []}),
        ("POST", f"/ssf/poll/{stream_id}", {"returnImmediately": "yes"}),
    ):
        assert (await transmitter.ask(shop, method, path, body)).status == 400, (method, path, body)


@pytest.mark.requirement(93)
async def test_an_app_has_a_bounded_number_of_streams(transmitter: Transmitter) -> None:
    shop = await transmitter.app("shop")
    for _ in range(5):
        await transmitter.stream(shop)
    assert (await transmitter.ask(shop, "POST", "/ssf/stream", {})).status == 409


async def test_an_app_sends_nothing_to_a_private_host_that_an_operator_named(
    transmitter: Transmitter,
) -> None:
    """Or any app could post to each port and path of it. A stream that an operator made to it may be changed."""
    endpoints = stream_endpoints(transmitter.channel.services)
    policy = EventStreamPolicy(private_hosts=("in.example",))
    streams = structs.replace(endpoints.streams, policy=policy)
    named = replace(transmitter, asgi=Asgi(routes(structs.replace(endpoints, streams=streams))))
    shop = await named.app("shop")
    place = {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://in.example/hook"}
    made = await named.stream(shop)
    for url in ("https://in.example/hook", "https://IN.example:6443/x"):
        body = {"delivery": {**place, "endpoint_url": url}}
        assert (await named.ask(shop, "POST", "/ssf/stream", body)).status == 400
        changed = {**body, "stream_id": made["stream_id"]}
        assert (await named.ask(shop, "PATCH", "/ssf/stream", changed)).status == 400
    (old,) = await streams.all_of(shop.id)
    operators = structs.replace(old, delivery="push", endpoint_url="https://in.example/hook")
    store = transmitter.channel.store
    assert await store.commit(store.security_events.replace(old, operators))
    body = {"stream_id": old.id, "delivery": place, "description": "still"}
    assert (await named.ask(shop, "PATCH", "/ssf/stream", body)).status == 200


async def test_status_is_read_and_changed(transmitter: Transmitter) -> None:
    shop = await transmitter.app("shop")
    stream_id = (await transmitter.stream(shop))["stream_id"]
    body = {"stream_id": stream_id, "status": "paused", "reason": "moving house"}
    said = await transmitter.ask(shop, "POST", "/ssf/status", body)
    assert (said.status, said.json) == (200, body)
    read = await transmitter.ask(shop, "GET", "/ssf/status", query=f"stream_id={stream_id}")
    assert read.json == body
    again = await transmitter.ask(shop, "POST", "/ssf/status", {"stream_id": stream_id, "status": "enabled"})
    assert again.json == {"stream_id": stream_id, "status": "enabled"}


async def test_who_may_ask(transmitter: Transmitter) -> None:
    shop, news = await transmitter.app("shop"), await transmitter.app("news")
    reader = await transmitter.app("reader", access={SSF: ("ssf.read",)})
    stream_id = (await transmitter.stream(shop))["stream_id"]
    query = f"stream_id={stream_id}"
    assert (await transmitter.asgi("GET", "/ssf/stream")).status == 401
    nothing = await transmitter.ask(shop, "GET", "/ssf/stream", token="dw_nonsense")
    assert (nothing.status, nothing.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    elsewhere = await transmitter.channel.exchange(
        {"grant_type": "client_credentials", "resource": made.API},
        authorization=basic(made.client()),
    )
    assert isinstance(elsewhere, TokenResponse)
    other = await transmitter.ask(shop, "GET", "/ssf/stream", token=elsewhere.access_token)
    assert other.status == 401
    # the stream of another app looks like none
    assert (await transmitter.ask(news, "GET", "/ssf/stream", query=query)).status == 404
    assert (await transmitter.ask(news, "GET", "/ssf/stream")).json == []
    lacking = await transmitter.ask(reader, "POST", "/ssf/stream", {})
    assert (lacking.status, lacking.json["error"]) == (403, "insufficient_scope")
    assert (await transmitter.ask(reader, "GET", "/ssf/stream")).json == []


@pytest.mark.requirement(56, 59)
async def test_an_app_cannot_touch_the_stream_of_another(transmitter: Transmitter) -> None:
    """Attack: an app that knows the id of another app's stream reads, takes, drops or stops its events."""
    channel = transmitter.channel
    ada = await channel.person()
    shop, thief = await transmitter.app("shop"), await transmitter.app("thief")
    await transmitter.uses(shop, ada, "ses_one")
    stream = await transmitter.stream(shop)
    stream_id = stream["stream_id"]
    await transmitter.disable(ada)
    ((jti, _),) = (await transmitter.poll(shop, stream))["sets"].items()
    named = {"stream_id": stream_id}
    tries: list[tuple[str, str, dict[str, Any] | None, str]] = [
        ("GET", "/ssf/stream", None, f"stream_id={stream_id}"),
        ("GET", "/ssf/status", None, f"stream_id={stream_id}"),
        ("DELETE", "/ssf/stream", None, f"stream_id={stream_id}"),
        ("PATCH", "/ssf/stream", {**named, "description": "mine"}, ""),
        ("PUT", "/ssf/stream", named, ""),
        ("POST", "/ssf/status", {**named, "status": "disabled"}, ""),
        ("POST", "/ssf/verify", named, ""),
        ("POST", f"/ssf/poll/{stream_id}", {"returnImmediately": True, "ack": [jti]}, ""),
    ]
    for method, path, body, query in tries:
        answer = await transmitter.ask(thief, method, path, body, query=query)
        assert (answer.status, answer.json["error"]) == (404, "not_found"), (method, path)
    # its own stream drops nothing of another one either
    own = await transmitter.stream(thief)
    await transmitter.poll(thief, own, ack=[jti])
    assert list((await transmitter.poll(shop, stream))["sets"]) == [jti]
