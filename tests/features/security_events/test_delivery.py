"""Delivery of events by push, to receivers that share no code with the server."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from msgspec import structs

from doorward.adapters.http_client import GuardedHttp
from doorward.features.security_events.build import push_worker, upkeep
from doorward.features.security_events.settings import EventStreamPolicy
from tests.engines import BOTH
from tests.features import made
from tests.features.security_events.conftest import Transmitter
from tests.features.security_events.receiver import Bad, Receiver, listening, verified

ENGINES = BOTH
pytestmark = pytest.mark.anyio

RISC = "https://schemas.openid.net/secevent/risc/event-type/"


def receiver(transmitter: Transmitter, name: str, authorization: str | None = None) -> Receiver:
    jwks = transmitter.channel.signer.jwks()
    return Receiver(jwks, issuer=made.ISSUER, audience=f"app_{name}", authorization=authorization)


def pushed_to(one: Receiver) -> dict[str, Any]:
    delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": one.url}
    return delivery if one.authorization is None else {**delivery, "authorization_header": one.authorization}


@pytest.mark.requirement(59)
async def test_three_receivers_hear_of_everything_although_one_was_down(transmitter: Transmitter) -> None:
    """A receiver that remembers jti acts once; each is called with the authorization of its own stream."""
    channel = transmitter.channel
    ada = await channel.person()
    await channel.session(ada)
    names = ("shop", "news", "bank")
    found = {name: receiver(transmitter, name, f"Bearer {name}") for name in names}
    async with AsyncExitStack() as up:
        for name in names:
            await up.enter_async_context(listening(found[name]))
            client = await transmitter.app(name)
            await transmitter.uses(client, ada, "ses_one")
            await transmitter.stream(client, delivery=pushed_to(found[name]))
        await channel.config.refresh()
        bank = found["bank"]
        bank.answer = (503, {})
        await transmitter.disable(ada)
        await channel.store.commit(
            *await channel.revoker.session(
                await channel.session(ada, "ses_two"), now=channel.clock.time, reason="revoked"
            )
        )
        session = await channel.store.sessions.get("ses_one")
        assert session is not None
        await channel.store.commit(
            *await channel.revoker.session(session, now=channel.clock.time, reason="account_disabled")
        )
        await transmitter.push.send_due()
        expected = ["account-disabled", "session-revoked"]
        assert found["shop"].kinds == found["news"].kinds == expected
        assert (bank.kinds, bank.requests) == ([], 1)
        await transmitter.disable(ada, "account.enabled")
        await transmitter.push.send_due()
        assert found["shop"].kinds == [*expected, "account-enabled"]
        assert bank.requests == 1, "it is not asked again before its pause is over"
        bank.answer = None
        channel.clock.time += 2
        await transmitter.push.send_due()
        assert found["bank"].kinds == [*expected, "account-enabled"]
        assert all(one.problems == [] and one.repeated == [] for one in found.values())
        assert await channel.store.security_events.counts() == {}
    claims = next(iter(found["shop"].acted.values()))
    assert claims["sub_id"] == {"format": "iss_sub", "iss": made.ISSUER, "sub": "usr_ada"}
    assert claims["events"] == {f"{RISC}account-disabled": {}}


async def test_an_event_that_was_accepted_without_our_hearing_of_it_comes_again_as_the_same(
    transmitter: Transmitter,
) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop, one = await transmitter.app("shop"), receiver(transmitter, "shop")
    await transmitter.uses(shop, ada, "ses_one")
    async with listening(one):
        stream = await transmitter.stream(shop, delivery=pushed_to(one))
        await transmitter.disable(ada)
        (event,) = await channel.store.security_events.waiting(stream["stream_id"], 9)
        await transmitter.push.send_due()
        # as if the process had died before it could remove the event
        await channel.store.commit(channel.store.security_events.add(event))
        await transmitter.push.send_due()
    assert (len(one.acted), one.repeated) == (1, [event.id])


@pytest.mark.requirement(59)
async def test_events_of_a_person_are_pushed_in_their_order(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    people = [await channel.person(id=f"usr_{n}", email=f"{n}@example.com") for n in range(3)]
    shop, one = await transmitter.app("shop"), receiver(transmitter, "shop")
    async with listening(one):
        await transmitter.stream(shop, delivery=pushed_to(one))
        for person in people:
            await transmitter.uses(shop, person, "ses_one")
        kinds = ["account.disabled", "account.enabled"] * 3
        for kind in kinds:
            for person in people:
                await transmitter.disable(person, kind)
        await transmitter.push.send_due()
    assert len(one.acted) == 18
    for person in people:
        of_person = [claims for claims in one.acted.values() if claims["sub_id"]["sub"] == person.id]
        assert [next(iter(claims["events"])) for claims in of_person] == [
            f"{RISC}{kind.replace('.', '-')}" for kind in kinds
        ]


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ((400, {"err": "invalid_request"}), 0),
        ((400, {"err": "invalid_key"}), 1),
        ((401, {"err": "authentication_failed"}), 1),
        ((500, {}), 1),
        ((302, {}), 1),
    ],
)
async def test_what_a_receiver_refuses_is_dropped_and_all_else_is_tried_again(
    transmitter: Transmitter, answer: tuple[int, dict[str, str]], left: int
) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop, one = await transmitter.app("shop"), receiver(transmitter, "shop")
    one.answer = answer
    await transmitter.uses(shop, ada, "ses_one")
    async with listening(one):
        stream_id = (await transmitter.stream(shop, delivery=pushed_to(one)))["stream_id"]
        await transmitter.disable(ada)
        await transmitter.push.send_due()
    assert len(await channel.store.security_events.waiting(stream_id, 9)) == left
    stored = await channel.store.security_events.get(stream_id)
    assert stored is not None
    assert (stored.problem is not None) is bool(left)


@pytest.mark.requirement(93)
async def test_a_receiver_that_stays_down_is_paused_with_a_reason_and_loses_nothing(
    transmitter: Transmitter,
) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop, one = await transmitter.app("shop"), receiver(transmitter, "shop")
    one.answer = (503, {})
    await transmitter.uses(shop, ada, "ses_one")
    async with listening(one):
        stream_id = (await transmitter.stream(shop, delivery=pushed_to(one)))["stream_id"]
        await transmitter.disable(ada)
        for _ in range(120):
            await transmitter.push.send_due()
            channel.clock.time += 900
        stored = await channel.store.security_events.get(stream_id)
        assert stored is not None
        assert (stored.status, stored.reason) == ("paused", "the receiver accepted nothing any more")
        assert await channel.audited("event_stream.paused") == 1
        assert one.requests <= 120
        await transmitter.disable(ada, "account.enabled")
        one.answer = None
        for _ in range(2):
            channel.clock.time += 900
            await transmitter.push.send_due()
        # back again, it hears that its stream is paused, and nothing else (SSF 1.0 §8.1.5)
        assert one.kinds == ["stream-updated"]
        assert list(next(iter(one.acted.values()))["events"].values()) == [
            {"status": "paused", "reason": "the receiver accepted nothing any more"}
        ]
        transmitter.tokens.clear()
        body = {"stream_id": stream_id, "status": "enabled"}
        assert (await transmitter.ask(shop, "POST", "/ssf/status", body)).status == 200
        await transmitter.push.send_due()
    assert one.kinds.count("account-disabled") == one.kinds.count("account-enabled") == 1
    assert one.kinds.count("stream-updated") == 2
    assert one.problems == []


@pytest.mark.requirement(93)
async def test_a_stream_that_holds_too_much_is_disabled(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    stream_id = (await transmitter.stream(shop))["stream_id"]
    for _ in range(3):
        await transmitter.disable(ada)
    look = upkeep(channel.services)
    bound = EventStreamPolicy(waiting=100)
    await structs.replace(look, policy=structs.replace(bound, waiting=3)).round()
    assert await channel.store.security_events.counts() == {stream_id: (3, channel.clock.time)}
    await structs.replace(look, policy=structs.replace(bound, waiting=2)).round()
    stored = await channel.store.security_events.get(stream_id)
    assert stored is not None
    assert (stored.status, stored.reason) == ("disabled", "more than 2 events waited for the receiver")
    assert await channel.audited("event_stream.overflowed") == 1
    await transmitter.disable(ada)
    (event,) = await channel.store.security_events.waiting(stream_id, 99)
    assert (event.kind, event.detail["status"]) == ("stream-updated", "disabled")


async def test_the_stream_of_a_deleted_app_is_removed(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    shop = await transmitter.app("shop")
    await transmitter.stream(shop)
    await channel.store.commit(channel.store.registry.delete_client(shop.id))
    await channel.config.refresh()
    await upkeep(channel.services).round()
    assert await channel.store.security_events.all() == []


async def test_two_processes_send_each_event_once(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    shop, one = await transmitter.app("shop"), receiver(transmitter, "shop")
    await transmitter.uses(shop, ada, "ses_one")
    second = push_worker(channel.services, transmitter.push.http)
    async with listening(one):
        await transmitter.stream(shop, delivery=pushed_to(one))
        for _ in range(4):
            await transmitter.disable(ada)
        await asyncio.gather(transmitter.push.send_due(), second.send_due())
        assert len(one.acted) == 4
    assert one.repeated == []


async def test_receivers_on_private_networks_are_called_only_if_the_operator_names_them(
    transmitter: Transmitter,
) -> None:
    """SSRF by the address of a push: what the metadata service of a cloud would answer reaches nobody."""
    channel = transmitter.channel
    ada = await channel.person()
    shop = await transmitter.app("shop")
    await transmitter.uses(shop, ada, "ses_one")
    for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:169.254.169.254]"):
        delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": f"https://{address}/latest"}
        stream = await transmitter.stream(shop, delivery=delivery)
        await transmitter.disable(ada)
        await push_worker(channel.services, GuardedHttp(timeout=5)).send_due()
        stored = await channel.store.security_events.get(stream["stream_id"])
        assert stored is not None
        assert stored.problem is not None
        assert "its address may not be called" in stored.problem
        query = f"stream_id={stream['stream_id']}"
        await transmitter.ask(shop, "DELETE", "/ssf/stream", query=query)


async def test_the_receiver_of_these_tests_refuses_what_it_must(transmitter: Transmitter) -> None:
    shop = await transmitter.app("shop")
    stream = await transmitter.stream(shop)
    await transmitter.ask(shop, "POST", "/ssf/verify", {"stream_id": stream["stream_id"]})
    (token,) = (await transmitter.poll(shop, stream))["sets"].values()
    jwks = transmitter.channel.signer.jwks()
    head, body, signature = token.split(".")
    for bad in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}", f"{head}.{body[:-2]}.{signature}"):
        with pytest.raises(Bad):
            verified(bad, jwks, issuer=made.ISSUER, audience="app_shop")
    with pytest.raises(Bad, match="aud"):
        verified(token, jwks, issuer=made.ISSUER, audience="app_news")
