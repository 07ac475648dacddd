"""Does a revocation reach whoever waits for it, at once, completely, and from every process?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

import pytest

from doorward.actions.revocation_feed import MOST_WAITING, Watch
from doorward.model.revocation import Revocation
from doorward.outside.bells import Bells
from doorward.ports.store import StoreUnavailable
from tests.actions.back_channel import BackChannel, back_channel
from tests.rules import made
from tests.waiting import PATIENCE, keeps_async, until_async

pytestmark = pytest.mark.anyio


@pytest.fixture
async def channel() -> AsyncGenerator[BackChannel]:
    async with back_channel() as made_channel:
        yield made_channel


@dataclass
class Heard:
    """Bells that say that they are connected."""

    bells: Bells
    connected: bool = True

    def listen(self, wake: Callable[[], None]) -> None:
        self.bells.listen(wake)

    async def ring(self) -> None:
        await self.bells.ring()

    async def run(self) -> None:
        await self.bells.run()


async def end(channel: BackChannel, name: str, kind: str = "grant") -> None:
    before = made.NOW if kind in {"sub", "client"} else None
    entry = Revocation(kind, name, made.NOW, made.NOW + 400, before)  # type: ignore[arg-type]
    assert await channel.store.commit(channel.store.revocations.insert(entry))


def waiting_at(channel: BackChannel) -> int:
    """How many wait for news there."""
    return len(channel.feed.watch._waiting)


async def test_the_first_answer_is_everything_and_the_next_only_what_came_since(channel: BackChannel) -> None:
    await end(channel, "grt_a")
    await end(channel, "usr_a", "sub")
    first = await channel.feed(None, 0)
    assert first["reset"] is True
    assert first["entries"] == [
        {"kind": "grant", "id": "grt_a", "exp": made.NOW + 400},
        {"kind": "sub", "id": "usr_a", "exp": made.NOW + 400, "before": made.NOW},
    ]
    assert await channel.feed(first["cursor"], 0) == {
        "cursor": first["cursor"],
        "reset": False,
        "entries": [],
    }
    await end(channel, "grt_b")
    second = await channel.feed(first["cursor"], 0)
    assert [entry["id"] for entry in second["entries"]] == ["grt_b"]
    assert second["reset"] is False


@pytest.mark.parametrize(
    "cursor", ["", "1", "x.1", "1.1", "-1", "{name}.99", "{name}.x", "{name}.-1", "{name}.٣"]
)
async def test_a_foreign_cursor_is_answered_with_everything(channel: BackChannel, cursor: str) -> None:
    await end(channel, "grt_a")
    name = (await channel.feed(None, 0))["cursor"].partition(".")[0]
    answer = await channel.feed(cursor.replace("{name}", name), 5)
    assert answer["reset"] is True
    assert len(answer["entries"]) == 1


async def test_everything_is_put_together_once_for_all_who_ask_and_anew_when_something_is_added(
    channel: BackChannel,
) -> None:
    await end(channel, "grt_a")
    first = await channel.feed(None, 0)
    others = await asyncio.gather(*(channel.feed(None, 0) for _ in range(20)))
    assert all(other is first for other in others)
    await end(channel, "grt_b")
    second = await channel.feed(None, 0)
    assert [entry["id"] for entry in second["entries"]] == ["grt_a", "grt_b"]
    assert second["cursor"] != first["cursor"]
    channel.clock.time += 60
    third = await channel.feed(None, 0)
    assert third is not second
    assert third == second


@pytest.mark.requirement(58)
async def test_a_ring_is_answered_at_once(channel: BackChannel) -> None:
    bells = Bells()
    channel.store.on_change(bells.changed)
    await keeps_async(0.3, partial(until_told, channel, Watch(channel.store, Heard(bells))))


async def test_a_ring_that_is_lost_costs_half_a_second(channel: BackChannel) -> None:
    await keeps_async(1, partial(until_told, channel, Watch(channel.store, Heard(Bells()))))


async def until_told(channel: BackChannel, watch: Watch) -> float:
    """Seconds from a revocation until somebody who waits for one hears of it."""
    newest = int((await channel.feed(None, 0))["cursor"].rpartition(".")[2])
    waiting = asyncio.create_task(watch.beyond(newest, 20))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    began = perf_counter()
    await end(channel, f"grt_{newest}")
    await waiting
    return perf_counter() - began


async def test_expired_entries_are_not_told_any_more(channel: BackChannel) -> None:
    await end(channel, "grt_a")
    channel.clock.time += 400
    assert (await channel.feed(None, 0))["entries"] == []


@pytest.mark.requirement(58)
async def test_waiting_ends_within_a_second_of_a_revocation_in_another_process(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two:

        async def until_all_are_told() -> float:
            cursor = (await one.feed(None, 0))["cursor"]
            assert (await two.feed(None, 0))["cursor"] == cursor
            waiting = [asyncio.create_task(one.feed(cursor, 20)) for _ in range(100)]
            await until_async(lambda: waiting_at(one) == 100)
            await asyncio.sleep(0.2)
            assert not any(task.done() for task in waiting)
            began = perf_counter()
            await end(two, f"grt_{cursor}")
            answers = await asyncio.gather(*waiting)
            took = perf_counter() - began
            assert all(
                [entry["id"] for entry in answer["entries"]] == [f"grt_{cursor}"] for answer in answers
            )
            return took

        await keeps_async(1, until_all_are_told)


async def test_waiting_ends_in_time_and_the_poller_with_it(channel: BackChannel) -> None:
    cursor = (await channel.feed(None, 0))["cursor"]

    async def waited() -> float:
        began = perf_counter()
        assert await channel.feed(cursor, 0.2) == {"cursor": cursor, "reset": False, "entries": []}
        took = perf_counter() - began
        assert took > 0.15
        return took

    await keeps_async(1, waited)
    await until_async(lambda: channel.feed.watch.idle)


async def test_nothing_is_lost_between_two_polls(channel: BackChannel) -> None:
    cursor = (await channel.feed(None, 0))["cursor"]
    seen: list[str] = []

    async def follow(cursor: str) -> None:
        while len(seen) < 200:
            answer = await channel.feed(cursor, 5)
            seen.extend(entry["id"] for entry in answer["entries"])
            cursor = answer["cursor"]

    following = asyncio.create_task(follow(cursor))
    for number in range(200):
        await end(channel, f"grt_{number}")
        if number % 50 == 0:
            await asyncio.sleep(0.07)
    await following
    assert seen == [f"grt_{number}" for number in range(200)]


async def test_release_answers_everybody_at_once(channel: BackChannel) -> None:
    cursor = (await channel.feed(None, 0))["cursor"]
    waiting = asyncio.create_task(channel.feed(cursor, 20))
    await until_async(lambda: waiting_at(channel) == 1)
    channel.feed.watch.release()
    assert (await asyncio.wait_for(waiting, PATIENCE))["entries"] == []


@pytest.mark.requirement(58)
async def test_who_takes_every_place_to_wait_keeps_no_api_from_the_news(channel: BackChannel) -> None:
    """docs/incidents/2026-11-22-waiting-places-taken.md"""
    cursor = (await channel.feed(None, 0))["cursor"]
    strangers = [asyncio.create_task(channel.feed(cursor, 20)) for _ in range(MOST_WAITING)]
    await until_async(lambda: waiting_at(channel) == MOST_WAITING)
    quiet = await asyncio.wait_for(channel.feed(cursor, 20), PATIENCE)
    assert quiet == {"cursor": cursor, "reset": False, "entries": []}
    await end(channel, "grt_a")
    news = await asyncio.wait_for(channel.feed(quiet["cursor"], 20), PATIENCE)
    assert [entry["id"] for entry in news["entries"]] == ["grt_a"]
    channel.feed.watch.release()
    await asyncio.gather(*strangers)


async def test_an_outage_is_told_to_those_who_wait(
    channel: BackChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = (await channel.feed(None, 0))["cursor"]
    waiting = asyncio.create_task(channel.feed(cursor, 20))
    await until_async(lambda: waiting_at(channel) == 1)

    async def gone(self: object) -> int:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(type(channel.store.revocations), "newest", gone)
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(waiting, PATIENCE)


async def test_two_processes_on_a_new_database_agree_on_its_name(tmp_path: Path) -> None:
    path = tmp_path / "d.db"
    async with back_channel(path) as one, back_channel(path) as two:
        answers = await asyncio.gather(*((one, two)[i % 2].feed(None, 0) for i in range(20)))
        assert len({answer["cursor"] for answer in answers}) == 1
