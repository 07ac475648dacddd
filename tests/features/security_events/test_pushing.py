"""Push, where a receiver is slow: others do not wait for it, and nothing is sent after the end of a claim (incident 0101)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from doorward.adapters.http_client import GuardedAnswer
from doorward.features.security_events.pushing import CLAIM
from tests.features.security_events.conftest import Transmitter
from tests.waiting import PATIENCE

ENGINES = ("sqlite",)
pytestmark = pytest.mark.anyio


@dataclass
class Receivers:
    """Those with `slow` in their address answer when `go` is set."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    slow: int = 0
    most: int = 0

    async def post(self, url: str, **sent: Any) -> GuardedAnswer:
        assert sent
        if "slow" in url:
            self.slow += 1
            self.most = max(self.most, self.slow)
            await self.go.wait()
            self.slow -= 1
        else:
            self.heard.put_nowait(url)
        return GuardedAnswer(202, b"")


async def pushed(transmitter: Transmitter, name: str, streams: int = 1) -> Any:
    client = await transmitter.app(name)
    delivery = {"method": "urn:ietf:rfc:8935", "endpoint_url": f"https://{name}.example/events"}
    for _ in range(streams):
        await transmitter.stream(client, delivery=delivery)
    await transmitter.channel.config.refresh()
    return client


@pytest.mark.requirement(59)
async def test_no_stream_waits_for_the_receiver_of_another(transmitter: Transmitter) -> None:
    channel, receivers = transmitter.channel, Receivers()
    ada = await channel.person()
    for name in ("slow", "shop"):
        await transmitter.uses(await pushed(transmitter, name), ada, "ses_one")
    running = asyncio.create_task(replace(transmitter.push, http=receivers).run(0.001))
    try:
        async with asyncio.timeout(PATIENCE):
            await transmitter.disable(ada)
            assert await receivers.heard.get() == "https://shop.example/events"
            while receivers.slow == 0:
                await asyncio.sleep(0.001)
            await transmitter.disable(ada, "account.enabled")
            assert await receivers.heard.get() == "https://shop.example/events"
            assert receivers.most == 1, "the slow one still has its first event"
            receivers.go.set()
            while await channel.store.security_events.counts():
                await asyncio.sleep(0.001)
    finally:
        running.cancel()


async def test_the_receivers_of_one_app_are_called_a_few_times_at_once(transmitter: Transmitter) -> None:
    channel, receivers = transmitter.channel, Receivers()
    slow = await pushed(transmitter, "slow", streams=3)
    for number in range(10):
        person = await channel.person(id=f"usr_{number}", email=f"{number}@example.com")
        await transmitter.uses(slow, person, f"ses_{number}")
        await transmitter.disable(person)
    sending = asyncio.create_task(replace(transmitter.push, http=receivers).send_due())
    while receivers.slow < 8:
        await asyncio.sleep(0)
    receivers.go.set()
    await sending
    assert receivers.most == 8
    assert await channel.store.security_events.counts() == {}


async def test_nothing_is_sent_after_the_end_of_a_claim(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    ada = await channel.person()
    await transmitter.uses(await pushed(transmitter, "shop"), ada, "ses_one")
    for number in range(30):
        await transmitter.disable(ada, ("account.disabled", "account.enabled")[number % 2])
    start, ends = channel.clock.time, list[int]()

    class Slow:
        async def post(self, url: str, **sent: Any) -> GuardedAnswer:
            assert url.startswith("https:")
            assert sent
            channel.clock.time += 10
            ends.append(channel.clock.time)
            return GuardedAnswer(202, b"")

    slow = replace(transmitter.push, http=Slow())
    await slow.send_due()
    assert ends
    assert max(ends) < start + CLAIM
    await slow.send_due()
    assert len(ends) == 20, "the next claim goes on where the first one stopped"
    await slow.send_due()
    assert await channel.store.security_events.counts() == {}


async def test_of_changes_of_the_status_one_waits(transmitter: Transmitter) -> None:
    channel = transmitter.channel
    shop = await transmitter.app("shop")
    stream = await transmitter.stream(shop)
    for number in range(10):
        for status in ("paused", "enabled"):
            body = {"stream_id": stream["stream_id"], "status": status, "reason": f"{number}"}
            assert (await transmitter.ask(shop, "POST", "/ssf/status", body)).status == 200
    (event,) = await channel.store.security_events.waiting(stream["stream_id"], 99)
    assert (event.kind, event.detail) == ("stream-updated", {"status": "enabled", "reason": "9"})
